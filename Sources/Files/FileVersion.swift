#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// What changes when a file does: which one it is, its size, and when its content and its entry last changed.
public struct FileVersion: Hashable, Sendable {
  private let numbers: [Int]

  /// - Throws: `CompressError` with the path when there is no regular file.
  public init(of path: String) throws {
    let status = try FileDescriptor.reading(path).status()
    #if canImport(Darwin)
      let (content, entry) = (status.st_mtimespec, status.st_ctimespec)
    #else
      let (content, entry) = (status.st_mtim, status.st_ctim)
    #endif
    numbers = [
      Int(status.st_dev), Int(status.st_ino), Int(status.st_size), Int(content.tv_sec), Int(content.tv_nsec),
      Int(entry.tv_sec), Int(entry.tv_nsec),
    ]
  }
}
