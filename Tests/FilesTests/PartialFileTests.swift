import Diagnostics
import Foundation
import Testing

@testable import Files

struct PartialFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }
  var target: String { folder.path + "/data.gz" }

  func append(_ bytes: [UInt8], _ part: PartialFile) throws { try bytes.withUnsafeBytes { try part.append($0) } }
  func content(_ part: PartialFile) throws -> [UInt8] {
    var all: [UInt8] = []
    try part.read { all += $0 }
    return all
  }

  @Test func itGrowsOverSeveralLives() throws {
    do {
      let part = try PartialFile(for: target)
      #expect(part.count == 0)
      try append([1, 2, 3], part)
      #expect(try content(part) == [1, 2, 3])
      try append([4], part)
    }
    let part = try PartialFile(for: target)
    #expect(part.count == 4)
    #expect(part.path == folder.path + "/.data.gz.part")
    #expect(!Folders.isFile(target))
    try append([5], part)
    try part.publish()
    #expect(FileManager.default.contents(atPath: target) == Data([1, 2, 3, 4, 5]))
    #expect(!Folders.isFile(part.path))
  }

  @Test func clearedItBeginsAnew() throws {
    let part = try PartialFile(for: target)
    try append([1, 2, 3], part)
    try part.clear()
    try append([9], part)
    #expect(part.count == 1)
    #expect(try content(part) == [9])
    part.discard()
    #expect(!Folders.isFile(part.path))
  }

  @Test func oneAtATime() throws {
    let first = try PartialFile(for: target)
    let error = try #require(throws: CompressError.self) { _ = try PartialFile(for: target) }
    #expect(error.description == "\(target): another process is fetching it")
    try first.publish()
    // Finished, it is nobody's any more: another begins at nothing, and leaves the finished one alone.
    let second = try PartialFile(for: target)
    #expect(second.count == 0)
    try append([7], second)
    #expect(try Folders.size(ofFile: target) == 0)
  }

  @Test func aLinkIsNotFollowed() throws {
    try AtomicFile.write([1], to: folder.path + "/other")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/.data.gz.part", withDestinationPath: folder.path + "/other")
    #expect(throws: CompressError.self) { _ = try PartialFile(for: target) }
    #expect(try Folders.size(ofFile: folder.path + "/other") == 1)
  }
}
