/// Writes the fields of messages as protobuf has them.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value, bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  /// What stands before so many bytes of a field: a message, a text, raw data.
  static func prefix(_ field: Int, count: Int) -> [UInt8] { varint(UInt64(field) << 3 | 2) + varint(UInt64(count)) }

  mutating func field(_ number: Int, _ value: Int) {
    bytes += Self.varint(UInt64(number) << 3) + Self.varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func field(_ number: Int, _ value: Float) {
    bytes += Self.varint(UInt64(number) << 3 | 5) + NativeFormat.littleEndian(value.bitPattern)
  }

  mutating func field(_ number: Int, _ text: String) { field(number, Array(text.utf8)) }

  mutating func field(_ number: Int, _ content: [UInt8]) {
    bytes += Self.prefix(number, count: content.count) + content
  }

  mutating func field(_ number: Int, _ write: (inout WireWriter) -> Void) {
    var message = WireWriter()
    write(&message)
    field(number, message.bytes)
  }
}
