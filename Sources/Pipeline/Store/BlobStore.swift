import Diagnostics
import Files
import Foundation

/// Content-addressed bytes in a folder: `blobs/ab/abcdef…` holds what hashes to `abcdef…`.
///
/// Twenty variants that share most tensors cost little more than one. Writers never disturb each
/// other: the same name always means the same bytes, and files appear whole or not at all.
public struct BlobStore: Sendable {
  public let root: String

  public init(root: String) { self.root = root }

  func path(of digest: String) -> String { "\(root)/blobs/\(digest.prefix(2))/\(digest)" }

  /// Stores the bytes, unless they are there already, and returns their digest. Bytes that are there
  /// count as young again, so that a clean-up leaves them to the stage that is about to name them.
  public func put(_ bytes: UnsafeRawBufferPointer) throws -> String {
    let digest = Digest.of(bytes)
    let path = path(of: digest)
    if !Folders.touch(path) {
      try Folders.create(Folders.parent(of: path))
      try AtomicFile.write(to: path) { try $0.write(bytes) }
    }
    return digest
  }

  /// The bytes of that digest, mapped and verified; nil when they are not there or no longer what
  /// they were (the broken file is then removed, so that the next `put` mends it).
  ///
  /// - Throws: `CompressError` when the digest is malformed.
  public func get(_ digest: String) throws -> MappedFile? {
    guard Digest.isDigest(digest) else {
      throw CompressError("\"\(digest.prefix(80).description.escapedForTerminal)\" is no digest", kind: .input)
    }
    let path = path(of: digest)
    guard Folders.isFile(path), let file = try? MappedFile(path) else { return nil }
    guard file.withBytes(Digest.of) == digest else {
      try? FileManager.default.removeItem(atPath: path)
      return nil
    }
    return file
  }
}
