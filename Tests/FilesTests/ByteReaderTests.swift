import Testing

@testable import Files

struct ByteReaderTests {
  /// Runs `body` on a reader of the bytes.
  func reading(_ bytes: [UInt8], origin: Int = 0, _ body: (inout ByteReader) throws -> Void) throws {
    try bytes.withUnsafeBytes {
      var reader = ByteReader($0, origin: origin)
      try body(&reader)
    }
  }

  @Test func numbersInBothOrders() throws {
    try reading([1, 2, 3, 4, 5, 6, 7, 8]) { (reader: inout ByteReader) throws in
      #expect(try reader.u8() == 1)
      try reader.seek(to: 0)
      #expect(try reader.u16() == 0x0201)
      #expect(try reader.u16(.big) == 0x0304)
      try reader.seek(to: 1)  // not aligned
      #expect(try reader.u32() == 0x0504_0302)
      try reader.seek(to: 1)
      #expect(try reader.u32(.big) == 0x0203_0405)
      try reader.seek(to: 0)
      #expect(try reader.u64() == 0x0807_0605_0403_0201)
      #expect(reader.isAtEnd)
      try reader.seek(to: 0)
      #expect(try reader.u64(.big) == 0x0102_0304_0506_0708)
    }
    try reading([0xFE, 0xFF, 0xFF, 0xFF, 0x3F, 0xC0, 0, 0]) { (reader: inout ByteReader) throws in
      #expect(try reader.i32() == -2)
      #expect(try reader.f32(.big) == 1.5)
    }
    try reading([UInt8](repeating: 0xFF, count: 7) + [0xFD]) { (reader: inout ByteReader) throws in
      #expect(try reader.i64(.big) == -3)
    }
    try reading([0x3F, 0xF8, 0, 0, 0, 0, 0, 0]) { (reader: inout ByteReader) throws in
      #expect(try reader.f64(.big) == 1.5)
    }
  }

  @Test func readingPastTheEndSaysWhereAndHowMuch() throws {
    try reading([1, 2, 3, 4, 5]) { (reader: inout ByteReader) throws in
      _ = try reader.u16()
      let error = try failure { try reader.u32() }
      #expect(error.message == "at byte 2: 4 bytes wanted, 3 left")
      #expect(error.kind == .input)
      #expect(reader.offset == 2)
      #expect(try reader.u8() == 3)
    }
  }

  @Test func lyingSizesAreRefused() throws {
    try reading([1, 2, 3]) { (reader: inout ByteReader) throws in
      #expect(try failure { try reader.slice(-1) }.message == "at byte 0: -1 bytes wanted, 3 left")
      #expect(try failure { try reader.slice(UInt64.max) }.message.contains("18446744073709551615 bytes wanted"))
      #expect(try failure { try reader.skip(Int.max) }.message.hasSuffix("3 left"))
      #expect(try failure { try reader.string(UInt64.max) }.message.hasSuffix("the limit is 65536"))
      #expect(try failure { try reader.seek(to: 4) }.message == "offset 4 is outside the 3 bytes there are")
      #expect(try failure { try reader.seek(to: UInt64.max) }.kind == .input)
      #expect(try failure { try reader.seek(to: -1) }.kind == .input)
      #expect(reader.offset == 0)
      try reader.seek(to: 3)
      #expect(try reader.slice(0).isEmpty)
    }
    try reading([]) { (reader: inout ByteReader) throws in
      #expect(reader.isAtEnd)
      #expect(try failure { try reader.u8() }.message == "at byte 0: 1 bytes wanted, 0 left")
    }
  }

  @Test func partsNameOffsetsOfTheWhole() throws {
    try reading([0, 1, 2, 3, 4, 5], origin: 100) { (reader: inout ByteReader) throws in
      try reader.skip(2)
      var part = try reader.part(3)
      #expect(part.bytes.count == 3)
      #expect(try part.u8() == 2)
      #expect(try failure { try part.u32() }.message == "at byte 103: 4 bytes wanted, 2 left")
      #expect(try reader.u8() == 5)
    }
  }

  @Test func strings() throws {
    try reading(Array("grün!".utf8) + [0xFF, 0xFE]) { (reader: inout ByteReader) throws in
      #expect(try reader.string(5) == "grün")
      #expect(try failure { try reader.string(3) }.message == "at byte 5: 3 bytes that are not UTF-8 text")
      #expect(reader.offset == 5)
      let long = try failure { try reader.string(1, limit: 0) }
      #expect(long.message == "at byte 5: a string of 1 bytes; the limit is 0")
      #expect(try reader.string(1) == "!")
      #expect(try reader.string(0) == "")
    }
  }
}
