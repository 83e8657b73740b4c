import Foundation
import Testing

@testable import Files

struct MappedFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [0, 1, 4096, 100_001])
  func wholeFilesAreMapped(count: Int) throws {
    let file = try MappedFile(try folder.file("a", testBytes(count)))
    #expect(Array(file.bytes) == testBytes(count))
    #expect(Int(bitPattern: file.bytes.baseAddress) % 4096 == 0)
  }

  @Test func theContentOutlivesTheName() throws {
    let path = try folder.file("b", [1, 2, 3])
    let file = try MappedFile(path)
    try AtomicFile.write([9], to: path)
    #expect(Array(file.bytes) == [1, 2, 3])
  }

  @Test func theLimitIsInclusive() throws {
    let path = try folder.file("c", testBytes(10))
    #expect(try MappedFile(path, limit: 10).bytes.count == 10)
    let error = try failure { try MappedFile(path, limit: 9) }
    #expect(error.description == "\(path): the file has 10 bytes; the limit is 9")
    #expect(error.kind == .limit)
  }

  @Test func missingFilesAreTheUsersToMend() throws {
    let path = try folder.file("none")
    let error = try failure { try MappedFile(path) }
    #expect(error.description == "\(path): cannot read: No such file or directory")
    #expect(error.kind == .input)
  }

  @Test func onlyRegularFilesAreOpened() throws {
    let pipe = try folder.file("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    for path in [folder.path, pipe, "/dev/null"] {
      let error = try failure { try MappedFile(path) }
      #expect(error.description == "\(path): not a regular file")
    }
  }

  /// Of whatever part: what is let go of is there when it is read again.
  @Test func whatWasReleasedIsReadAgain() throws {
    let content = testBytes(5 * 4096 + 17)
    let file = try MappedFile(try folder.file("a", content))
    for part in [0..<0, 0..<content.count, 1..<4096, 100..<12_000, 4096..<8192, 20_480..<20_497] {
      file.withBytes { file.release(UnsafeRawBufferPointer(rebasing: $0[part])) }
      #expect(file.withBytes { $0.elementsEqual(content) }, "\(part)")
    }
    try MappedFile(try folder.file("empty", [])).release(UnsafeRawBufferPointer(start: nil, count: 0))
  }
}
