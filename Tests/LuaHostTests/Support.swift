import Diagnostics
import Testing

@testable import LuaHost

/// SplitMix64, for tests.
struct TestGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension LuaState {
  static func forTests(_ limits: LuaLimits = LuaLimits(), seed: UInt64 = 1) -> LuaState {
    LuaState(limits: limits, seed: seed, random: { TestGenerator(state: $0) }, print: { _ in })
  }

  @discardableResult
  func run(_ source: String, name: String = "test.lua", instructions: Int? = nil) throws -> [LuaValue] {
    try call(try load(source, name: name), [], instructions: instructions)
  }

  /// The results as one line of text.
  func text(_ source: String) throws -> String {
    try run(source).map { value in
      switch value {
      case .string(let text): text
      case .table(let table): "{" + table.array.map { self.describe($0) }.joined(separator: ",") + "}"
      default: describe(value)
      }
    }.joined(separator: " ")
  }

  /// The error the script ends with.
  func failure(_ source: String, name: String = "test.lua", instructions: Int? = nil) -> CompressError? {
    do {
      _ = try run(source, name: name, instructions: instructions)
      return nil
    } catch { return error as? CompressError }
  }
}

/// Counts its instances.
final class Counter {
  var alive = 0
  var released = 0
}

final class Thing {
  let value: Int
  private let counter: Counter
  init(_ value: Int, _ counter: Counter) {
    self.value = value
    self.counter = counter
    counter.alive += 1
  }
  deinit {
    counter.alive -= 1
    counter.released += 1
  }
}

/// A state with the class Thing and the function thing(value).
func stateWithThings(_ counter: Counter, bytes: Int = 0, limits: LuaLimits = LuaLimits()) -> LuaState {
  let state = LuaState.forTests(limits)
  let things = LuaClass<Thing>("Thing", bytes: { _ in bytes })
  things.property("value") { .integer($0.value) }
  things.method("plus") { thing, arguments in [.object(Thing(thing.value + (try arguments.int(0)), counter))] }
  things.method("same") { thing, arguments in [.bool(thing === (try arguments.object(0, Thing.self)))] }
  things.operation(.add) { arguments in
    func value(_ i: Int) throws -> Int { try arguments[i].integer ?? arguments.object(i, Thing.self).value }
    return .object(Thing(try value(0) + value(1), counter))
  }
  things.operation(.describe) { .string("Thing \(try $0.object(0, Thing.self).value)") }
  things.lookUp { thing, key in key.integer.map { .integer(thing.value * $0) } }
  things.closable()
  state.define(things)
  state.define("thing") { arguments in
    try arguments.state.reserveNative(bytes: bytes)
    return [.object(Thing(try arguments.int(0), counter))]
  }
  return state
}
