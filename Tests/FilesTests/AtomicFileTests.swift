import Diagnostics
import Foundation
import Testing

@testable import Files

struct AtomicFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
  func arraysComeBack(count: Int) throws {
    let path = try folder.file("a")
    try AtomicFile.write(testBytes(count), to: path)
    #expect(try bytes(of: path) == testBytes(count))
    #expect(try folder.names == ["a"])
  }

  @Test func otherCollectionsComeBack() throws {
    let path = try folder.file("b")
    try AtomicFile.write("grün".utf8, to: path)
    #expect(try bytes(of: path) == Array("grün".utf8))
    try AtomicFile.write(Data([1, 2, 3]), to: path)
    #expect(try bytes(of: path) == [1, 2, 3])
    try testBytes(9).withUnsafeBytes { try AtomicFile.write($0, to: path) }
    #expect(try bytes(of: path) == testBytes(9))
    try AtomicFile.write([3, 4].lazy.map { UInt8($0 * 2) }, to: path)
    #expect(try bytes(of: path) == [6, 8])
  }

  /// A device or a pipe of that name would be a file from then on.
  @Test func onlyFilesAreReplaced() throws {
    let path = try folder.file("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    let error = #expect(throws: CompressError.self) { try AtomicFile.write([1], to: path) }
    #expect(error?.file == path && error?.message.contains("no regular file") == true)
    var status = stat()
    #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    #expect(try folder.names == ["pipe"])
  }

  @Test func piecesKeepTheirOrder() throws {
    let path = try folder.file("c")
    var expected: [UInt8] = []
    try AtomicFile.write(to: path) { writer in
      for count in [3, 70_000, 0, 65_530, 10, 65_536, 1] {
        try writer.write(testBytes(count))
        expected += testBytes(count)
        #expect(writer.count == expected.count)
      }
      try writer.pad(to: 64)
      expected += [UInt8](repeating: 0, count: (64 - expected.count % 64) % 64)
      try writer.pad(to: 64)
      #expect(writer.count == expected.count)
    }
    #expect(try bytes(of: path) == expected)
  }

  @Test func aFailureLeavesTheOldFileAndNothingElse() throws {
    let path = try folder.file("d", [7])
    let error = try failure {
      try AtomicFile.write(to: path) { writer in
        try writer.write(testBytes(100_000))
        throw CompressError("no more")
      }
    }
    #expect(error == CompressError("no more"))
    #expect(try bytes(of: path) == [7])
    #expect(try folder.names == ["d"])
  }

  @Test func errorsOfOtherTypesPassThrough() throws {
    struct Other: Error {}
    #expect(throws: Other.self) { try AtomicFile.write(to: try folder.file("e")) { _ in throw Other() } }
    #expect(try folder.names.isEmpty)
  }

  @Test func aMissingFolderIsNamed() throws {
    let path = try folder.file("no/such")
    let error = try failure { try AtomicFile.write([1], to: path) }
    #expect(error.file == path)
    #expect(error.message == "cannot write: No such file or directory")
  }

  @Test func aFolderIsNotReplaced() throws {
    let path = try folder.file("f")
    try Folders.create(path)
    let error = try failure { try AtomicFile.write([1], to: path) }
    #expect(error.file == path)
    #expect(error.message.hasPrefix("cannot write: "))
    #expect(try folder.names == ["f"])
  }

  @Test func aReadOnlyFileSystemIsTheMachinesFault() throws {
    guard FileManager.default.fileExists(atPath: "/proc/self") else {
      print("SKIPPED: no /proc here, so no folder that refuses files")
      return
    }
    let error = try failure { try AtomicFile.write([1], to: "/proc/self/task/x") }
    #expect(error.description.hasPrefix("/proc/self/task/x: cannot write: "))
  }

  @Test func aFullDiskIsReported() throws {
    let device = open("/dev/full", O_WRONLY)
    guard device >= 0 else {
      print("SKIPPED: no /dev/full here, so a full disk is not tested")
      return
    }
    defer { close(device) }
    let writer = FileWriter(descriptor: device, path: "model.bin")
    try writer.write([1, 2, 3])
    let error = try failure { try writer.flush() }
    #expect(error.description == "model.bin: cannot write: No space left on device")
    #expect(error.kind == .system)
    #expect(try failure { try writer.write(testBytes(100_000)) }.kind == .system)
  }
}
