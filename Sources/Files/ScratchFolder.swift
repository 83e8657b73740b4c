#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// A folder in `$TMPDIR` (or `/tmp`) for files in passing; removed with the object.
///
/// A process that is killed leaves its folder behind; the next one that needs a scratch folder removes it.
public final class ScratchFolder {
  public let path: String
  /// Held open for its lock, see `Leftovers`.
  private let folder: FileDescriptor

  private static let prefix = "compress-scratch-"

  /// - Throws: `CompressError` with the path when the system refuses.
  public convenience init() throws { try self.init(in: Folders.environment("TMPDIR") ?? "/tmp") }

  /// - Throws: `CompressError` with the path when the system refuses.
  public init(in parent: String) throws {
    Leftovers.sweep(parent, where: { $0.hasPrefix(Self.prefix) }) { Self.remove($0) }
    while true {
      let path = "\(parent)/\(Self.prefix)\(String(UInt64.random(in: 0...(.max)), radix: 36))"
      // For this user alone: the temporary folder is everybody's.
      guard mkdir(path, 0o700) == 0 else { throw CompressError.system("make folder", path) }
      // Another process's sweep may take it away until it is locked.
      guard let folder = try? FileDescriptor(path, O_RDONLY | O_DIRECTORY, action: "open folder"),
        Leftovers.claim(folder.number, path)
      else { continue }
      self.path = path
      self.folder = folder
      return
    }
  }

  deinit { Self.remove(path) }

  /// A process makes its scratch folders inside of one that it keeps to; nothing is made deeper than that.
  private static func remove(_ path: String, depth: Int = 2) {
    for name in Leftovers.names(in: path) {
      // Of a link this removes the link.
      guard unlink("\(path)/\(name)") != 0, errno == EISDIR, depth > 0 else { continue }
      remove("\(path)/\(name)", depth: depth - 1)
    }
    rmdir(path)
  }
}
