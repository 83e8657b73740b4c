import CLuaBridge
import Diagnostics

/// A Lua value without references: what can be kept, compared, hashed and sent.
public indirect enum LuaData: Hashable, Sendable {
  case `nil`
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  /// The array part, and the fields with string keys.
  case table(array: [LuaData], fields: [String: LuaData])
}

extension LuaState {
  /// Copies a value, tables with all that is in them.
  ///
  /// - Parameters:
  ///   - depth: How deep tables may be nested.
  ///   - count: How many values there may be in all.
  ///   - metatables: Whether tables that have one are copied, without it, or refused.
  /// - Throws: a `CompressError` that says where a function, an object, a key that is neither string nor position, or
  ///   a table that contains itself stands; or which limit was passed.
  public func data(
    of value: LuaValue, named name: String = "value", depth: Int = 32, count: Int = 1_000_000,
    metatables: Bool = true
  ) throws -> LuaData {
    var left = count
    return try data(of: value, named: name, depth: depth, left: &left, metatables: metatables)
  }

  /// The same for one of several values: what it counts for is taken from `left`.
  func data(
    of value: LuaValue, named name: String = "value", depth: Int = 32, left: inout Int, metatables: Bool
  ) throws -> LuaData {
    var copier = DataCopier(state: self, left: left, limit: left, metatables: metatables)
    defer { left = copier.left }
    return try copier.copy(value, path: name, depth: depth)
  }

  /// The value that `data(of:)` would read as this.
  public func value(of data: LuaData) throws -> LuaValue {
    switch data {
    case .nil: return .nil
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .string(let value): return .string(value)
    case .table(let array, let fields):
      let table = try makeTable()
      for element in array { try table.append(try value(of: element)) }
      for (key, field) in fields.sorted(by: { $0.key < $1.key }) { try table.set(key, try value(of: field)) }
      return .table(table)
    }
  }
}

private struct DataCopier {
  let state: LuaState
  var left: Int
  let limit: Int
  let metatables: Bool
  var open: Set<UnsafeRawPointer> = []

  mutating func copy(_ value: LuaValue, path: String, depth: Int) throws -> LuaData {
    left -= 1
    guard left >= 0 else { throw CompressError("\(path): more than \(limit) values in one table", kind: .limit) }
    switch value {
    case .nil: return .nil
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .string(let value):
      left -= value.utf8.count / 16
      guard left >= 0 else { throw CompressError("\(path): too much text in one table", kind: .limit) }
      return .string(value)
    case .table(let table): return try copy(table, path: path, depth: depth)
    case .function, .object, .longString:
      throw CompressError("\(path) must be plain data, got \(state.describe(value))")
    }
  }

  private mutating func copy(_ table: LuaTable, path: String, depth: Int) throws -> LuaData {
    guard depth > 0 else { throw CompressError("\(path): tables are nested too deeply") }
    if !metatables, table.hasMetatable { throw CompressError("\(path): the table has a metatable") }
    guard let identity = table.identity, open.insert(identity).inserted else {
      throw CompressError("\(path): the table contains itself")
    }
    defer { open.remove(identity) }
    guard table.count <= left else {
      throw CompressError("\(path): more than \(limit) values in one table", kind: .limit)
    }
    var array: [LuaData] = []
    var fields: [String: LuaData] = [:]
    for (key, value) in table.pairs {
      if let index = key.integer, index == array.count + 1 {
        array.append(try copy(value, path: "\(path)[\(index)]", depth: depth - 1))
      } else if let name = key.string {
        fields[name] = try copy(value, path: "\(path).\(name)", depth: depth - 1)
      } else {
        throw CompressError("\(path): \(state.describe(key)) is neither a name nor the next position of a list")
      }
    }
    return .table(array: array, fields: fields)
  }
}
