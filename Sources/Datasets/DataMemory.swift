import Diagnostics
import Synchronization

/// How much unpacked data may be held, all data sets of a run together. What is not packed or is decoded batch by batch
/// needs none of it. With a store, what was unpacked is mapped from there rather than held in memory, and counts as
/// much.
public final class DataMemory: Sendable {
  /// 2 GiB.
  public static let standardLimit = 1 << 31

  public let limit: Int
  let store: (any UnpackedStore)?
  private let used = Mutex(0)

  public init(limit: Int = standardLimit, store: (any UnpackedStore)? = nil) {
    self.limit = limit
    self.store = store
  }

  /// Bytes that are taken.
  public var inUse: Int { used.withLock { $0 } }

  /// Memory that is given back with the object.
  final class Reservation: Sendable {
    private let memory: DataMemory
    private let bytes: Int

    fileprivate init(_ memory: DataMemory, _ bytes: Int) {
      self.memory = memory
      self.bytes = bytes
    }

    deinit { memory.used.withLock { [bytes] in $0 -= bytes } }
  }

  /// - Throws: `CompressError` of kind `limit` when there is not so much left.
  func reserve(_ bytes: Int) throws -> Reservation {
    try used.withLock { used in
      guard bytes <= limit - used else {
        throw CompressError(
          "unpacked it has \(bytes) bytes; of the \(limit) that data may hold in memory \(used) are in use",
          kind: .limit,
          hint: "a file that is not compressed needs none; or allow more with --data-memory")
      }
      used += bytes
    }
    return Reservation(self, bytes)
  }
}
