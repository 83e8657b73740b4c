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

  /// The content has at most this many bytes; exactly as many when the file is not compressed.
  public var largestCount: Int {
    isCompressed ? Gzip.largestInflation(ofBytes: file.bytes.count) : file.bytes.count
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
