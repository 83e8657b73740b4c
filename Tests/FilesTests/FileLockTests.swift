import Foundation
import Testing

@testable import Files

@Suite struct FileLockTests {
  private let path = FileManager.default.temporaryDirectory.appendingPathComponent("compress-lock-\(UUID().uuidString)")
    .path

  @Test func exclusiveStandsAgainstAllSharedAgainstExclusiveOnly() throws {
    let a = try FileLock(path), b = try FileLock(path), c = try FileLock(path)
    defer { a.remove() }
    #expect(a.tryLock(.shared) && b.tryLock(.shared))
    #expect(!c.tryLock(.exclusive))
    a.unlock()
    b.unlock()
    #expect(c.tryLock(.exclusive))
    #expect(!a.tryLock(.shared) && !b.tryLock(.exclusive))
  }

  @Test func waitingEndsWithTheLockOrWithAnError() throws {
    struct Enough: Error {}
    let a = try FileLock(path), b = try FileLock(path)
    defer { a.remove() }
    #expect(a.tryLock(.exclusive))
    var rounds = 0
    #expect(throws: Enough.self) {
      try b.lock(.exclusive) {
        rounds += 1
        if rounds == 3 { throw Enough() }
      }
    }
    try b.lock(.exclusive) { a.unlock() }
    #expect(!a.tryLock(.shared))
  }

  @Test func aRemovedFileIsNoLongerCurrent() throws {
    let a = try FileLock(path)
    #expect(a.isCurrent)
    a.remove()
    #expect(!a.isCurrent)
    let b = try FileLock(path)
    defer { b.remove() }
    #expect(b.isCurrent && !a.isCurrent)
  }
}
