import Diagnostics
import Foundation
import Testing

@testable import Files

struct TarReaderTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  static func entry(_ path: String, _ bytes: [UInt8], type: Character = "0", prefix: String = "") -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
    }
    func octal(_ value: Int, _ width: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: width - digits.count) + digits
    }
    put(path, at: 0)
    put(octal(bytes.count, 11), at: 124)
    put("        ", at: 148)
    put(String(type), at: 156)
    put("ustar\u{0}00", at: 257)
    put(prefix, at: 345)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
    return header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
  }

  static let end = [UInt8](repeating: 0, count: 1024)

  func open(_ bytes: [UInt8]) throws -> TarReader {
    let path = folder.path + "/a.tar"
    try AtomicFile.write(bytes, to: path)
    return try TarReader(path)
  }

  func all(_ bytes: [UInt8]) throws -> [String: [UInt8]] {
    let reader = try open(bytes)
    var files: [String: [UInt8]] = [:]
    while let entry = try reader.next() {
      var content: [UInt8] = []
      try reader.read { content += $0 }
      #expect(content.count == entry.size)
      files[entry.path] = content
    }
    return files
  }

  @Test(arguments: [false, true])
  func filesComeBack(gzipped: Bool) throws {
    let a = [UInt8](repeating: 1, count: 700), b = [UInt8](repeating: 2, count: 512)
    let bytes =
      Self.entry("folder/", [], type: "5") + Self.entry("./folder/a", a) + Self.entry("link", [], type: "2")
      + Self.entry("b", b, prefix: "long/er") + Self.entry("empty", []) + Self.end
    let files = try all(gzipped ? bytes.withUnsafeBytes { try Gzip.deflate($0) } : bytes)
    #expect(files == ["folder/a": a, "long/er/b": b, "empty": []])
  }

  @Test func whatIsNotReadIsPassedOver() throws {
    let reader = try open(
      Self.entry("a", [UInt8](repeating: 1, count: 70_000)) + Self.entry("b", [9]) + Self.end)
    #expect(try reader.next()?.path == "a")
    #expect(try reader.next()?.path == "b")
    #expect(try reader.next() == nil)
  }

  @Test(arguments: ["../a", "x/../../a", "..", "/etc/passwd", "./../a"])
  func namesThatLeadOut(name: String) throws {
    let error = try #require(throws: CompressError.self) { try all(Self.entry(name, [1]) + Self.end) }
    #expect(error.message.contains("leads out of the archive"))
    #expect(error.file == folder.path + "/a.tar")
  }

  @Test func broken() throws {
    func message(_ bytes: [UInt8]) throws -> String {
      try #require(throws: CompressError.self) { try all(bytes) }.message
    }
    let whole = Self.entry("a", [UInt8](repeating: 1, count: 700))
    #expect(try message([]) == "the archive is cut off after 0 bytes")
    #expect(try message(whole) == "the archive is cut off after 1536 bytes", "it does not end")
    #expect(try message(Array(whole.prefix(600))).hasPrefix("the archive is cut off after 600 bytes"))
    #expect(try message(Array(whole.prefix(300))) == "the archive is cut off after 300 bytes")
    var damaged = whole
    damaged[0] ^= 1
    #expect(try message(damaged + Self.end).hasPrefix("at byte 0: no tar header (checksum"))
    #expect(try message(Self.entry("a", [], type: "x") + Self.end).contains("type 120, which is not understood"))
    #expect(try message(Self.entry("a", [], type: "L") + Self.end).contains("not understood"))
    #expect(try message([UInt8](repeating: 65, count: 512)).contains("its checksum is no number"))
  }

  @Test func whatIsWrittenIsRead() throws {
    let folder = try TemporaryFolder(), path = folder.path + "/a.tar"
    let files: [(name: String, bytes: [UInt8])] = [
      ("job", Array("plans 1\n".utf8)), ("none", []), ("1.cmpx", [UInt8](repeating: 7, count: 1024)),
      (String(repeating: "n", count: 99), [UInt8](repeating: 9, count: 513)),
    ]
    var archive: [UInt8] = []
    for (name, bytes) in files {
      archive += TarHeader.bytes(name: name, size: bytes.count, isExecutable: name == "job") + bytes
      archive += TarHeader.padding(behind: bytes.count)
    }
    try Data(archive + TarHeader.end).write(to: URL(fileURLWithPath: path))
    let reader = try TarReader(path)
    for (name, bytes) in files {
      let entry = try #require(try reader.next())
      #expect(entry.path == name && entry.size == bytes.count)
      var read: [UInt8] = []
      try reader.read { read += $0 }
      #expect(read == bytes)
    }
    #expect(try reader.next() == nil)
  }
}
