import Datasets
import Diagnostics
import Files
import Foundation

/// Unpacked data sets beside the stages: `unpacked/12/1234….name` holds the digest of a blob, followed by a newline.
/// What its own name says is which packed bytes the blob came from.
extension StageStore: UnpackedStore {
  static let unpackedSuffix = ".name"

  func path(ofUnpacked key: String) -> String { "\(root)/unpacked/\(key.prefix(2))/\(key)\(Self.unpackedSuffix)" }

  public func key(of part: String, in packed: UnsafeRawBufferPointer) -> String {
    Digest.of("\(part) of \(Digest.of(packed))")
  }

  public func content(_ key: String) -> MappedFile? {
    let path = path(ofUnpacked: key)
    guard let blob = Self.blob(namedAt: path) else { return nil }
    // Its age is the time since it was last of use.
    _ = Folders.touch(path)
    return try? blobs.get(blob)
  }

  public func keep(_ bytes: UnsafeRawBufferPointer, as key: String) throws -> MappedFile {
    let blob = try blobs.put(bytes), path = path(ofUnpacked: key)
    try Folders.create(Folders.parent(of: path))
    try AtomicFile.write(Array((blob + "\n").utf8), to: path)
    guard let file = try blobs.get(blob) else {
      throw CompressError("is not what was just written", kind: .system).at(file: blobs.path(of: blob))
    }
    return file
  }

  /// The digest in such a file; nil when it holds none.
  static func blob(namedAt path: String) -> String? {
    guard let bytes = FileManager.default.contents(atPath: path), bytes.count == 65, bytes.last == 0x0A else {
      return nil
    }
    let digest = String(decoding: bytes.dropLast(), as: UTF8.self)
    return Digest.isDigest(digest) ? digest : nil
  }
}
