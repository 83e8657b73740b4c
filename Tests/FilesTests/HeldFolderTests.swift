import Diagnostics
import Foundation
import Testing

@testable import Files

@Suite struct HeldFolderTests {
  /// A folder that somebody prepared, beside what is not theirs.
  private let prepared: String
  private let outside: String
  private let base: String

  init() throws {
    base = NSTemporaryDirectory() + "/compress-held-" + UUID().uuidString
    (prepared, outside) = (base + "/prepared", base + "/outside")
    for path in [base, prepared, outside] { try Folders.create(path) }
    try Data("untouched".utf8).write(to: URL(fileURLWithPath: outside + "/secret"))
  }

  private func cleaned(_ body: () throws -> Void) throws {
    defer { try? FileManager.default.removeItem(atPath: base) }
    try body()
    #expect(try String(contentsOfFile: outside + "/secret", encoding: .utf8) == "untouched")
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["secret"])
  }

  private func error(_ body: () throws -> Void) throws -> CompressError {
    try #require(throws: CompressError.self) { try body() }
  }

  @Test func linksAreNeitherReadNorWrittenThrough() throws {
    try cleaned {
      symlink(outside + "/secret", prepared + "/log.txt")
      symlink(outside + "/new", prepared + "/dangling")
      symlink(outside, prepared + "/points")
      symlink(outside, prepared + "/\u{D4E}")
      let held = try HeldFolder(prepared)
      #expect(try error { _ = try held.contents("log.txt", limit: 100) }.message.contains("symbolic link"))
      #expect(try error { _ = try held.end(of: "log.txt", bytes: 10) }.message.contains("symbolic link"))
      #expect(try error { _ = try held.contents("points/secret", limit: 100) }.message.contains("symbolic link"))
      #expect(try error { try held.write([1], to: "points/secret") }.message.contains("symbolic link"))
      #expect(try error { _ = try held.lock("dangling") }.message.contains("symbolic link"))
      #expect(try error { _ = try held.folder("points") }.message.contains("symbolic link"))
      for name in ["../outside/secret", "/etc/passwd", "a//b", ".", "points/../x", ""] {
        #expect(try error { _ = try held.contents(name, limit: 100) }.message.contains("no name inside"), "\(name)")
      }
      // A slash that is no character of its own is one to the system.
      #expect(try error { _ = try held.contents("\u{D4E}/secret", limit: 100) }.message.contains("symbolic link"))
      #expect(try error { try held.checkPlain() }.message.contains("symbolic link"))
      let log = try held.begin("log.txt")
      #expect(write(log, "mine", 4) == 4)
      close(log)
      #expect(try held.contents("log.txt", limit: 100) == Array("mine".utf8))
      try held.write("whole".utf8, to: "dangling")
      #expect(try held.contents("dangling", limit: 100) == Array("whole".utf8))
    }
  }

  @Test func secondNamesOfFilesAreNotTaken() throws {
    try cleaned {
      link(outside + "/secret", prepared + "/artifact")
      let held = try HeldFolder(prepared)
      #expect(try error { _ = try held.contents("artifact", limit: 100) }.message.contains("2 names"))
      close(try held.begin("artifact"))
      #expect(try held.contents("artifact", limit: 100) == [])
    }
  }

  @Test(.timeLimit(.minutes(1))) func nobodyIsWaitedFor() throws {
    try cleaned {
      mkfifo(prepared + "/pipe", 0o600)
      let held = try HeldFolder(prepared)
      #expect(try error { _ = try held.contents("pipe", limit: 100) }.message == "not a regular file")
      #expect(try error { _ = try held.lock("pipe") }.message == "not a regular file")
      #expect(try error { try held.checkPlain() }.message.contains("neither a file nor a folder"))
      close(try held.begin("pipe"))
    }
  }

  @Test func whatIsPlainIsReadAndWritten() throws {
    try cleaned {
      let held = try HeldFolder(prepared)
      #expect(try held.contents("a/b/c", limit: 1) == nil && !held.has("a"))
      try held.write([1, 2, 3], to: "a/b/c", mode: 0o600)
      #expect(try held.contents("a/b/c", limit: 3) == [1, 2, 3] && held.has("a/b/c"))
      var status = stat()
      #expect(stat(prepared + "/a/b/c", &status) == 0 && status.st_mode & 0o777 == 0o600)
      #expect(try error { _ = try held.contents("a/b/c", limit: 2) }.kind == .limit)
      #expect(try held.end(of: "a/b/c", bytes: 2) == [2, 3])
      try held.checkPlain()
      let lock = try held.lock(".lock")
      #expect(lock.tryLock(.exclusive))
      try held.remove("a/b/c")
      #expect(!held.has("a/b/c"))
    }
  }

  @Test func locksAndPrivateFiles() throws {
    try cleaned {
      symlink(outside + "/new", prepared + "/link.lock")
      #expect(throws: CompressError.self) { try FileLock(prepared + "/link.lock") }
      let path = prepared + "/store"
      try Data().write(to: URL(fileURLWithPath: path))
      chmod(path, 0o644)
      try Folders.makePrivateFile(path)
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
      chmod(prepared, 0o755)
      try Folders.keepPrivate(prepared)
      #expect(stat(prepared, &status) == 0 && status.st_mode & 0o777 == 0o700)
    }
  }
}

@Suite struct BoundedJSONTests {
  private func refusal(_ text: String, values: Int = 100, depth: Int = 32) -> String? {
    do {
      try BoundedJSON.check(Array(text.utf8), values: values, depth: depth)
      return nil
    } catch { return (error as? CompressError)?.message }
  }

  @Test func countsWhatADecoderWouldKeep() {
    #expect(refusal(#"{"a": [1, 2, {"b": "}]}]["}]}"#, values: 12, depth: 3) == nil)
    #expect(refusal("[" + String(repeating: "0,", count: 100) + "0]") == "JSON of more than 100 values")
    #expect(refusal(String(repeating: "[", count: 40)) == "JSON nested more than 32 deep")
    #expect(refusal(String(repeating: "[]", count: 40)) == nil)
    // In a text nothing counts, and an escaped quotation mark does not end it.
    #expect(refusal("\"" + String(repeating: #"\"[,"#, count: 1000) + "\"") == nil)
    #expect(refusal("\"\\") == nil && refusal("") == nil)
  }
}

@Suite struct WriteBudgetTests {
  @Test func whatIsLeft() throws {
    let budget = WriteBudget(bytes: 10, files: 2, purpose: "saved", hint: "allow more")
    try budget.take(bytes: 6, files: 1)
    let error = try #require(throws: CompressError.self) { try budget.take(bytes: 5) }
    #expect(error.kind == .limit && error.description == "saved: 5 bytes, and 4 of 10 are left\n  hint: allow more")
    try budget.take(bytes: 4, files: 1)
    #expect(throws: CompressError.self) { try budget.take(bytes: 0, files: 1) }
    try budget.take(bytes: 0)
  }

  @Test func aFileBeyondItsLimitIsNotThere() throws {
    let folder = NSTemporaryDirectory() + "/compress-limit-" + UUID().uuidString
    try Folders.create(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write([1, 2, 3], to: folder + "/f")
    let error = try #require(throws: CompressError.self) {
      try AtomicFile.write(to: folder + "/f", limit: 100) { for _ in 0..<101 { try $0.write([0] as [UInt8]) } }
    }
    #expect(error.kind == .limit && error.file == folder + "/f")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["f"])
    #expect(try Folders.size(ofFile: folder + "/f") == 3)
  }
}
