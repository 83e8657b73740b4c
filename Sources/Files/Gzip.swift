import CZlib
import Diagnostics

/// Gzip files (RFC 1952) by zlib.
public enum Gzip {
  /// `1.2.13`, say: of the library in use.
  public static var zlibVersion: String { String(cString: CZlib.zlibVersion()) }

  /// Whether the bytes start as a gzip file does.
  public static func isGzip(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B
  }

  /// No deflate stream of `count` bytes inflates to more than this (a match of 258 bytes costs at least two bits).
  public static func largestInflation(ofBytes count: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: 1032)
    return overflow ? .max : product
  }

  /// What is unpacked whole may come to so many times its packed bytes, or to `smallInflation`. Images, weights and
  /// labels shrink ten times at the very best; what shrinks a thousand times was made to fill memories.
  static let likelyInflation = 100
  /// 64 MiB, whatever they were packed into.
  static let smallInflation = 64 << 20

  /// - Throws: `CompressError` of kind `.limit` when so few bytes unpack to more than any honest data.
  public static func checkInflation(ofBytes packed: Int, to count: Int) throws {
    let (likely, overflow) = packed.multipliedReportingOverflow(by: likelyInflation)
    guard count <= max(smallInflation, overflow ? .max : likely) else {
      throw CompressError(
        "\(packed) bytes that unpack to \(count): more than \(likelyInflation) times as many, and than "
          + "\(smallInflation)", kind: .limit, hint: "a file that is not compressed has no such limit")
    }
  }

  /// The content of a gzip file held in memory.
  ///
  /// - Throws: `CompressError` when the stream is broken, ends early or inflates to more than `limit` bytes.
  public static func inflate(_ bytes: UnsafeRawBufferPointer, limit: Int) throws -> [UInt8] {
    let inflater = try Inflater(bytes)
    var out: [UInt8] = []
    try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { chunk in
      while true {
        let count = try inflater.read(into: chunk)
        if count == 0 { return }
        guard count <= limit - out.count else {
          throw CompressError("inflates to more than the limit of \(limit) bytes", kind: .limit)
        }
        out.append(contentsOf: chunk[..<count])
      }
    }
    return out
  }

  /// The content of a gzip file.
  public static func inflate(file path: String, limit: Int) throws -> [UInt8] {
    let file = try MappedFile(path)
    return try atFile(path) { try inflate(file.bytes, limit: limit) }
  }

  /// The bytes as a gzip file with neither name nor time in its header.
  public static func deflate(_ bytes: UnsafeRawBufferPointer, level: Int = 9) throws -> [UInt8] {
    var out: [UInt8] = []
    let deflater = try Deflater(level: level)
    try deflater.feed(bytes, last: true) { out.append(contentsOf: $0) }
    return out
  }

  /// Size of `deflate(bytes)`, without keeping it.
  ///
  /// This is zlib's deflate. GNU gzip has an implementation of its own, which cuts blocks elsewhere: at level 9
  /// its files differ from zlib's by about one per cent at most, mostly upwards.
  public static func compressedSize(of bytes: UnsafeRawBufferPointer, level: Int = 9) throws -> Int {
    let deflater = try Deflater(level: level)
    var size = 0
    try deflater.feed(bytes, last: true) { size += $0.count }
    return size
  }

  /// Size of the file after `gzip`, read and compressed piece by piece.
  public static func compressedSize(ofFile path: String, level: Int = 9) throws -> Int {
    let file = try FileDescriptor.reading(path)
    let deflater = try Deflater(level: level)
    var size = 0
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { chunk.deallocate() }
    while true {
      let count = try file.read(into: chunk)
      let last = count < chunk.count
      try deflater.feed(UnsafeRawBufferPointer(rebasing: chunk[..<count]), last: last) { size += $0.count }
      if last { return size }
    }
  }
}
