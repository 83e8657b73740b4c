import Foundation
import Testing

@testable import Files

struct GzipTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func deflated(_ bytes: [UInt8], level: Int = 9) throws -> [UInt8] {
    try bytes.withUnsafeBytes { try Gzip.deflate($0, level: level) }
  }

  func inflated(_ bytes: [UInt8], limit: Int = .max) throws -> [UInt8] {
    try bytes.withUnsafeBytes { try Gzip.inflate($0, limit: limit) }
  }

  /// What `gzip` makes of a file; nil, said aloud, where there is none.
  func systemGzip(_ arguments: [String], _ path: String) throws -> [UInt8]? {
    guard let tool = ["/bin/gzip", "/usr/bin/gzip"].first(where: FileManager.default.isExecutableFile) else {
      print("SKIPPED: no gzip on this machine to compare with")
      return nil
    }
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments + ["-c", path]
    process.standardOutput = output
    try process.run()
    let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return bytes
  }

  @Test(arguments: [0, 1, 100, 65_536, 300_000], [0, 1, 9])
  func roundTrip(count: Int, level: Int) throws {
    let packed = try deflated(testBytes(count), level: level)
    #expect(packed[4..<8].allSatisfy { $0 == 0 }, "no time in the header")
    #expect(try inflated(packed) == testBytes(count))
  }

  @Test func membersFollowEachOther() throws {
    let packed = try deflated([1, 2]) + deflated([]) + deflated([3])
    #expect(try inflated(packed) == [1, 2, 3])
  }

  @Test func theLimitHolds() throws {
    let packed = try deflated(testBytes(100_000))
    #expect(try inflated(packed, limit: 100_000).count == 100_000)
    let error = try failure { try inflated(packed, limit: 99_999) }
    #expect(error.message == "inflates to more than the limit of 99999 bytes")
    #expect(error.kind == .limit)
  }

  @Test func manyMembersDoNotPassTheLimit() throws {
    let packed = Array(repeatElement(try deflated([UInt8](repeating: 0, count: 50_000)), count: 100).joined())
    #expect(try failure { try inflated(packed, limit: 1_000_000) }.kind == .limit)
  }

  @Test func everyTruncationIsNoticed() throws {
    let packed = try deflated(testBytes(300))
    for count in packed.indices {
      let error = try failure { try inflated(Array(packed[..<count])) }
      #expect(error.message.hasPrefix("the gzip stream is cut off after \(count) bytes"))
    }
  }

  @Test func corruptionIsNoticed() throws {
    let content = testBytes(300), packed = try deflated(content)
    // The header's flags, time and system do not matter to the content; everything after it does.
    for index in 10..<packed.count {
      var broken = packed
      broken[index] ^= 0x10
      // The last byte before the checksum may end in bits that say nothing.
      let survivor = try? inflated(broken)
      #expect(survivor == nil || (survivor == content && index == packed.count - 9), "byte \(index)")
    }
    #expect(try failure { try inflated([1, 2, 3, 4]) }.message.contains("broken"))
  }

  @Test func somethingElseAfterwardsIsNoticed() throws {
    let error = try failure { try inflated(try deflated([1]) + [0, 0, 0]) }
    #expect(error.message == "3 bytes of something else follow the gzip stream")
  }

  @Test func errorsNameTheFile() throws {
    let path = try folder.file("a.gz", Array(try deflated(testBytes(300)).dropLast(5)))
    #expect(try failure { try Gzip.inflate(file: path, limit: 1000) }.file == path)
    #expect(try failure { try Gzip.inflate(file: path + "x", limit: 1000) }.file == path + "x")
  }

  @Test(arguments: [0, 1, 5_000, 262_143, 262_144, 262_145, 700_000])
  func sizesAgree(count: Int) throws {
    let path = try folder.file("b", testBytes(count))
    let size = try deflated(testBytes(count)).count
    #expect(try Gzip.compressedSize(ofFile: path) == size)
    #expect(try testBytes(count).withUnsafeBytes { try Gzip.compressedSize(of: $0) } == size)
  }

  @Test func levelsOutsideAreRefused() throws {
    #expect(try failure { try deflated([1], level: 10) }.message == "gzip levels go from 0 to 9, not 10")
  }

  @Test func gzipReadsOursAndWeReadIts() throws {
    let content = testBytes(400_000)
    let plain = try folder.file("c", content), packed = try folder.file("d.gz", try deflated(content))
    if let theirs = try systemGzip(["-9", "-n"], plain) {
      #expect(try inflated(theirs) == content)
      // GNU gzip cuts its blocks elsewhere.
      let ours = try Gzip.compressedSize(ofFile: plain)
      #expect(abs(ours - theirs.count) * 50 <= theirs.count, "ours \(ours), gzip's \(theirs.count)")
    }
    if let unpacked = try systemGzip(["-d"], packed) { #expect(unpacked == content) }
  }

  @Test func decodedFilesReadInPieces() throws {
    let content = testBytes(200_000)
    for path in [try folder.file("e", content), try folder.file("f.gz", try deflated(content))] {
      let file = try DecodedFile(path)
      #expect(file.isCompressed == path.hasSuffix(".gz"))
      #expect(file.largestCount >= content.count)
      var out: [UInt8] = [], piece = [UInt8](repeating: 0, count: 70_001)
      while true {
        let count = try piece.withUnsafeMutableBytes { try file.read(into: $0) }
        if count == 0 { break }
        out += piece[..<count]
      }
      #expect(out == content)
    }
    #expect(try DecodedFile(try folder.file("g", [])).largestCount == 0)
  }
}
