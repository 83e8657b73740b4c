import CLuaBridge
import Synchronization

/// Stops what a state is running, from any thread; for Ctrl-C and the like.
public final class LuaInterrupt: Sendable {
  // The address as a number: the pointer itself is not Sendable. It is used under the lock only.
  private let address: Mutex<Int>

  init(_ L: OpaquePointer) { address = Mutex(Int(bitPattern: L)) }

  /// The running call fails with an error of kind `cancelled`, and so does every later one until `reset()`.
  public func cancel() { set(true) }

  public func reset() { set(false) }

  private func set(_ cancelled: Bool) {
    address.withLock { address in
      if let L = OpaquePointer(bitPattern: address) { clua_set_cancelled(L, cancelled) }
    }
  }

  func close() { address.withLock { $0 = 0 } }
}
