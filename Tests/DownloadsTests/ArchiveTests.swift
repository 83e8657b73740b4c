import Diagnostics
import Files
import Foundation
import Testing

@testable import Downloads

/// A data set that comes as one archive.
struct ArchiveTests {
  let folder = NSTemporaryDirectory() + "/compress-archives-" + UUID().uuidString
  static let a = [UInt8](repeating: 1, count: 700), b = [UInt8](repeating: 2, count: 512)

  static func tar(_ entries: [(path: String, bytes: [UInt8])]) throws -> [UInt8] {
    let all = entries.flatMap { tarEntry($0.path, $0.bytes) } + [UInt8](repeating: 0, count: 1024)
    return try all.withUnsafeBytes { try Gzip.deflate($0) }
  }

  static func data(_ archive: [UInt8]) -> PublishedDataset {
    PublishedDataset(
      name: "set", summary: "", mirrors: [],
      files: [PublishedFile("set.tar.gz", bytes: archive.count, sha256: DownloaderTests.sha256(archive))],
      members: [.init(path: "in/a.bin", bytes: 700), .init(path: "in/b.bin", bytes: 512)])
  }

  func fetch(_ archive: [UInt8]) throws -> (result: Downloader.Result, requests: Int) {
    let server = try Server { .file(archive, $0) }
    var downloader = Downloader()
    downloader.mirrors = [server.address]
    let result = try downloader.fetch(Self.data(archive), into: folder)
    return (result, server.requests.count)
  }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }

  @Test func membersAreUnpackedAndVerifiedLater() throws {
    let archive = try Self.tar([("in/readme.html", [9]), ("in/b.bin", Self.b), ("in/a.bin", Self.a), ("x/a.bin", [3])])
    let first = try fetch(archive)
    #expect(first.result.fetched == ["a.bin", "b.bin"])
    #expect(names == ["SHA256SUMS", "a.bin", "b.bin"])
    #expect(FileManager.default.contents(atPath: folder + "/a.bin") == Data(Self.a))
    #expect(FileManager.default.contents(atPath: folder + "/b.bin") == Data(Self.b))
    let second = try fetch(archive)
    #expect(second.result.present == ["a.bin", "b.bin"])
    #expect(second.requests == 0)
    try AtomicFile.write([UInt8](repeating: 3, count: 512), to: folder + "/b.bin")
    #expect(try fetch(archive).requests == 1)
    #expect(FileManager.default.contents(atPath: folder + "/b.bin") == Data(Self.b))
  }

  @Test(arguments: [
    ([("in/a.bin", a)], "in/b.bin is not in the archive"),
    ([("in/a.bin", b), ("in/b.bin", b)], "in/a.bin has 512 bytes, not 700"),
    ([("in/a.bin", a), ("in/a.bin", a), ("in/b.bin", b)], "is there twice"),
    ([("in/../../b.bin", b), ("in/a.bin", a)], "leads out of the archive"),
    ([("/in/b.bin", b), ("in/a.bin", a)], "leads out of the archive"),
  ])
  func otherArchivesAreRefused(entries: [(String, [UInt8])], message: String) throws {
    let archive = try Self.tar(entries)
    let error = try #require(throws: CompressError.self) { _ = try fetch(archive) }
    #expect(error.message.contains(message), "\(error)")
    #expect(error.file == folder + "/set.tar.gz")
    #expect(!names.contains("SHA256SUMS"))
  }
}

/// One file of a tar archive: header, content, padding.
func tarEntry(_ path: String, _ bytes: [UInt8], type: Character = "0") -> [UInt8] {
  var header = [UInt8](repeating: 0, count: 512)
  func put(_ text: String, at offset: Int) {
    header.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
  }
  func octal(_ value: Int, _ width: Int) -> String {
    let digits = String(value, radix: 8)
    return String(repeating: "0", count: width - digits.count) + digits
  }
  put(path, at: 0)
  put(
    "0000644\0" + "0000000\0" + "0000000\0" + octal(bytes.count, 11) + "\0" + octal(0, 11) + "\0" + "        ", at: 100)
  put(String(type), at: 156)
  put("ustar\u{0}00", at: 257)
  put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
  return header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
}
