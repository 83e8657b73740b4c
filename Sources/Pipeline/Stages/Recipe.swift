import Foundation

/// What a stage depends on, as plain data: the part of its key that is not its inputs.
///
/// Two recipes are equal exactly when their canonical bytes are; maps are ordered by key.
public indirect enum Recipe: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int)
  case number(Double)
  case string(String)
  case list([Recipe])
  case map([String: Recipe])
  /// Something whose meaning cannot be pinned down, such as a Lua function that captures a table:
  /// the stage is computed anew in every run, and `reason` says why.
  case uncacheable(reason: String)

  /// The first reason not to cache, if any.
  public var uncacheableReason: String? {
    switch self {
    case .uncacheable(let reason): reason
    case .list(let items): items.lazy.compactMap(\.uncacheableReason).first
    case .map(let entries):
      entries.sorted { $0.key < $1.key }.lazy.compactMap(\.value.uncacheableReason).first
    default: nil
    }
  }

  /// About how much memory it takes.
  public var byteCount: Int {
    switch self {
    case .null, .bool, .int, .number: 32
    case .string(let text), .uncacheable(let text): 32 + text.utf8.count
    case .list(let items): items.reduce(64) { $0 + $1.byteCount }
    case .map(let entries): entries.reduce(64) { $0 + 32 + $1.key.utf8.count + $1.value.byteCount }
    }
  }

  /// An unambiguous encoding: a type letter, then the value; text and collections carry their length.
  public var canonicalBytes: [UInt8] {
    var out: [UInt8] = []
    write(to: &out)
    return out
  }

  private func write(to out: inout [UInt8]) {
    func tag(_ letter: Character, _ text: String = "") { out += "\(letter)\(text);".utf8 }
    func text(_ letter: Character, _ string: String) {
      tag(letter, String(string.utf8.count))
      out += string.utf8
    }
    switch self {
    case .null: tag("z")
    case .bool(let value): tag("b", value ? "1" : "0")
    case .int(let value): tag("i", String(value))
    case .number(let value): tag("n", String(value.bitPattern, radix: 16))
    case .string(let value): text("s", value)
    case .uncacheable(let reason): text("u", reason)
    case .list(let items):
      tag("l", String(items.count))
      for item in items { item.write(to: &out) }
    case .map(let entries):
      tag("m", String(entries.count))
      for (key, value) in entries.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        text("k", key)
        value.write(to: &out)
      }
    }
  }
}

extension Recipe: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: Recipe...) { self = .list(elements) }
  public init(dictionaryLiteral elements: (String, Recipe)...) {
    self = .map(Dictionary(uniqueKeysWithValues: elements))
  }
  public init(nilLiteral: ()) { self = .null }
}

extension Recipe: CustomStringConvertible {
  /// One line for people: `{epochs = 2, optimizer = "adam"}`.
  public var description: String {
    switch self {
    case .null: "nil"
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .number(let value): String(format: "%.6g", value)
    case .string(let value): "\"\(value)\""
    case .uncacheable: "<function>"
    case .list(let items): "{" + items.map(\.description).joined(separator: ", ") + "}"
    case .map(let entries):
      "{" + entries.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(separator: ", ") + "}"
    }
  }
}
