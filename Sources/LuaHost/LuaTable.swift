import CLuaBridge
import Diagnostics

/// A Lua table, kept alive as long as this refers to it. It does not keep its state alive: without it the table
/// reads as empty.
///
/// Reading and writing is raw: metamethods of scripts do not run. Frozen tables are read through.
public struct LuaTable {
  let reference: LuaReference

  init(_ reference: LuaReference) { self.reference = reference }

  /// The value of a field; `nil` when there is none.
  public subscript(key: String) -> LuaValue {
    withContent { state in
      state.push(key)
      lua_rawget(state.L, -2)
      return state.popValue()
    } ?? .nil
  }

  /// The value at a position, counted from 1 as Lua does.
  public subscript(index: Int) -> LuaValue {
    withContent { state in
      lua_rawgeti(state.L, -1, lua_Integer(index))
      return state.popValue()
    } ?? .nil
  }

  /// The length of the array part.
  public var count: Int { withContent { Int(lua_rawlen($0.L, -1)) } ?? 0 }

  /// The array part.
  public var array: [LuaValue] {
    withContent { state in
      var texts: [UnsafeRawPointer: String] = [:]
      return (0..<Int(lua_rawlen(state.L, -1))).map {
        lua_rawgeti(state.L, -1, lua_Integer($0 + 1))
        defer { clua_pop(state.L, 1) }
        return state.value(at: -1, sharing: &texts)
      }
    } ?? []
  }

  /// The array part as numbers, without a detour for each; nil when an element is none.
  public var numbers: [Double]? {
    withContent { state in
      var result: [Double] = []
      let count = lua_rawlen(state.L, -1)
      for i in 0..<count {
        lua_rawgeti(state.L, -1, lua_Integer(i + 1))
        defer { clua_pop(state.L, 1) }
        guard lua_type(state.L, -1) == LUA_TNUMBER else { return nil }
        result.append(clua_to_number(state.L, -1))
      }
      return result
    } ?? nil
  }

  /// Whether a script gave the table a metatable: then it is more than its fields.
  public var hasMetatable: Bool { withContent { lua_getmetatable($0.L, -1) != 0 } ?? false }

  /// The keys that are strings, in order.
  public var keys: [String] {
    pairs.compactMap { $0.key.string }
  }

  /// All keys and values: numbers and strings, each in order, then the rest as it comes.
  public var pairs: [(key: LuaValue, value: LuaValue)] {
    let found = withContent { state in
      var result: [(key: LuaValue, value: LuaValue)] = [], texts: [UnsafeRawPointer: String] = [:]
      lua_pushnil(state.L)
      while lua_next(state.L, -2) != 0 {
        let value = state.value(at: -1, sharing: &texts)
        clua_pop(state.L, 1)
        result.append((state.value(at: -1, sharing: &texts), value))
      }
      return result
    }
    return (found ?? []).sorted { Self.comes($0.key, before: $1.key) }
  }

  private static func comes(_ a: LuaValue, before b: LuaValue) -> Bool {
    func rank(_ key: LuaValue) -> Int { key.number != nil ? 0 : key.string != nil ? 1 : 2 }
    if rank(a) != rank(b) { return rank(a) < rank(b) }
    if let x = a.number, let y = b.number { return x < y }
    if let x = a.string, let y = b.string { return x < y }
    return false
  }

  /// Sets a field; with `nil`, removes it.
  public func set(_ key: String, _ value: LuaValue) throws {
    try withContentOrThrow { state in
      state.push(key)
      try state.push(value)
      lua_rawset(state.L, -3)
    }
  }

  public func append(_ value: LuaValue) throws {
    try withContentOrThrow { state in
      try state.push(value)
      lua_rawseti(state.L, -2, lua_Integer(lua_rawlen(state.L, -2)) + 1)
    }
  }

  /// Makes the table read-only for scripts, in place; assigning to it is an error that gives the reason.
  public func freeze(_ reason: String) {
    guard let state = reference.state, (try? state.reserveStack(8)) != nil else { return }
    clua_push_ref(state.L, reference.id)
    clua_freeze(state.L, -1, reason)
    clua_pop(state.L, 1)
  }

  public var isFrozen: Bool {
    guard let state = reference.state, (try? state.reserveStack(4)) != nil else { return false }
    clua_push_ref(state.L, reference.id)
    defer { clua_pop(state.L, 1) }
    return clua_is_frozen(state.L, -1)
  }

  /// Equal references: the same table, not the same content.
  public func isSame(as other: LuaTable) -> Bool { identity == other.identity }

  /// The table's address while it lives.
  var identity: UnsafeRawPointer? {
    guard let state = reference.state, (try? state.reserveStack(2)) != nil else { return nil }
    clua_push_ref(state.L, reference.id)
    defer { clua_pop(state.L, 1) }
    return lua_topointer(state.L, -1)
  }

  func push(on state: LuaState) throws {
    guard reference.state === state else { throw CompressError("this table belongs to another Lua state") }
    clua_push_ref(state.L, reference.id)
  }

  /// Runs `body` with the table's content on top of the stack, and restores the stack.
  func withContent<R>(_ body: (LuaState) throws -> R) rethrows -> R? {
    guard let state = reference.state, (try? state.reserveStack(8)) != nil else { return nil }
    let top = lua_gettop(state.L)
    defer { lua_settop(state.L, top) }
    clua_push_ref(state.L, reference.id)
    clua_push_content(state.L, -1)
    return try body(state)
  }

  private func withContentOrThrow(_ body: (LuaState) throws -> Void) throws {
    guard try withContent(body) != nil else { throw CompressError("the Lua state of this table is closed") }
  }
}

extension LuaState {
  /// A new table.
  public func makeTable(
    _ array: [LuaValue] = [], fields: KeyValuePairs<String, LuaValue> = [:]
  ) throws -> LuaTable {
    try reserveStack(4)
    lua_createtable(L, Int32(clamping: array.count), Int32(clamping: fields.count))
    let table = LuaTable(LuaReference(popping: self))
    for value in array { try table.append(value) }
    for (key, value) in fields { try table.set(key, value) }
    return table
  }
}
