import CLuaBridge

/// The global variables of one chunk, or of several that share it. What is not in it is looked up among the globals
/// of the state, which scripts cannot change.
public struct LuaEnvironment {
  /// The variables themselves.
  public let variables: LuaTable

  var table: LuaValue { .table(variables) }

  public subscript(name: String) -> LuaValue { variables[name] }

  /// From now on a script that assigns a global variable gets an error that says `what` is read-only.
  public func freeze(as what: String = "a global variable is written after loading, and this environment") {
    variables.freeze(as: what)
  }
}

extension LuaState {
  public func makeEnvironment() -> LuaEnvironment {
    clua_push_environment(L)
    return LuaEnvironment(variables: LuaTable(LuaReference(popping: self)))
  }
}
