import CLuaBridge
import Diagnostics

/// A Lua function, kept alive as long as this refers to it. It does not keep its state alive.
public struct LuaFunction {
  let reference: LuaReference

  init(_ reference: LuaReference) { self.reference = reference }

  /// Calls the function; see `LuaState.call(_:_:instructions:)`.
  @discardableResult
  public func call(_ arguments: LuaValue..., instructions: Int? = nil) throws -> [LuaValue] {
    try owner().call(self, arguments, instructions: instructions)
  }

  func owner() throws -> LuaState {
    guard let state = reference.state else { throw CompressError("the Lua state of this function is closed") }
    return state
  }

  func push(on state: LuaState) throws {
    guard reference.state === state else { throw CompressError("this function belongs to another Lua state") }
    clua_push_ref(state.L, reference.id)
  }
}

extension LuaFunction {
  /// Where the function stands in its chunk; nil for host functions.
  public var location: (script: String, lines: ClosedRange<Int>)? {
    guard let state = reference.state, (try? state.reserveStack(2)) != nil else { return nil }
    clua_push_ref(state.L, reference.id)
    defer { clua_pop(state.L, 1) }
    let info = clua_inspect(state.L, -1)
    guard info.is_lua else { return nil }
    let first = max(1, Int(info.first_line))
    return (String(cString: info.source), first...max(first, Int(info.last_line)))
  }
}
