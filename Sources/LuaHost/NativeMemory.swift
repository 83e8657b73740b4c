import CLuaBridge
import Diagnostics

/// Host bytes behind the objects that Lua holds; Lua's collector cannot see them.
///
/// A class of its own, because objects report their end while their state is being closed.
final class NativeMemory {
  let limit: Int
  private(set) var used = 0
  /// How many objects hold each piece of shared memory.
  private var holders: [ObjectIdentifier: Int] = [:]
  /// When `used` passes this, it is worth a collection.
  private var threshold = NativeMemory.step
  private static let step = 64 << 20

  init(limit: Int) { self.limit = limit }

  func add(_ bytes: Int) { used = used.addingReportingOverflow(bytes).overflow ? .max : used + bytes }
  func remove(_ bytes: Int) { used = max(0, used - bytes) }

  func add(_ part: SharedMemory) {
    holders[part.identity, default: 0] += 1
    if holders[part.identity] == 1 { add(part.bytes) }
  }

  func remove(_ part: SharedMemory) {
    guard let count = holders[part.identity] else { return }
    holders[part.identity] = count == 1 ? nil : count - 1
    if count == 1 { remove(part.bytes) }
  }

  func hasRoom(for bytes: Int) -> Bool { bytes <= limit && used <= limit - bytes }

  var wantsCollection: Bool { used > threshold }
  func collected() { threshold = used > .max / 2 ? .max : max(2 * used, used + Self.step) }
}

/// Host memory that several objects may hold: it counts once. Whoever names it keeps its owner alive.
public struct SharedMemory {
  let identity: ObjectIdentifier
  let bytes: Int

  /// - Parameter owner: tells this memory from other memory; alive as long as any object that names it.
  public init(_ owner: AnyObject, bytes: Int) {
    identity = ObjectIdentifier(owner)
    self.bytes = bytes
  }
}

extension LuaState {
  /// Host bytes behind the objects scripts hold.
  public var nativeBytes: Int { native.used }

  /// To be called before allocating for scripts; what they no longer reach is freed first when there is no room.
  ///
  /// - Throws: a `CompressError` of kind `limit`, which scripts cannot catch.
  public func reserveNative(bytes: Int) throws {
    if native.hasRoom(for: max(0, bytes)) { return }
    collectNative()
    guard native.hasRoom(for: bytes) else {
      throw CompressError(
        "tensors would need \(bytes) bytes more; \(native.used) of the \(native.limit) allowed are in use",
        kind: .limit)
    }
  }

  /// Host bytes that scripts may still take, what they no longer reach being freed.
  public func nativeRoom() -> Int {
    collectNative()
    return max(0, native.limit - native.used)
  }

  /// Counts host memory that stays until the state ends, such as what a script recorded.
  ///
  /// - Throws: a `CompressError` of kind `limit`, which scripts cannot catch.
  public func keepNative(bytes: Int) throws {
    try reserveNative(bytes: bytes)
    native.add(bytes)
  }

  func collectNative() {
    collectGarbage()
    native.collected()
  }
}
