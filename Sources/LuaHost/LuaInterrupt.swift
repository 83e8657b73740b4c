import CLuaBridge
import Diagnostics
import Synchronization

/// Stops what a state is running, from any thread; for Ctrl-C and the like.
public final class LuaInterrupt: Sendable {
  private struct Running {
    // The address as a number: the pointer itself is not Sendable. It is used under the lock only.
    var address: Int
    var isCancelled = false
    /// What the host functions of the outermost call under way listen to.
    var work: Cancellation?
  }

  private let running: Mutex<Running>

  init(_ L: OpaquePointer) { running = Mutex(Running(address: Int(bitPattern: L))) }

  /// The running call fails with an error of kind `cancelled`, and so does every later one until `reset()`.
  public func cancel() { set(true) }

  public func reset() { set(false) }

  private func set(_ cancelled: Bool) {
    let work = running.withLock { running in
      running.isCancelled = cancelled
      if let L = OpaquePointer(bitPattern: running.address) { clua_set_cancelled(L, cancelled) }
      return running.work
    }
    if cancelled { work?.request() }
  }

  /// A request to stop for the host functions of a new outermost call.
  func begin() -> Cancellation {
    let work = Cancellation()
    let isCancelled = running.withLock { running in
      running.work = work
      return running.isCancelled
    }
    if isCancelled { work.request() }
    return work
  }

  /// The outermost call has ended.
  func end() { running.withLock { $0.work = nil } }

  /// The call has passed a limit: its host functions are to return early. Lua hears of it through its hook.
  func stopHostFunctions() { running.withLock { $0.work }?.request() }

  func close() { running.withLock { $0.address = 0 } }
}
