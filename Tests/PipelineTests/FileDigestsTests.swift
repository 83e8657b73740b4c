import Files
import Foundation
import Testing

@testable import Pipeline

struct FileDigestsTests {
  /// Remembered, but never for a file that has changed, even one of the same size.
  @Test func aChangedFileHasAnotherDigest() throws {
    let path = NSTemporaryDirectory() + "/compress-digest-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    let digests = FileDigests()
    for bytes: [UInt8] in [[1, 2, 3], [1, 2, 4], [], [1, 2, 3]] {
      try AtomicFile.write(bytes, to: path)
      #expect(try digests.digest(of: path) == Digest.of(bytes))
      #expect(try digests.digest(of: path) == Digest.of(bytes))
    }
    let before = try digests.digest(of: path)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.write(contentsOf: Data([9, 9, 9]))
    try handle.close()
    #expect(try digests.digest(of: path) != before)
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: (any Error).self) { try digests.digest(of: path) }
  }
}
