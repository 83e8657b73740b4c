import CZlib
import Diagnostics

/// Compresses bytes to gzip piece by piece.
final class Deflater {
  /// On the heap: zlib keeps the address.
  private let stream: UnsafeMutablePointer<z_stream>
  private var chunk = [UInt8](repeating: 0, count: 1 << 16)

  init(level: Int) throws {
    guard (0...9).contains(level) else { throw CompressError("gzip levels go from 0 to 9, not \(level)") }
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 + 16: the full window with a gzip header; 8: zlib's usual memory.
    let status = deflateInit2_(
      stream, Int32(level), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw CompressError("no memory to compress", kind: .system) }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Takes `bytes`; what comes out goes to `emit`, all of it when this piece is the last.
  func feed(_ bytes: UnsafeRawBufferPointer, last: Bool, emit: (ArraySlice<UInt8>) throws -> Void) throws {
    var taken = 0
    repeat {
      try Cancellation.checkCurrent()
      let piece = min(bytes.count - taken, 1 << 20)
      let isLastPiece = last && taken + piece == bytes.count
      stream.pointee.next_in = bytes.baseAddress.map {
        UnsafeMutablePointer(mutating: ($0 + taken).assumingMemoryBound(to: UInt8.self))
      }
      stream.pointee.avail_in = UInt32(piece)
      taken += piece
      while true {
        let space = chunk.count
        let status = chunk.withUnsafeMutableBufferPointer { out in
          stream.pointee.next_out = out.baseAddress
          stream.pointee.avail_out = UInt32(space)
          return CZlib.deflate(stream, isLastPiece ? Z_FINISH : Z_NO_FLUSH)
        }
        guard status != Z_STREAM_ERROR else {
          throw CompressError("zlib refused the stream (status \(status))", kind: .system)
        }
        try emit(chunk[..<(space - Int(stream.pointee.avail_out))])
        if isLastPiece ? status == Z_STREAM_END : stream.pointee.avail_out > 0 { break }
      }
    } while taken < bytes.count
  }
}
