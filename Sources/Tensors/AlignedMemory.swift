import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Bytes, all zero unless stopping was requested meanwhile, aligned to `alignment` (a power of two, at least 64);
/// `free` gives them back.
///
/// Where the machine has no such amount the process ends as for any error of the machine, with one
/// message and exit status 3: what finished is in the store, and files are written aside, so nothing is lost
/// or half-written, and no computation has to carry an error that none of them could mend.
public func allocateZeroed(byteCount: Int, alignment: Int = 64, for purpose: String) -> UnsafeMutableRawPointer {
  let (padded, overflow) = max(byteCount, 1).addingReportingOverflow(alignment - 1)
  let rounded = padded / alignment * alignment
  guard !overflow, let base = aligned_alloc(alignment, rounded) else { endOutOfMemory(byteCount, for: purpose) }
  #if os(Linux)
    // Much memory in few large pages: to make each of the small ones takes longer than to fill it. Nothing is lost
    // where the machine has none to give.
    let page = 2 << 20, start = (Int(bitPattern: base) + page - 1) / page * page
    let whole = (Int(bitPattern: base) + rounded - start) / page * page
    if rounded >= 32 << 20 { madvise(UnsafeMutableRawPointer(bitPattern: start), whole, MADV_HUGEPAGE) }
  #endif
  // Pages that nobody has touched yet cost more than their zeros.
  for run in Cancellation.runs(rounded, of: 64 << 20) { memset(base + run.lowerBound, 0, run.count) }
  return base
}
