import Diagnostics

/// The files in a zip archive (PKWARE's APPNOTE), stored or deflated, as `.npz` has them. Encryption, several disks and
/// archives beyond 4 GiB are not read.
public final class ZipFile {
  public struct Entry: Sendable, Hashable {
    public let name: String
    /// Bytes of content, as the directory claims.
    public let size: Int
    public let isDeflated: Bool
    let compressedSize: Int
    /// CRC-32 of the content, as the directory claims.
    public let crc: UInt32
    /// Of the header that lies before the content.
    let offset: Int
  }

  public let entries: [Entry]
  private let file: MappedFile

  /// - Parameter mostEntries: of an archive with more nothing is read.
  /// - Throws: `CompressError`, with the file, when it is missing or its directory is broken.
  public init(_ path: String, mostEntries: Int = 4096) throws {
    file = try MappedFile(path)
    entries = try atFile(path) { [file] in try file.withBytes { try Self.directory($0, mostEntries) } }
    try atFile(path) { try Self.checkPlaces(entries) }
  }

  /// Every entry has bytes of its own: a few kilobytes that a thousand entries share would be a thousand files.
  private static func checkPlaces(_ entries: [Entry]) throws {
    let sorted = entries.sorted { $0.offset < $1.offset }
    for (first, second) in zip(sorted, sorted.dropFirst())
    where first.offset + 30 + first.compressedSize > second.offset {
      throw CompressError(
        "\"\(first.name.escapedForTerminal.shortened(to: 80))\" and "
          + "\"\(second.name.escapedForTerminal.shortened(to: 80))\" overlap at byte \(second.offset)", kind: .input)
    }
  }

  /// The first bytes of an entry's content, at most so many.
  ///
  /// - Throws: `CompressError` when it is broken there.
  public func beginning(of entry: Entry, count: Int) throws -> [UInt8] {
    try atFile(file.path) {
      let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[try content(entry)])
      guard entry.isDeflated else { return Array(bytes.prefix(count)) }
      let inflater = try Inflater(bytes, isRaw: true)
      return try [UInt8](unsafeUninitializedCapacity: min(count, entry.size)) { buffer, filled in
        filled = try inflater.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
    }
  }

  /// Where the content of an entry lies that is stored, not deflated.
  ///
  /// - Throws: as `read` does.
  public func stored(_ entry: Entry) throws -> (file: MappedFile, range: Range<Int>) {
    precondition(!entry.isDeflated)
    return try atFile(file.path) {
      let range = try content(entry)
      try Self.check(UnsafeRawBufferPointer(rebasing: file.bytes[range]), entry)
      return (file, range)
    }
  }

  /// The bytes of an entry as they lie in the archive. Valid only while the object lives.
  ///
  /// - Throws: `CompressError` when the entry is not where the directory says.
  public func packed(_ entry: Entry) throws -> UnsafeRawBufferPointer {
    try atFile(file.path) { UnsafeRawBufferPointer(rebasing: file.bytes[try content(entry)]) }
  }

  /// The content of an entry.
  ///
  /// - Throws: `CompressError` when it is not as long as announced or its checksum is another.
  public func read(_ entry: Entry) throws -> [UInt8] {
    try atFile(file.path) {
      let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[try content(entry)])
      guard entry.isDeflated else {
        try Self.check(bytes, entry)
        return Array(bytes)
      }
      guard entry.size <= Gzip.largestInflation(ofBytes: entry.compressedSize) else {
        throw CompressError(
          "\"\(entry.name.escapedForTerminal.shortened(to: 80))\": \(entry.compressedSize) bytes cannot inflate to "
            + "\(entry.size)",
          kind: .input)
      }
      try Gzip.checkInflation(ofBytes: entry.compressedSize, to: entry.size)
      let inflater = try Inflater(bytes, isRaw: true)
      let out = try [UInt8](unsafeUninitializedCapacity: entry.size) { buffer, count in
        count = try inflater.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      try out.withUnsafeBytes { try Self.check($0, entry) }
      return out
    }
  }

  private static func check(_ bytes: UnsafeRawBufferPointer, _ entry: Entry) throws {
    var crc = Crc32()
    crc.add(bytes)
    guard bytes.count == entry.size, crc.value == entry.crc else {
      throw CompressError(
        "\"\(entry.name.escapedForTerminal.shortened(to: 80))\" has \(bytes.count) bytes with checksum \(crc.value), "
          + "not \(entry.size) with \(entry.crc)", kind: .input)
    }
  }

  /// Between the entry's own header and what follows.
  private func content(_ entry: Entry) throws -> Range<Int> {
    var reader = ByteReader(file.bytes)
    try reader.seek(to: entry.offset)
    guard try reader.u32() == 0x0403_4B50 else {
      throw CompressError("at byte \(entry.offset): no header of a zipped file", kind: .input)
    }
    try reader.skip(22)
    let name = try reader.u16(), extra = try reader.u16()
    try reader.skip(Int(name) + Int(extra))
    let start = reader.offset
    try reader.skip(entry.compressedSize)
    return start..<reader.offset
  }

  private static func directory(_ bytes: UnsafeRawBufferPointer, _ mostEntries: Int) throws -> [Entry] {
    // The end record is 22 bytes and a comment of at most 65535.
    let earliest = max(0, bytes.count - 22 - 65_535)
    guard bytes.count >= 22,
      let end = stride(from: bytes.count - 22, through: earliest, by: -1).first(where: {
        bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self).littleEndian == 0x0605_4B50
      })
    else {
      let kind = FileKind(bytes)
      // The beginning of an archive that is cut off is that of an archive.
      let name = kind.flatMap { bytes.starts(with: [0x50, 0x4B]) ? nil : $0.name }
      throw CompressError(
        "not a zip archive: " + (name.map { "it is \($0)" } ?? "it has no end record"), kind: .input,
        hint: name == nil ? nil : kind?.hint)
    }
    var record = ByteReader(bytes)
    try record.seek(to: end + 10)
    let count = Int(try record.u16()), size = try record.u32(), offset = try record.u32()
    guard count <= mostEntries, size != .max, offset != .max else {
      throw CompressError("an archive of \(count) files, or beyond 4 GiB; the limit is \(mostEntries)", kind: .limit)
    }
    var reader = ByteReader(bytes)
    try reader.seek(to: offset)
    return try (0..<count).map { _ in try entry(&reader) }
  }

  private static func entry(_ reader: inout ByteReader) throws -> Entry {
    let start = reader.offset
    guard try reader.u32() == 0x0201_4B50 else {
      throw CompressError("at byte \(start): no entry of a zip directory", kind: .input)
    }
    try reader.skip(4)
    let flags = try reader.u16(), method = try reader.u16()
    try reader.skip(4)
    let crc = try reader.u32(), compressed = try reader.u32(), size = try reader.u32()
    let nameLength = try reader.u16(), extra = try reader.u16(), comment = try reader.u16()
    try reader.skip(8)
    let offset = try reader.u32()
    let name = try reader.string(nameLength)
    try reader.skip(Int(extra) + Int(comment))
    guard flags & 1 == 0, [0, 8].contains(method), compressed != .max, size != .max, offset != .max else {
      throw CompressError(
        "\"\(name.escapedForTerminal.shortened(to: 80))\" is encrypted, beyond 4 GiB or packed by method \(method); "
          + "0 and 8 are read",
        kind: .input)
    }
    return Entry(
      name: name, size: Int(size), isDeflated: method == 8, compressedSize: Int(compressed), crc: crc,
      offset: Int(offset))
  }
}
