import CLuaBridge
import Diagnostics

/// What a chunk keeps between calls of its functions, made constant once it is loaded: its global variables, the plain
/// tables it can reach, and the local variables around its functions.
///
/// Tables and globals refuse assignment at once. Lua cannot refuse it for local variables, so `check()` compares them
/// with what they were. Tables that have a metatable of the script's own, or serve as one, are left as they are: frozen
/// they would lose their metamethods.
public final class FrozenModule {
  private let name: String
  private let state: () -> LuaState?
  private var locals: [Local] = []
  private var seen: Set<UnsafeRawPointer> = []

  private struct Local {
    var name: String
    var function: LuaFunction
    var index: Int32
    var value: LuaReference
  }

  /// Freezes what can be reached from `environment` and from what the chunk returned.
  public init(_ environment: LuaEnvironment, results: [LuaValue] = [], name: String) throws {
    self.name = name
    let reference = environment.variables.reference
    state = { [weak state = reference.state] in state }
    var waiting = results + [environment.table]
    while let next = waiting.popLast() {
      switch next {
      case .table(let table): waiting += freeze(table, always: table.isSame(as: environment.variables))
      case .function(let function): waiting += try note(function)
      default: break
      }
    }
    seen = []
  }

  /// - Throws: a `CompressError` that names a local variable that is no longer what it was after loading.
  public func check() throws {
    guard let state = state() else { return }
    let top = lua_gettop(state.L)
    defer { lua_settop(state.L, top) }
    try state.reserveStack(4)
    for local in locals {
      try local.function.push(on: state)
      guard lua_getupvalue(state.L, -1, local.index) != nil else { continue }
      clua_push_ref(state.L, local.value.id)
      guard lua_rawequal(state.L, -1, -2) != 0 else {
        throw CompressError(
          "the module-level variable \"\(local.name)\" of \(name) was changed after loading",
          hint: "such variables are frozen; keep what accumulates in what the plugin's init returns")
      }
      lua_settop(state.L, top)
    }
  }

  private func freeze(_ table: LuaTable, always: Bool) -> [LuaValue] {
    guard let identity = table.identity, seen.insert(identity).inserted, !table.isFrozen,
      always || !table.hasMetatable
    else { return [] }
    let pairs = table.pairs
    if !pairs.contains(where: { $0.key.string?.hasPrefix("__") == true }) {
      table.freeze("what \(name) keeps is frozen after loading")
    }
    return pairs.flatMap { [$0.key, $0.value] }
  }

  /// Notes the local variables around a function; returns their values.
  private func note(_ function: LuaFunction) throws -> [LuaValue] {
    guard let state = state() else { return [] }
    let top = lua_gettop(state.L)
    defer { lua_settop(state.L, top) }
    try state.reserveStack(4)
    try function.push(on: state)
    let info = clua_inspect(state.L, top + 1)
    guard info.is_lua, let identity = lua_topointer(state.L, top + 1), seen.insert(identity).inserted else { return [] }
    var values: [LuaValue] = []
    for index in 1...max(1, info.upvalues) {
      guard let variable = lua_getupvalue(state.L, top + 1, index).map({ String(cString: $0) }),
        let cell = lua_upvalueid(state.L, top + 1, index)
      else { break }
      let value = state.value(at: -1)
      let held = LuaReference(popping: state)
      guard seen.insert(cell).inserted, variable != "_ENV", value.number?.isNaN != true else { continue }
      locals.append(Local(name: variable, function: function, index: index, value: held))
      values.append(value)
    }
    return values
  }
}
