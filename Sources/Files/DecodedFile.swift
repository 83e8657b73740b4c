import Diagnostics

/// The content of a file read from front to back, inflated on the way when the file is gzip.
public final class DecodedFile {
  private let file: MappedFile
  private let inflater: Inflater?
  private var offset = 0

  /// - Throws: `CompressError` when the file cannot be opened.
  public init(_ path: String) throws {
    file = try MappedFile(path)
    inflater = Gzip.isGzip(file.bytes) ? try Inflater(file.bytes) : nil
  }

  public var path: String { file.path }
  public var isCompressed: Bool { inflater != nil }
  /// The file's bytes as they are. Valid only while the object lives.
  public var packed: UnsafeRawBufferPointer { file.bytes }

  /// The content has at most this many bytes; exactly as many when the file is not compressed.
  public var largestCount: Int {
    isCompressed ? Gzip.largestInflation(ofBytes: file.bytes.count) : file.bytes.count
  }

  /// Bytes of content, as far as that can be said without reading it: what a gzip file's last four bytes claim
  /// (RFC 1952: the length of its last member, modulo 2^32), never more than it could hold.
  public var claimedCount: Int {
    guard isCompressed else { return file.bytes.count }
    guard file.bytes.count >= 18 else { return 0 }
    let claim = file.bytes.loadUnaligned(fromByteOffset: file.bytes.count - 4, as: UInt32.self)
    return min(Int(UInt32(littleEndian: claim)), largestCount)
  }

  /// The rest of the content of a compressed file.
  ///
  /// - Parameter announcement: for errors: `its header announces`.
  /// - Throws: `CompressError`, with the file's name, when it has fewer or more than `count` bytes.
  public func readRest(_ count: Int, _ announcement: String) throws -> [UInt8] {
    try atFile(path) {
      try Gzip.checkInflation(ofBytes: file.bytes.count, to: count)
      let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      guard bytes.count == count else {
        throw CompressError("ends after \(bytes.count) of the \(count) bytes \(announcement)", kind: .input)
      }
      var extra: UInt8 = 0
      guard try withUnsafeMutableBytes(of: &extra, { try read(into: $0) }) == 0 else {
        throw CompressError("more bytes follow the \(count) \(announcement)", kind: .input)
      }
      return bytes
    }
  }

  /// Where the rest of the content lies in a file that is not compressed.
  ///
  /// - Throws: as `readRest` does.
  public func mappedRest(_ count: Int, _ announcement: String) throws -> (file: MappedFile, range: Range<Int>) {
    precondition(!isCompressed)
    let left = file.bytes.count - offset
    guard left >= count else {
      throw CompressError("ends after \(left) of the \(count) bytes \(announcement)", kind: .input).at(file: path)
    }
    guard left == count else {
      throw CompressError("more bytes follow the \(count) \(announcement)", kind: .input).at(file: path)
    }
    return (file, offset..<(offset + count))
  }

  /// Fills the buffer as far as the content reaches; returns the bytes read, 0 at the end.
  ///
  /// - Throws: `CompressError`, with the file's name, when its gzip stream is broken or cut off.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    if let inflater { return try atFile(path) { try inflater.read(into: buffer) } }
    let count = min(buffer.count, file.bytes.count - offset)
    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: file.bytes[offset..<(offset + count)]))
    offset += count
    return count
  }
}
