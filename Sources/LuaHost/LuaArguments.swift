import Diagnostics

/// The arguments of a host function, with accessors that say what is wrong with them. Positions count from 0 here and
/// from 1 in messages:
///
///     train: argument 2 must be a table, got "mnist"
public struct LuaArguments {
  /// The state that calls.
  public let state: LuaState
  /// The name used in messages.
  public let function: String
  public let values: [LuaValue]

  public var count: Int { values.count }

  /// The argument at a position; `nil` when it is missing.
  public subscript(index: Int) -> LuaValue { values.indices.contains(index) ? values[index] : .nil }

  /// The arguments from a position on.
  public func rest(from index: Int) -> [LuaValue] { Array(values.dropFirst(index)) }

  public func bool(_ index: Int) throws -> Bool { try required(index, "true or false", \.bool) }
  public func int(_ index: Int) throws -> Int { try required(index, "an integer", \.integer) }
  public func number(_ index: Int) throws -> Double { try required(index, "a number", \.number) }
  public func string(_ index: Int) throws -> String { try required(index, "a string", \.string) }
  public func table(_ index: Int) throws -> LuaTable { try required(index, "a table", \.table) }
  public func function(_ index: Int) throws -> LuaFunction { try required(index, "a function", \.function) }

  public func optionalBool(_ index: Int) throws -> Bool? { try optional(index, "true or false", \.bool) }
  public func optionalInt(_ index: Int) throws -> Int? { try optional(index, "an integer", \.integer) }
  public func optionalNumber(_ index: Int) throws -> Double? { try optional(index, "a number", \.number) }
  public func optionalString(_ index: Int) throws -> String? { try optional(index, "a string", \.string) }
  public func optionalTable(_ index: Int) throws -> LuaTable? { try optional(index, "a table", \.table) }
  public func optionalFunction(_ index: Int) throws -> LuaFunction? { try optional(index, "a function", \.function) }

  /// An object of a class defined with `LuaState.define(_:)`.
  public func object<T: AnyObject>(_ index: Int, _ type: T.Type) throws -> T {
    if let object = self[index].object(type) { return object }
    throw mismatch(index, expected: state.article(for: type))
  }

  public func optionalObject<T: AnyObject>(_ index: Int, _ type: T.Type) throws -> T? {
    self[index].isNil ? nil : try object(index, type)
  }

  /// Refuses more arguments than the function takes.
  public func atMost(_ most: Int) throws {
    guard count > most else { return }
    throw CompressError("\(function) takes \(most == 1 ? "1 argument" : "\(most) arguments"), got \(count)")
  }

  /// An error about one argument: what it must be, and what it is.
  public func mismatch(_ index: Int, expected: String) -> CompressError {
    CompressError("\(function): argument \(index + 1) must be \(expected), got \(got(index))")
  }

  private func got(_ index: Int) -> String {
    index < count ? state.describe(values[index]) : "nothing"
  }

  private func required<R>(_ index: Int, _ expected: String, _ read: (LuaValue) -> R?) throws -> R {
    if let result = read(self[index]) { return result }
    throw mismatch(index, expected: expected)
  }

  private func optional<R>(_ index: Int, _ expected: String, _ read: (LuaValue) -> R?) throws -> R? {
    self[index].isNil ? nil : try required(index, expected, read)
  }
}

extension LuaState {
  /// The value as an error message says it: `"abc"`, `2.5`, `a table`, `a Tensor`.
  public func describe(_ value: LuaValue) -> String {
    switch value {
    case .nil: return "nil"
    case .bool(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .number(let value): return "\(value)"
    case .string(let value):
      // By scalars: any number of them may make up one character.
      let scalars = value.unicodeScalars
      return scalars.count > 40 ? "\"\(String(String.UnicodeScalarView(scalars.prefix(40))))…\"" : "\"\(value)\""
    case .longString(let bytes): return "a string of \(bytes) bytes (at most \(Self.longestText) are taken)"
    case .table: return "a table"
    case .function: return "a function"
    case .object(let closed as ClosedObject): return "\(Self.withArticle(closed.className)) that has been closed"
    case .object(let object): return Self.withArticle(entry(for: object)?.name ?? "\(type(of: object))")
    }
  }

  func article<T: AnyObject>(for type: T.Type) -> String {
    Self.withArticle(classes[ObjectIdentifier(type)]?.name ?? "\(type)")
  }

  static func withArticle(_ noun: String) -> String {
    noun.first.map { "AEIOU".contains($0.uppercased()) } == true ? "an \(noun)" : "a \(noun)"
  }
}
