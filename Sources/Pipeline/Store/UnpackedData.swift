import Datasets
import Diagnostics
import Files
import Foundation

/// Unpacked data sets beside the stages: `unpacked/12/1234….name` holds the digest of a blob and its own key, a line
/// each. What its key says is which packed bytes the blob came from; a file under another key's name is not believed.
extension StageStore: UnpackedStore {
  static let unpackedSuffix = ".name"

  func path(ofUnpacked key: String) -> String { "\(root)/unpacked/\(key.prefix(2))/\(key)\(Self.unpackedSuffix)" }

  public func key(of part: String, in packed: UnsafeRawBufferPointer) throws -> String {
    Digest.of("\(part) of \(try Digest.of(packed))")
  }

  public func content(_ key: String) -> MappedFile? {
    let path = path(ofUnpacked: key)
    guard let blob = Self.blob(namedAt: path, key) else { return nil }
    // Its age is the time since it was last of use.
    _ = Folders.touch(path)
    return (try? blobs.get(blob)) ?? nil
  }

  public func keep(_ bytes: UnsafeRawBufferPointer, as key: String) throws -> MappedFile {
    let (blob, isNew) = try blobs.add(bytes), path = path(ofUnpacked: key)
    try Folders.create(Folders.parent(of: path))
    try AtomicFile.write(Array("\(blob)\n\(key)\n".utf8), to: path)
    // What was just written needs no look; what was there already may have been damaged since.
    if isNew { return try MappedFile(blobs.path(of: blob)) }
    guard let file = try blobs.get(blob) else {
      throw CompressError("is not what its name says", kind: .system).at(file: blobs.path(of: blob))
    }
    return file
  }

  /// The digest in such a file; nil when it holds none, or is that of another key.
  static func blob(namedAt path: String, _ key: String) -> String? {
    guard let file = try? MappedFile(path, limit: 130) else { return nil }
    let lines = file.withBytes { String(decoding: $0, as: UTF8.self) }.split(
      separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 3, lines[1] == key, lines[2].isEmpty, Digest.isDigest(String(lines[0])) else { return nil }
    return String(lines[0])
  }
}
