import CLuaBridge
import Diagnostics

/// Values on and off Lua's stack. Nothing here can raise a Lua error (see bridge.h).
extension LuaState {
  func reserveStack(_ count: Int) throws {
    guard count < 1_000_000, lua_checkstack(L, Int32(count) + 8) != 0 else {
      throw CompressError("too many Lua values at once (\(count))", kind: .limit)
    }
  }

  func push(_ value: LuaValue) throws {
    switch value {
    case .nil: lua_pushnil(L)
    case .bool(let value): lua_pushboolean(L, value ? 1 : 0)
    case .integer(let value): lua_pushinteger(L, lua_Integer(value))
    case .number(let value): lua_pushnumber(L, value)
    case .string(let value): push(value)
    case .longString(let bytes): throw CompressError("a string of \(bytes) bytes cannot be handed back to Lua")
    case .table(let table): try table.push(on: self)
    case .function(let function): try function.push(on: self)
    case .object(let object): try pushObject(object)
    }
  }

  func push(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      _ = bytes.withMemoryRebound(to: CChar.self) { lua_pushlstring(L, $0.baseAddress, $0.count) }
    }
  }

  func push(_ name: String, _ body: @escaping Body) {
    clua_push_function(L, Unmanaged.passRetained(HostFunction(name, body)).toOpaque())
  }

  /// More than any name, path or line of text a script has for the host: 1 MiB.
  static let longestText = 1 << 20

  /// - Parameter texts: strings read before, so that one that occurs many times is copied once. Its keys are addresses:
  ///   to be used only while Lua holds those strings.
  func value(at index: Int32, sharing texts: inout [UnsafeRawPointer: String]) -> LuaValue {
    guard lua_type(L, index) == LUA_TSTRING, let address = lua_topointer(L, index) else { return value(at: index) }
    if let known = texts[address] { return .string(known) }
    let value = value(at: index)
    if case .string(let text) = value, text.utf8.count > 15 { texts[address] = text }
    return value
  }

  func value(at index: Int32) -> LuaValue {
    switch lua_type(L, index) {
    case LUA_TBOOLEAN: return .bool(lua_toboolean(L, index) != 0)
    case LUA_TNUMBER:
      return clua_is_integer(L, index)
        ? .integer(Int(clua_to_integer(L, index))) : .number(clua_to_number(L, index))
    case LUA_TSTRING:
      let bytes = Int(lua_rawlen(L, index))
      return bytes > Self.longestText ? .longString(bytes: bytes) : .string(text(at: index))
    case LUA_TTABLE:
      lua_pushvalue(L, index)
      return .table(LuaTable(LuaReference(popping: self)))
    case LUA_TFUNCTION:
      lua_pushvalue(L, index)
      return .function(LuaFunction(LuaReference(popping: self)))
    case LUA_TUSERDATA:
      guard let box = clua_to_object(L, index) else { return .nil }
      let instance = Unmanaged<LuaInstance>.fromOpaque(box).takeUnretainedValue()
      return .object(instance.object ?? ClosedObject(instance.className))
    default: return .nil
    }
  }

  /// The string at `index`, its UTF-8 repaired; empty for other values. Of a longer one the beginning.
  func text(at index: Int32, limit: Int = longestText) -> String {
    var length = 0
    guard let bytes = clua_to_bytes(L, index, &length) else { return "" }
    let text = String(decoding: UnsafeRawBufferPointer(start: bytes, count: min(length, limit)), as: UTF8.self)
    return length > limit ? text + "… (\(length - limit) bytes more)" : text
  }

  func popValue() -> LuaValue {
    defer { clua_pop(L, 1) }
    return value(at: -1)
  }

  /// The message of an error.
  func popText() -> String {
    defer { clua_pop(L, 1) }
    return text(at: -1, limit: Self.longestMessage)
  }

  /// Bytes of an error's text; a script may raise one of any length.
  static let longestMessage = 8 << 10
}
