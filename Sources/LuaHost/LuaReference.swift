import CLuaBridge
import Synchronization

/// Keeps one Lua value alive from Swift, by an entry in the state's registry.
final class LuaReference {
  let id: Int32
  weak var state: LuaState?
  private let released: ReleasedReferences

  /// Takes the value on top of the stack.
  init(popping state: LuaState) {
    self.state = state
    released = state.released
    id = clua_ref(state.L)
  }

  deinit { released.add(id) }
}

/// Registry entries to be given back. A reference may die inside Lua's collector, or on another thread, where Lua
/// must not be entered; the state gives them back when it next runs.
final class ReleasedReferences: Sendable {
  private let ids = Mutex<[Int32]>([])

  func add(_ id: Int32) { ids.withLock { $0.append(id) } }

  func takeAll() -> [Int32] {
    ids.withLock { ids in
      defer { ids.removeAll(keepingCapacity: true) }
      return ids
    }
  }
}
