#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// A lock that several processes agree on, by a file's name. It ends with the process that holds it, however that ends.
///
/// On a network file system it holds between machines too, where that knows locks at all; where it does not, everybody
/// gets the lock.
public final class FileLock: Sendable {
  public enum Mode: Sendable { case shared, exclusive }

  public let path: String
  private let file: FileDescriptor

  /// Opens the file, making it if need be, without locking it yet. The last part of the path may not be a link.
  ///
  /// - Parameter mode: the permissions of a file that is made.
  /// - Throws: `CompressError` with the path when the system refuses.
  public init(_ path: String, mode: UInt16 = 0o666) throws {
    self.path = path
    file = try FileDescriptor(
      path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: mode_t(mode), action: "open")
  }

  /// Takes over a file that is open.
  init(_ file: consuming FileDescriptor) {
    path = file.path
    self.file = file
  }

  /// Takes the lock, or changes its mode; false when somebody else's stands against it. Changing the mode lets go
  /// first.
  public func tryLock(_ mode: Mode) -> Bool {
    let result = retrying { flock(file.number, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) }
    return result == 0 || errno != EWOULDBLOCK
  }

  /// Waits for the lock, asking again after a sixteenth of the time it has waited, at least every 16 ms.
  ///
  /// - Parameter waiting: runs before each pause; what it throws ends the waiting.
  public func lock(_ mode: Mode, waiting: () throws -> Void = {}) throws {
    var waited: UInt32 = 0
    while !tryLock(mode) {
      try waiting()
      let pause = min(max(waited / 16, 500), 16_000)
      usleep(pause)
      waited = min(waited + pause, 1_000_000)
    }
  }

  public func unlock() { _ = retrying { flock(file.number, LOCK_UN) } }

  /// Whether the name still leads to this file: whoever held the lock before may have removed it.
  public var isCurrent: Bool {
    var named = stat()
    guard let own = try? file.status(), stat(path, &named) == 0 else { return false }
    return own.st_ino == named.st_ino && own.st_dev == named.st_dev
  }

  /// Removes the file. To be called by who holds the lock exclusively, before letting go.
  public func remove() { unlink(path) }
}
