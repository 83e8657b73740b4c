import Diagnostics
import Files

/// Bytes that a data set keeps: mapped where a file holds them as they are, else unpacked: mapped from where that is
/// kept, or in memory.
enum HeldBytes: Sendable {
  case mapped(MappedFile, Range<Int>)
  case kept(MappedFile, DataMemory.Reservation)
  case owned([UInt8], DataMemory.Reservation)

  /// What unpacks in a few milliseconds is not kept on disk.
  private static let leastKept = 1 << 20

  /// The next `count` bytes of a file, which are all of the rest.
  ///
  /// - Parameter announcement: where `count` comes from, for errors.
  /// - Throws: `CompressError` when there are fewer or more, or memory may not be had.
  init(restOf file: DecodedFile, _ count: Int, _ announcement: String, memory: DataMemory) throws {
    if file.isCompressed {
      self = try Self(unpacking: "last \(count) bytes", of: file.packed, count, memory) {
        try file.readRest(count, announcement)
      }
    } else {
      let (file, range) = try file.mappedRest(count, announcement)
      self = .mapped(file, range)
    }
  }

  /// A file in an archive.
  ///
  /// - Throws: `CompressError` when it is broken, or memory may not be had.
  init(_ entry: ZipFile.Entry, of zip: ZipFile, memory: DataMemory) throws {
    if entry.isDeflated {
      let packed = try zip.packed(entry), part = "\(entry.size) bytes with checksum \(entry.crc)"
      self = try Self(unpacking: part, of: packed, entry.size, memory) { try zip.read(entry) }
    } else {
      let (file, range) = try zip.stored(entry)
      self = .mapped(file, range)
    }
  }

  private init(
    unpacking part: String, of packed: UnsafeRawBufferPointer, _ count: Int, _ memory: DataMemory,
    _ unpack: () throws -> [UInt8]
  ) throws {
    try Gzip.checkInflation(ofBytes: packed.count, to: count)
    let reservation = try memory.reserve(count)
    guard let store = memory.store, count >= Self.leastKept else {
      self = .owned(try unpack(), reservation)
      return
    }
    let key = try store.key(of: part, in: packed)
    if let kept = store.content(key), kept.bytes.count == count {
      self = .kept(kept, reservation)
      return
    }
    let bytes = try unpack()
    try Cancellation.checkCurrent()
    // Keeping saves work and is not needed: a full disk takes nothing from this run.
    if let kept = try? bytes.withUnsafeBytes({ try store.keep($0, as: key) }) {
      self = .kept(kept, reservation)
    } else {
      self = .owned(bytes, reservation)
    }
  }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    switch self {
    case .mapped(let file, let range): try file.withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    case .kept(let file, _): try file.withBytes(body)
    case .owned(let bytes, _): try bytes.withUnsafeBytes(body)
    }
  }
}
