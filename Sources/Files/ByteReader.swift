import Diagnostics

/// A bounds-checked cursor over bytes that somebody else keeps alive.
///
/// Every read either succeeds or throws a `CompressError` (`.input`) with the offset, the bytes
/// wanted and the bytes there; the position is then unchanged.
public struct ByteReader {
  public enum Order: Sendable { case little, big }

  public let bytes: UnsafeRawBufferPointer
  /// Offset of the next byte.
  public private(set) var offset: Int
  /// Where `bytes` starts in the file, so that the errors of a part name offsets in the whole.
  public let origin: Int

  public init(_ bytes: UnsafeRawBufferPointer, origin: Int = 0) {
    self.bytes = bytes
    self.origin = origin
    offset = 0
  }

  public var remaining: Int { bytes.count - offset }
  public var isAtEnd: Bool { remaining == 0 }

  /// Moves to `offset`, counted from the first byte of this reader; the end itself is allowed.
  public mutating func seek(to offset: some BinaryInteger) throws {
    guard let target = Int(exactly: offset), (0...bytes.count).contains(target) else {
      throw CompressError("offset \(offset) is outside the \(bytes.count) bytes there are", kind: .input)
    }
    self.offset = target
  }

  public mutating func skip(_ count: some BinaryInteger) throws { _ = try slice(count) }

  /// The next `count` bytes, not copied.
  public mutating func slice(_ count: some BinaryInteger) throws -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else {
      throw CompressError(
        "at byte \(origin + offset): \(count) bytes wanted, \(remaining) left", kind: .input)
    }
    defer { offset += Int(count) }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + Int(count))])
  }

  /// A reader over the next `count` bytes.
  public mutating func part(_ count: some BinaryInteger) throws -> ByteReader {
    let start = origin + offset
    return ByteReader(try slice(count), origin: start)
  }

  public mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ order: Order = .little
  ) throws -> T {
    let raw = try slice(MemoryLayout<T>.size).loadUnaligned(as: T.self)
    return order == .little ? T(littleEndian: raw) : T(bigEndian: raw)
  }

  public mutating func u8() throws -> UInt8 { try integer(UInt8.self) }
  public mutating func u16(_ order: Order = .little) throws -> UInt16 { try integer(UInt16.self, order) }
  public mutating func u32(_ order: Order = .little) throws -> UInt32 { try integer(UInt32.self, order) }
  public mutating func u64(_ order: Order = .little) throws -> UInt64 { try integer(UInt64.self, order) }
  public mutating func i32(_ order: Order = .little) throws -> Int32 { try integer(Int32.self, order) }
  public mutating func i64(_ order: Order = .little) throws -> Int64 { try integer(Int64.self, order) }
  public mutating func f32(_ order: Order = .little) throws -> Float { Float(bitPattern: try u32(order)) }
  public mutating func f64(_ order: Order = .little) throws -> Double { Double(bitPattern: try u64(order)) }

  /// UTF-8 text of `count` bytes.
  ///
  /// - Throws: `CompressError` when there are fewer bytes, more than `limit` are asked for, or they are not UTF-8.
  public mutating func string(_ count: some BinaryInteger, limit: Int = 1 << 16) throws -> String {
    let start = origin + offset
    guard count <= limit else {
      throw CompressError("at byte \(start): a string of \(count) bytes; the limit is \(limit)", kind: .input)
    }
    var copy = self
    guard let text = String(validating: try copy.slice(count), as: UTF8.self) else {
      throw CompressError("at byte \(start): \(count) bytes that are not UTF-8 text", kind: .input)
    }
    self = copy
    return text
  }
}
