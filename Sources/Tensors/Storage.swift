#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reference-counted bytes, aligned for the widest vector loads.
///
/// `@unchecked Sendable`: a storage is written only while it is uniquely referenced (see
/// `Tensor.withMutable`); once shared it is never written again.
final class Storage: @unchecked Sendable {
  static let alignment = 64

  let bytes: UnsafeMutableRawBufferPointer
  private let release: () -> Void

  /// Fresh bytes, all zero.
  init(byteCount: Int) {
    // The kernels may read a whole vector at the end of a row; the slack keeps that inside.
    let (padded, overflow) = byteCount.addingReportingOverflow(Self.alignment)
    let base = allocateZeroed(
      byteCount: overflow ? byteCount : padded, alignment: Self.alignment, for: "a tensor")
    bytes = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    release = { free(base) }
  }

  /// Bytes that somebody else owns, kept alive by `owner` (a mapped file); never written.
  init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.bytes = UnsafeMutableRawBufferPointer(mutating: bytes)
    isBorrowed = true
    release = { withExtendedLifetime(owner) {} }
  }

  /// Borrowed bytes are copied before the first write.
  private(set) var isBorrowed = false

  /// Says that a part of borrowed bytes is about to be read as a whole: the pages of a file are mapped at once then,
  /// which takes a fraction of what it takes one by one, as each is touched.
  func willRead(_ range: Range<Int>) {
    #if os(Linux)
      guard isBorrowed, range.count >= 1 << 20, let base = bytes.baseAddress else { return }
      let page = Int(sysconf(Int32(_SC_PAGESIZE))), first = Int(bitPattern: base) + range.lowerBound
      let start = first / page * page
      // MADV_POPULATE_READ, since Linux 5.14; without it they come one by one.
      madvise(UnsafeMutableRawPointer(bitPattern: start), first + range.count - start, 22)
    #endif
  }

  deinit { release() }
}
