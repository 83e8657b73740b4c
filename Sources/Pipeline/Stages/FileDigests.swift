import Files
import Synchronization

/// Digests of data files, each computed once a process while the file stays what it is: a script's stages read the same
/// data, and folders of images have thousands of files.
final class FileDigests: Sendable {
  static let shared = FileDigests()

  private let known = Mutex<[String: (version: FileVersion, digest: String)]>([:])

  /// - Throws: `CompressError` when the file cannot be read.
  func digest(of path: String) throws -> String {
    let version = try FileVersion(of: path)
    if let known = known.withLock({ $0[path] }), known.version == version { return known.digest }
    let digest = try Digest.of(file: path)
    known.withLock { $0[path] = (version, digest) }
    return digest
  }
}
