import Diagnostics
import Files
import Formats
import Foundation
import Network
import Tensors

/// What stages yielded, by their keys, in a folder that any number of runs share.
///
/// `stages/12/1234….json` names a model's tensors in the `BlobStore` and holds what the stage recorded.
/// Its first line is the SHA-256 of the rest. Whatever is missing or not what it should be counts as
/// never computed.
public struct StageStore: Sendable {
  public let root: String
  let blobs: BlobStore

  /// 64 GiB of tensors and unpacked data.
  public static let standardBudget = 1 << 36

  /// - Parameter budget: bytes that may be added through this value and its copies, what is there already not counted.
  public init(root: String, budget: Int = Self.standardBudget) {
    self.root = root
    blobs = BlobStore(
      root: root,
      budget: WriteBudget(
        bytes: budget, purpose: "what this run keeps in the store",
        hint: "allow more with --store-size MIB, or keep nothing with --no-cache"))
  }

  /// The user's: `$XDG_CACHE_HOME/compress/store`, or `~/.cache/compress/store`.
  ///
  /// - Throws: `CompressError` when the user has no home.
  public static func ofUser(budget: Int = Self.standardBudget) throws -> StageStore {
    guard let cache = Folders.cache else {
      throw CompressError(
        "there is no folder for the cache", kind: .system, hint: "set XDG_CACHE_HOME, or run with --no-cache")
    }
    return StageStore(root: cache + "/store", budget: budget)
  }

  struct Entry: Codable {
    /// Raised when the layout changes; entries of another format are computed anew.
    ///
    /// 2: an entry says whose it is. Without that one stage's entry under another's name would be believed.
    static let format = 2

    var format: Int
    /// The stage's, as in the file's name.
    var key: String
    var stage: String
    var label: String
    /// `ModelManifest.json()`.
    var manifest: String
    var record: StageRecord
  }

  public func path(of key: StageKey) -> String { "\(root)/stages/\(key.digest.prefix(2))/\(key.digest).json" }

  public func contains(_ key: StageKey) -> Bool { Folders.isFile(path(of: key)) }

  /// What the stage recorded, without its model; nil when the store does not have it.
  public func record(of key: StageKey) -> StageRecord? { entry(key)?.record }

  /// The stage's result; nil when the store does not have it whole.
  public func load(_ key: StageKey) -> StageResult? {
    guard let entry = entry(key),
      let manifest = try? ModelManifest<String>(json: Array(entry.manifest.utf8)),
      let model = try? manifest.model({ reference in
        guard let file = try blobs.get(reference.location) else { throw CompressError("blob is missing", kind: .input) }
        return try Tensor(borrowing: file.bytes, owner: file, shape: reference.shape, dtype: reference.dtype)
      })
    else { return nil }
    return StageResult(model, entry.record)
  }

  /// Makes the folder.
  ///
  /// - Throws: `CompressError` when it cannot be made or written.
  public func prepare() throws { try hinting { try Folders.prepare(root) } }

  /// - Throws: `CompressError` of kind `.system` when the disk is full or the folder cannot be written.
  func save(_ result: StageResult, _ stage: Stage) throws { try hinting { try write(result, stage) } }

  private func hinting(_ body: () throws -> Void) throws {
    do { try body() } catch var error as CompressError {
      error.hint =
        error.hint ?? "results are kept in \(root); set XDG_CACHE_HOME to keep them elsewhere, or run with --no-cache"
      throw error
    }
  }

  private func write(_ result: StageResult, _ stage: Stage) throws {
    let manifest = try ModelManifest<String>(result.model) { tensor in try tensor.withBytes(blobs.put) }
    let entry = Entry(
      format: Entry.format, key: stage.key.digest, stage: stage.work.kind, label: stage.work.label,
      manifest: String(decoding: try manifest.json(), as: UTF8.self), record: result.record)
    let body = try CanonicalJSON.encode(entry)
    let path = path(of: stage.key)
    try Folders.create(Folders.parent(of: path))
    try AtomicFile.write(Array((Digest.of(body) + "\n").utf8) + body, to: path)
  }

  private func entry(_ key: StageKey) -> Entry? {
    let path = path(of: key)
    guard let entry = Self.entry(at: path, of: key.digest) else { return nil }
    // Its age is the time since it was last of use: what `compress cache gc --older-than` goes by.
    _ = Folders.touch(path)
    return entry
  }

  /// Bytes of an entry: the network, and what a stage recorded, curves included.
  private static let longestEntry = 256 << 20
  private static let mostValues = 1 << 24

  /// The entry in a file; nil when it is not whole, of another format or another stage's.
  static func entry(at path: String, of key: String) -> Entry? {
    guard let file = try? MappedFile(path, limit: longestEntry) else { return nil }
    return file.withBytes { bytes in
      guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
      let body = UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])
      guard (try? Digest.of(body)) == String(decoding: bytes[..<end], as: UTF8.self),
        (try? BoundedJSON.check(body, values: mostValues)) != nil,
        let entry = try? JSONDecoder().decode(Entry.self, from: Data(body)), entry.format == Entry.format,
        entry.key == key
      else { return nil }
      return entry
    }
  }
}
