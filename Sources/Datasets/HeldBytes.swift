import Files

/// Bytes that a data set keeps: mapped where a file holds them as they are, else in memory that was asked for.
enum HeldBytes: Sendable {
  case mapped(MappedFile, Range<Int>)
  case owned([UInt8], DataMemory.Reservation)

  /// The next `count` bytes of a file, which are all of the rest.
  ///
  /// - Parameter announcement: where `count` comes from, for errors.
  /// - Throws: `CompressError` when there are fewer or more, or memory may not be had.
  init(restOf file: DecodedFile, _ count: Int, _ announcement: String, memory: DataMemory) throws {
    if file.isCompressed {
      let reservation = try memory.reserve(count)
      self = .owned(try file.readRest(count, announcement), reservation)
    } else {
      let (file, range) = try file.mappedRest(count, announcement)
      self = .mapped(file, range)
    }
  }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    switch self {
    case .mapped(let file, let range): try file.withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    case .owned(let bytes, _): try bytes.withUnsafeBytes(body)
    }
  }
}
