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

  func value(at index: Int32) -> LuaValue {
    switch lua_type(L, index) {
    case LUA_TBOOLEAN: return .bool(lua_toboolean(L, index) != 0)
    case LUA_TNUMBER:
      return clua_is_integer(L, index)
        ? .integer(Int(clua_to_integer(L, index))) : .number(clua_to_number(L, index))
    case LUA_TSTRING: return .string(text(at: index))
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

  /// The string at `index`, its UTF-8 repaired; empty for other values.
  func text(at index: Int32) -> String {
    var length = 0
    guard let bytes = clua_to_bytes(L, index, &length) else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
  }

  func popValue() -> LuaValue {
    defer { clua_pop(L, 1) }
    return value(at: -1)
  }

  func popText() -> String {
    defer { clua_pop(L, 1) }
    return text(at: -1)
  }
}
