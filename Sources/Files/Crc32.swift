import CZlib

/// The CRC-32 of zlib, gzip and PNG, fed piece by piece: polynomial 0xEDB88320 (reflected), initial value and
/// final exclusive-or all ones.
public struct Crc32: Sendable {
  public private(set) var value: UInt32 = 0

  public init() {}

  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    while !rest.isEmpty {  // zlib counts in 32 bits
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      value = UInt32(crc32(uLong(value), piece.bindMemory(to: UInt8.self).baseAddress, uInt(piece.count)))
      rest = rest.dropFirst(piece.count)
    }
  }
}
