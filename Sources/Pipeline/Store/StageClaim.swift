import Diagnostics
import Files
import Foundation

/// That a process is computing a stage, so that others wait for its result rather than computing it too:
/// `locks/1234….lock` in the store, locked. It ends with `release`, or with the process.
final class StageClaim {
  private let path: String
  private var lock: FileLock?

  init(path: String) throws {
    self.path = path
    try Folders.create(Folders.parent(of: path))
  }

  /// False while somebody else has it.
  func tryClaim() -> Bool { (try? claimOnce()) ?? true }

  /// - Parameter waiting: runs again and again; what it throws ends the waiting.
  func claim(waiting: () throws -> Void) throws {
    var pause: UInt32 = 1000
    while try !claimOnce() {
      try waiting()
      usleep(pause)
      pause = min(pause * 2, 50_000)
    }
  }

  /// Whoever had it removes the file, so the name may lead to another one by now.
  private func claimOnce() throws -> Bool {
    let lock = try FileLock(path)
    guard lock.tryLock(.exclusive), lock.isCurrent else { return false }
    self.lock = lock
    return true
  }

  /// The stage is in the store, or will not be.
  func release() {
    lock?.remove()
    lock = nil
  }
}

extension StageStore {
  func claim(_ key: StageKey) throws -> StageClaim { try StageClaim(path: "\(root)/locks/\(key.digest).lock") }

  /// Claims that killed processes left: harmless, and in nobody's use.
  func removeUnheldClaims() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/locks")) ?? [] {
      guard let lock = try? FileLock("\(root)/locks/\(name)"), lock.tryLock(.exclusive) else { continue }
      lock.remove()
    }
  }
}
