/// A Lua value, as Swift sees it.
///
/// Tables and functions are references into their state; objects are Swift objects of a class that was defined with
/// `LuaState.define(_:)`. Strings are bytes in Lua; what is not UTF-8 is repaired on the way out. Strings of more than
/// `LuaState.longestText` bytes stay in Lua: no host function takes them, and a copy of each would cost memory that no
/// limit of Lua's counts.
public enum LuaValue {
  case `nil`
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  /// A string that is too long to be copied.
  case longString(bytes: Int)
  case table(LuaTable)
  case function(LuaFunction)
  case object(AnyObject)
}

extension LuaValue {
  public var isNil: Bool {
    if case .nil = self { true } else { false }
  }

  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// An integer, or a float without a fraction.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  public var table: LuaTable? {
    if case .table(let value) = self { value } else { nil }
  }

  public var function: LuaFunction? {
    if case .function(let value) = self { value } else { nil }
  }

  public func object<T: AnyObject>(_ type: T.Type) -> T? {
    if case .object(let value) = self { value as? T } else { nil }
  }

  /// Everything but `nil` and `false`, as in a Lua condition.
  public var isTrue: Bool {
    switch self {
    case .nil, .bool(false): false
    default: true
    }
  }
}

extension LuaValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral, ExpressibleByNilLiteral
{
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(nilLiteral: ()) { self = .nil }
}
