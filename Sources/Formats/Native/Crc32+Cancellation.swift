import Diagnostics
import Files

extension Crc32 {
  /// Adds many bytes.
  ///
  /// - Throws: `CompressError` of kind `.cancelled` when the running work is to stop: the sum is then of no use.
  mutating func addHeedfully(_ bytes: UnsafeRawBufferPointer) throws {
    for run in Cancellation.runs(bytes.count, of: 64 << 20) { add(UnsafeRawBufferPointer(rebasing: bytes[run])) }
    try Cancellation.checkCurrent()
  }
}
