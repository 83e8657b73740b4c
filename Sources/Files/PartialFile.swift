#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// A file that arrives in pieces, over several runs if need be, beside the place it is meant for: `.NAME.part`.
///
/// Whoever works on it holds a lock, until `release` or the end of the process.
public final class PartialFile {
  /// Where it will be.
  public let target: String
  /// Where it is.
  public let path: String
  /// Bytes that are there.
  public private(set) var count: Int
  private let file: FileDescriptor

  /// Opens what is there, or begins.
  ///
  /// - Throws: `CompressError` when another process works on it or the system refuses.
  public init(for target: String) throws {
    let name = target.splitByBytes(at: "/").last ?? ""
    path = "\(Folders.parent(of: target))/.\(name).part"
    self.target = target
    while true {
      let file = try FileDescriptor(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o666, action: "write")
      guard retrying({ flock(file.number, LOCK_EX | LOCK_NB) }) == 0 || errno != EWOULDBLOCK else {
        throw CompressError("another process is fetching it", kind: .input).at(file: target)
      }
      // Between opening and locking another process may have finished and renamed it.
      let here = try file.status()
      var there = stat()
      guard lstat(path, &there) == 0, there.st_ino == here.st_ino, there.st_dev == here.st_dev else { continue }
      guard here.st_mode & S_IFMT == S_IFREG else {
        throw CompressError("not a regular file", kind: .input).at(file: path)
      }
      count = Int(here.st_size)
      self.file = file
      return
    }
  }

  /// - Throws: `CompressError` (`.system`) when the disk is full or fails; what was written before stays.
  public func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard lseek(file.number, off_t(count), SEEK_SET) >= 0 else { throw CompressError.system("write", target) }
    var sent = 0
    while sent < bytes.count {
      let written = writeBytes(file.number, UnsafeRawBufferPointer(rebasing: bytes[sent...]))
      guard written >= 0 else { throw CompressError.system("write", target) }
      sent += written
      count += written
    }
  }

  /// Forgets what is there.
  public func clear() throws {
    guard retrying({ ftruncate(file.number, 0) }) == 0 else { throw CompressError.system("write", target) }
    count = 0
  }

  /// Hands out what is there, piece by piece.
  public func read(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard lseek(file.number, 0, SEEK_SET) >= 0 else { throw CompressError.system("read", target) }
    try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { chunk in
      while true {
        let count = try file.read(into: chunk)
        if count == 0 { return }
        try body(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
      }
    }
  }

  /// Flushes it to the disk and gives it its name, whole.
  public func publish() throws {
    guard retrying({ fsync(file.number) }) == 0, rename(path, target) == 0 else {
      throw CompressError.system("write", target)
    }
    try AtomicFile.flush(folder: Folders.parent(of: target))
  }

  /// Lets others work on it; nothing more may be written.
  public func release() { _ = flock(file.number, LOCK_UN) }

  /// Removes it.
  public func discard() { unlink(path) }
}
