import CZlib
import Diagnostics

/// Inflates gzip bytes as they are asked for; several members one after the other are one content (RFC 1952, 2.2).
final class Inflater {
  /// On the heap: zlib keeps the address.
  private let stream: UnsafeMutablePointer<z_stream>
  private let bytes: UnsafeRawBufferPointer
  private var consumed = 0
  private var produced = 0
  private var isFinished = false

  private let isRaw: Bool

  /// - Parameters:
  ///   - bytes: kept alive by the caller for as long as the inflater is used.
  ///   - isRaw: a deflate stream without gzip's header and checksum, as zip archives have them.
  init(_ bytes: UnsafeRawBufferPointer, isRaw: Bool = false) throws {
    self.bytes = bytes
    self.isRaw = isRaw
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard inflateInit2_(stream, isRaw ? -15 : 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw CompressError("no memory to inflate", kind: .system)
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Fills the buffer as far as the content reaches; 0 means the end.
  ///
  /// - Throws: `CompressError` when the stream is broken or ends before its end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count, !isFinished {
      try Cancellation.checkCurrent()
      let input = min(bytes.count - consumed, 1 << 24), output = min(buffer.count - filled, 1 << 24)
      stream.pointee.next_in = bytes.baseAddress.map {
        UnsafeMutablePointer(mutating: ($0 + consumed).assumingMemoryBound(to: UInt8.self))
      }
      stream.pointee.avail_in = UInt32(input)
      stream.pointee.next_out = (buffer.baseAddress! + filled).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(output)
      let status = CZlib.inflate(stream, Z_NO_FLUSH)
      consumed += input - Int(stream.pointee.avail_in)
      filled += output - Int(stream.pointee.avail_out)
      try check(status, produced: produced + filled)
      if status == Z_STREAM_END { try startNextMember() }
    }
    produced += filled
    return filled
  }

  private func check(_ status: Int32, produced: Int) throws {
    switch status {
    case Z_OK, Z_STREAM_END: return
    case Z_BUF_ERROR:
      throw CompressError(
        "the gzip stream is cut off after \(bytes.count) bytes (\(produced) bytes inflated so far)", kind: .input)
    case Z_MEM_ERROR:
      throw CompressError("no memory to inflate", kind: .system)
    default:
      let reason = stream.pointee.msg.map { String(cString: $0) } ?? "status \(status)"
      throw CompressError("the gzip stream is broken near byte \(consumed): \(reason)", kind: .input)
    }
  }

  private func startNextMember() throws {
    guard consumed < bytes.count, !isRaw else {
      isFinished = true
      return
    }
    guard Gzip.isGzip(UnsafeRawBufferPointer(rebasing: bytes[consumed...])) else {
      throw CompressError("\(bytes.count - consumed) bytes of something else follow the gzip stream", kind: .input)
    }
    inflateReset(stream)
  }
}
