import Diagnostics
import Files
import Foundation

/// Writes one answer's body to a partial file.
///
/// `@unchecked Sendable`: the network's queue and the thread that waits for it take turns by the lock.
final class Receiver: @unchecked Sendable {
  private let lock = NSLock()
  private let part: PartialFile
  private let file: PublishedFile
  private let url: URL
  private var isClosed = false

  init(_ part: PartialFile, _ file: PublishedFile, _ url: URL) {
    self.part = part
    self.file = file
    self.url = url
  }

  /// Bytes that are there.
  var count: Int { lock.withLock { part.count } }

  /// From here on nothing is written.
  func close() { lock.withLock { isClosed = true } }

  /// - Throws: `CompressError` when the answer is not the file or the rest of it.
  @Sendable func begin(_ answer: HTTPTransfer.Answer) throws {
    try lock.withLock {
      let address = url.absoluteString
      if let encoding = answer.headers["content-encoding"], encoding != "identity" {
        throw CompressError("\(address) is sent as \(encoding), not as the file it is", kind: .input)
      }
      switch answer.status {
      case 200:
        if let length = answer.headers["content-length"].flatMap({ Int($0) }), length != file.bytes {
          throw CompressError("\(address) is another file: \(length) bytes, not \(file.bytes)", kind: .input)
        }
        // All of it again: the server gives no parts, or its file has changed.
        if part.count > 0 { try part.clear() }
      case 206:
        guard let range = answer.range, range.start == part.count, range.total ?? file.bytes == file.bytes else {
          throw CompressError(
            "\(address) answered with \(answer.headers["content-range"] ?? "no range"), not the bytes from "
              + "\(part.count) of \(file.bytes)", kind: .input)
        }
      case 404: throw CompressError("\(address): not there (404)", kind: .input)
      default: throw CompressError("\(address) answered with status \(answer.status)", kind: .input)
      }
      try PartialOrigin.remember(answer, of: part, from: url)
    }
  }

  /// - Throws: `CompressError` when there is more than there should be, or the disk is full.
  @Sendable func receive(_ data: Data) throws {
    try lock.withLock {
      guard !isClosed else { throw CompressError("nobody waits for it any more", kind: .cancelled) }
      guard data.count <= file.bytes - part.count else {
        try part.clear()
        throw CompressError("\(url.absoluteString) is another file: more than \(file.bytes) bytes", kind: .input)
      }
      for piece in data.regions { try piece.withUnsafeBytes { try part.append($0) } }
    }
  }
}
