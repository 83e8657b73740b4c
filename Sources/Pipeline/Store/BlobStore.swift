import Diagnostics
import Files
import Foundation

/// Content-addressed bytes in a folder: `blobs/ab/abcdef…` holds what hashes to `abcdef…`.
///
/// Twenty variants that share most tensors cost little more than one. Writers never disturb each
/// other: the same name always means the same bytes, and files appear whole or not at all.
public struct BlobStore: Sendable {
  public let root: String
  /// What may be added; nil: anything.
  let budget: WriteBudget?

  public init(root: String, budget: WriteBudget? = nil) {
    self.root = root
    self.budget = budget
  }

  func path(of digest: String) -> String { "\(root)/blobs/\(digest.prefix(2))/\(digest)" }

  /// Stores the bytes, unless they are there already, and returns their digest. Bytes that are there
  /// count as young again, so that a clean-up leaves them to the stage that is about to name them.
  public func put(_ bytes: UnsafeRawBufferPointer) throws -> String { try add(bytes).digest }

  /// As `put` does, and says whether they were not there before.
  func add(_ bytes: UnsafeRawBufferPointer) throws -> (digest: String, isNew: Bool) {
    let digest = try Digest.of(bytes)
    let path = path(of: digest)
    if Folders.touch(path) { return (digest, false) }
    try budget?.take(bytes: bytes.count)
    try Folders.create(Folders.parent(of: path))
    try AtomicFile.write(to: path) { try $0.write(bytes) }
    return (digest, true)
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
    guard try file.withBytes({ try Digest.of($0) }) == digest else {
      try? FileManager.default.removeItem(atPath: path)
      return nil
    }
    return file
  }
}
