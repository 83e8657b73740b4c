import Foundation
import Testing

@testable import Files

struct LeftoverTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func theNextWriteRemovesWhatNobodyHolds() throws {
    _ = try folder.file(".compress-dead.tmp", [1])
    let living = try folder.file(".compress-living.tmp", [2])
    for other in [".compress-x", "compress-y.tmp", "z.tmp"] { _ = try folder.file(other, [3]) }
    let holder = try FileDescriptor(living, O_RDONLY, action: "read")
    #expect(flock(holder.number, LOCK_EX) == 0)
    try AtomicFile.write([7], to: try folder.file("a"))
    #expect(try folder.names == [".compress-living.tmp", ".compress-x", "a", "compress-y.tmp", "z.tmp"])
  }

  @Test func aFileBeingWrittenIsNoLeftover() throws {
    let path = try folder.file("a")
    try AtomicFile.write(to: path) { writer in
      Leftovers.sweep(folder.path, where: { $0.hasSuffix(".tmp") }) { unlink($0) }
      try writer.write([1, 2, 3])
    }
    #expect(try bytes(of: path) == [1, 2, 3])
  }

  @Test func linksAreNotFollowed() throws {
    let target = try folder.file("target", [1])
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/.compress-link.tmp", withDestinationPath: target)
    try AtomicFile.write([7], to: try folder.file("a"))
    #expect(try bytes(of: target) == [1])
  }

  @Test func scratchFoldersGoWithTheirObjectOrWithTheNext() throws {
    let dead = folder.path + "/compress-scratch-dead"
    try Folders.create(dead)
    _ = try folder.file("compress-scratch-dead/report.json", [1])
    let first = try ScratchFolder(in: folder.path)
    #expect(!Folders.exists(dead))
    _ = try ScratchFolder(in: folder.path)
    #expect(Folders.exists(first.path))
    #expect(try FileManager.default.attributesOfItem(atPath: first.path)[.posixPermissions] as? Int == 0o700)
    try AtomicFile.write([1], to: first.path + "/a")
    let path = first.path
    withExtendedLifetime(first) {}
    #expect(try folder.names == [URL(fileURLWithPath: path).lastPathComponent])
  }
}
