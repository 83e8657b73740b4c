import Diagnostics
import Synchronization

/// How many bytes, and how many files, a run may still write somewhere.
public final class WriteBudget: Sendable {
  private struct Left {
    var bytes: Int
    var files: Int
  }

  public let bytes: Int
  public let files: Int
  /// What is written, and how to allow more: for errors.
  private let purpose: String
  public let hint: String
  private let left: Mutex<Left>

  public init(bytes: Int, files: Int = .max, purpose: String, hint: String) {
    self.bytes = bytes
    self.files = files
    self.purpose = purpose
    self.hint = hint
    left = Mutex(Left(bytes: bytes, files: files))
  }

  public var bytesLeft: Int { left.withLock(\.bytes) }

  /// Whether anything was taken of it.
  public var isTouched: Bool { left.withLock { $0.bytes < bytes || $0.files < files } }

  /// Counts what is about to be written.
  ///
  /// - Throws: `CompressError` of kind `.limit` when so much is not left; nothing is counted then.
  public func take(bytes count: Int, files: Int = 0) throws {
    try left.withLock { left in
      guard files <= left.files else {
        throw CompressError("\(purpose): more than \(self.files) files", kind: .limit, hint: hint)
      }
      guard count <= left.bytes else {
        throw CompressError(
          "\(purpose): \(count) bytes, and \(left.bytes) of \(bytes) are left", kind: .limit, hint: hint)
      }
      left.bytes -= count
      left.files -= files
    }
  }
}
