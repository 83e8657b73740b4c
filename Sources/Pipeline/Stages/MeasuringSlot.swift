import Diagnostics
import Files
import Foundation
import Synchronization

/// Sees to it that nothing else computes while one of several processes measures.
///
/// Who computes shares a lock with the others; who wants to measure says so with a second one, which the others notice
/// at their next step, and waits until they have all let go of the first. Locks end with their processes, so nobody who
/// is killed keeps others waiting.
public final class MeasuringSlot: Sendable {
  /// Held by who measures or is about to.
  private let turn: FileLock
  /// Shared by all who compute.
  private let computing: FileLock
  private let isComputing = Atomic<Bool>(false)

  /// - Parameter folder: where the locks of this machine lie; made if need be.
  /// - Throws: `CompressError` when the system refuses.
  public init(in folder: String) throws {
    try Folders.create(folder)
    // Several machines may share the folder, and each measures by itself.
    let host = ProcessInfo.processInfo.hostName.filter { $0.isLetter || $0.isNumber || "-.".contains($0) }
    turn = try FileLock("\(folder)/\(host).turn")
    computing = try FileLock("\(folder)/\(host).computing")
  }

  /// Begins to compute, once nobody measures.
  ///
  /// - Parameter waiting: what it throws ends the waiting.
  public func enter(waiting: () throws -> Void = {}) throws {
    try turn.lock(.shared, waiting: waiting)
    defer { turn.unlock() }
    try computing.lock(.shared, waiting: waiting)
    isComputing.store(true, ordering: .relaxed)
  }

  private func leave() {
    computing.unlock()
    isComputing.store(false, ordering: .relaxed)
  }

  /// To be called at every step: waits while somebody measures.
  func yield(waiting: () throws -> Void) throws {
    guard isComputing.load(ordering: .relaxed) else { return }
    guard !turn.tryLock(.shared) else { return turn.unlock() }
    leave()
    try enter(waiting: waiting)
  }

  /// Runs `body` while no other process computes.
  func alone<R>(waiting: () throws -> Void, _ body: () throws -> R) throws -> R {
    try outside(waiting) {
      defer {
        computing.unlock()
        turn.unlock()
      }
      try turn.lock(.exclusive, waiting: waiting)
      try computing.lock(.exclusive, waiting: waiting)
      return try body()
    }
  }

  /// Runs `body`, which only waits, so that nobody who measures need wait for this process.
  func outside<R>(_ waiting: () throws -> Void, _ body: () throws -> R) throws -> R {
    leave()
    let result = Result { try body() }
    try enter(waiting: waiting)
    return try result.get()
  }
}
