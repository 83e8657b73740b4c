import Diagnostics
import LuaHost
import Pipeline

/// A schedule plugin with its options.
struct LuaSchedule: Schedule {
  private let bound: BoundPlugin
  private let session: ScriptSession

  init(_ bound: BoundPlugin, _ session: ScriptSession) {
    self.bound = bound
    self.session = session
  }

  var name: String { bound.plugin.name }
  var recipe: Recipe { bound.recipe }

  func value(at t: Double) throws -> Double {
    let value = try session.call(bound.plugin, [.number(t), .table(try bound.options.lua(session.state))])
    guard let number = value.number else {
      throw CompressError("schedule \"\(name)\" returned \(value.typeName) at t = \(t.short); it must return a number")
        .at(script: bound.plugin.path, line: bound.plugin.function.location?.lines.lowerBound)
    }
    return number
  }
}

/// A Lua function of t, written where a schedule is expected.
struct FunctionSchedule: Schedule {
  private let function: LuaFunction
  private let session: ScriptSession

  init(_ function: LuaFunction, _ session: ScriptSession) {
    self.function = function
    self.session = session
  }

  var name: String { "function" }
  var recipe: Recipe { function.recipe }

  func value(at t: Double) throws -> Double {
    let value = try session.call(function, [.number(t)])
    guard let number = value.number else {
      throw CompressError("the schedule returned \(value.typeName) at t = \(t.short); it must return a number")
        .at(script: function.location?.script ?? "", line: function.location?.lines.lowerBound)
    }
    return number
  }
}

extension LuaFunction {
  /// The function by its code and the constants around it.
  var recipe: Recipe {
    guard let fingerprint = fingerprint() else {
      let place = location.map { " (\($0.script):\($0.lines.lowerBound))" } ?? ""
      return .uncacheable(reason: "a function among the options depends on more than constants\(place)")
    }
    return Recipe(fingerprint)
  }
}

extension Recipe {
  fileprivate init(_ fingerprint: LuaFingerprint) {
    self = [
      "source": .string(fingerprint.source), "code": .list(fingerprint.code.map { .int(Int($0)) }),
      "around": .list(fingerprint.values.map { ["name": .string($0.name), "value": Recipe($0.value)] }),
    ]
  }

  private init(_ value: LuaFingerprint.Value) {
    switch value {
    case .data(let data): self = ["data": Recipe(data)]
    case .function(let function): self = ["function": Recipe(function)]
    case .shared(let name): self = ["shared": .string(name)]
    case .recursion(let depth): self = ["recursion": .int(depth)]
    case .seen(let number): self = ["seen": .int(number)]
    }
  }

  private init(_ data: LuaData) {
    switch data {
    case .nil: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .int(value)
    case .number(let value): self = .number(value)
    case .string(let value): self = .string(value)
    case .table(let array, let fields):
      self = ["array": .list(array.map { Recipe($0) }), "fields": .map(fields.mapValues { Recipe($0) })]
    }
  }
}
