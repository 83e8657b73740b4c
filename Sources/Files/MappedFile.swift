#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// A whole file, mapped read-only into memory; tensors may borrow its bytes while they hold on to it.
///
/// Pages are loaded as they are touched. A file that another program shortens meanwhile makes the
/// access fail with SIGBUS, as with any mapping; files written through `AtomicFile` are replaced, never shortened.
///
/// `@unchecked Sendable`: the bytes are mapped read-only and nothing changes after `init`.
public final class MappedFile: @unchecked Sendable {
  public let path: String
  /// The file's content; the address is aligned to a page. Valid only while the object lives: for those who keep it,
  /// as the owner of borrowed bytes, say.
  public let bytes: UnsafeRawBufferPointer

  /// - Parameter limit: the most bytes accepted.
  /// - Throws: `CompressError` when the file is missing, unreadable, not a regular file or larger than `limit`.
  public init(_ path: String, limit: Int = .max) throws {
    let file = try FileDescriptor.reading(path)
    let size = Int(try file.status().st_size)
    guard size <= limit else {
      throw CompressError("the file has \(size) bytes; the limit is \(limit)", kind: .limit).at(file: path)
    }
    self.path = path
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.number, 0), base != MAP_FAILED else {
      throw CompressError.system("map into memory", path)
    }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
  }

  /// Lets go of the memory of a part that was copied: where it is read again it is loaded again.
  ///
  /// - Precondition: the part is of `bytes`.
  public func release(_ part: UnsafeRawBufferPointer) {
    guard let start = part.baseAddress, let base = bytes.baseAddress else { return }
    precondition(start >= base && part.count <= bytes.count - (start - base))
    // Whole pages alone, so that neighbours stay.
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = (start - base + page - 1) / page * page, end = (start - base + part.count) / page * page
    guard first < end else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, MADV_DONTNEED)
  }

  /// Hands out the content while holding on to the mapping, which a bare `bytes` does not.
  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withExtendedLifetime(self) { try body(bytes) }
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }
}
