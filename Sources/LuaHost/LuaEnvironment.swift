import CLuaBridge

/// The global variables of one chunk, or of several that share it. What is not in it is looked up among the globals
/// of the state, which scripts cannot change.
public struct LuaEnvironment {
  /// The variables themselves.
  public let variables: LuaTable

  var table: LuaValue { .table(variables) }

  public subscript(name: String) -> LuaValue { variables[name] }

  /// From now on assigning a global variable is an error that gives the reason.
  public func freeze(_ reason: String = "global variables are frozen after loading") {
    variables.freeze(reason)
  }
}

extension LuaState {
  public func makeEnvironment() -> LuaEnvironment {
    clua_push_environment(L)
    return LuaEnvironment(variables: LuaTable(LuaReference(popping: self)))
  }
}
