import Diagnostics
import Files

/// The fields of one message in the wire format of protocol buffers, one after the other. What a length claims is
/// checked against the bytes that are left; nothing is copied.
struct WireReader {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(ByteReader)
  }

  struct Field {
    let number: Int
    let value: Value
    /// Where in the file it begins.
    let offset: Int
  }

  private var reader: ByteReader

  init(_ reader: ByteReader) { self.reader = reader }

  /// The next field, or nil at the end of the message.
  ///
  /// - Throws: `CompressError` with the offset where the bytes are no field.
  mutating func next() throws -> Field? {
    guard !reader.isAtEnd else { return nil }
    let offset = reader.origin + reader.offset
    let key = try Self.varint(&reader)
    guard let number = Int(exactly: key >> 3), (1...(1 << 29) - 1).contains(number) else {
      throw CompressError("at byte \(offset): field number \(key >> 3)", kind: .input)
    }
    let value: Value
    switch key & 7 {
    case 0: value = .varint(try Self.varint(&reader))
    case 1: value = .fixed64(try reader.u64())
    case 2: value = .bytes(try reader.part(try Self.varint(&reader)))
    case 5: value = .fixed32(try reader.u32())
    default:
      throw CompressError("at byte \(offset): field \(number) has the unknown wire type \(key & 7)", kind: .input)
    }
    return Field(number: number, value: value, offset: offset)
  }

  /// An integer in groups of seven bits, the lowest first; at most ten bytes.
  static func varint(_ reader: inout ByteReader) throws -> UInt64 {
    let offset = reader.origin + reader.offset
    var value: UInt64 = 0
    for index in 0..<10 {
      let byte = try reader.u8()
      guard index < 9 || byte < 2 else { break }
      value |= UInt64(byte & 0x7F) << (7 * UInt64(index))
      if byte < 0x80 { return value }
    }
    throw CompressError("at byte \(offset): an integer of more than 64 bits", kind: .input)
  }
}

extension WireReader.Field {
  private func wrong(_ wanted: String) -> CompressError {
    CompressError("at byte \(offset): field \(number) is not \(wanted)", kind: .input)
  }

  func message() throws -> ByteReader {
    guard case .bytes(let reader) = value else { throw wrong("a message, text or bytes") }
    return reader
  }

  func integer() throws -> Int64 {
    guard case .varint(let bits) = value else { throw wrong("an integer") }
    return Int64(bitPattern: bits)
  }

  func float() throws -> Float {
    guard case .fixed32(let bits) = value else { throw wrong("a float") }
    return Float(bitPattern: bits)
  }

  func text() throws -> String {
    var reader = try message()
    return try reader.string(reader.remaining)
  }

  /// Adds one integer, or a packed list of them.
  func append(to list: inout [Int64]) throws {
    guard case .bytes(var reader) = value else { return list.append(try integer()) }
    while !reader.isAtEnd { list.append(Int64(bitPattern: try WireReader.varint(&reader))) }
  }

  /// Adds one float, or a packed list of them.
  func append(to list: inout [Float]) throws {
    guard case .bytes(var reader) = value else { return list.append(try float()) }
    while !reader.isAtEnd { list.append(try reader.f32()) }
  }

  /// Adds one double, or a packed list of them.
  func append(to list: inout [Double]) throws {
    if case .fixed64(let bits) = value { return list.append(Double(bitPattern: bits)) }
    var reader = try message()
    while !reader.isAtEnd { list.append(try reader.f64()) }
  }
}
