import Diagnostics

/// Lays tables out as FlatBuffers does, front to back: every table before what it refers to. Equal lists of fields are
/// there once; the same values give the same bytes.
struct FlatBufferBuilder {
  indirect enum Value {
    /// A number, little-endian: as many bytes as it is aligned to.
    case number([UInt8])
    /// By the numbers of the fields.
    case table([Int: Value])
    case tables([Value])
    case text(String)
    /// Elements one after the other, the first at a multiple of `alignment`.
    case vector([UInt8], count: Int, alignment: Int)

    static func int<T: FixedWidthInteger>(_ value: T) -> Value { .number(littleEndian([value])) }
    static func float(_ value: Float) -> Value { .number(littleEndian([value.bitPattern])) }
    static func flag(_ value: Bool) -> Value { .number([value ? 1 : 0]) }
    static func integers<T: FixedWidthInteger>(_ values: [T]) -> Value {
      .vector(littleEndian(values), count: values.count, alignment: MemoryLayout<T>.size)
    }
    static func floats(_ values: [Float]) -> Value { .integers(values.map(\.bitPattern)) }
    /// Bytes that programs map and read in place.
    static func data(_ bytes: [UInt8]) -> Value { .vector(bytes, count: bytes.count, alignment: 16) }

    var isNumber: Bool { if case .number = self { true } else { false } }
  }

  static func littleEndian<T: FixedWidthInteger>(_ values: [T]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
  }

  private var bytes: [UInt8] = []
  /// Where a list of fields lies.
  private var lists: [[UInt8]: Int] = [:]

  /// - Throws: `CompressError` when offsets would not fit 31 bits.
  static func bytes(_ root: Value, identifier: [UInt8]) throws -> [UInt8] {
    var builder = FlatBufferBuilder()
    builder.bytes = [0, 0, 0, 0] + identifier
    builder.patch(0, to: try builder.place(root))
    return builder.bytes
  }

  private mutating func align(_ alignment: Int, before size: Int = 0) {
    while (bytes.count + size) % alignment != 0 { bytes.append(0) }
  }

  private mutating func patch(_ place: Int, to target: Int) {
    let offset = Self.littleEndian([UInt32(target - place)])
    for (index, byte) in offset.enumerated() { bytes[place + index] = byte }
  }

  /// - Returns: where it lies.
  private mutating func place(_ value: Value) throws -> Int {
    guard bytes.count < Int(Int32.max) else {
      throw CompressError("a TFLite file has less than 2 GB; with this model it would have more", kind: .limit)
    }
    switch value {
    case .number(let number):
      align(number.count)
      defer { bytes += number }
      return bytes.count
    case .text(let text):
      return vector(Array(text.utf8) + [0], count: text.utf8.count, alignment: 4)
    case .vector(let elements, let count, let alignment):
      return vector(elements, count: count, alignment: max(alignment, 4))
    case .tables(let tables):
      let start = vector([UInt8](repeating: 0, count: 4 * tables.count), count: tables.count, alignment: 4)
      for (index, table) in tables.enumerated() {
        let place = start + 4 + 4 * index
        patch(place, to: try self.place(table))
      }
      return start
    case .table(let fields): return try table(fields)
    }
  }

  private mutating func vector(_ elements: [UInt8], count: Int, alignment: Int) -> Int {
    align(alignment, before: 4)
    defer { bytes += Self.littleEndian([UInt32(count)]) + elements }
    return bytes.count
  }

  private mutating func table(_ fields: [Int: Value]) throws -> Int {
    // Large fields first, so that no gaps are left; behind the offset to the list of fields, of four bytes.
    func size(_ value: Value) -> Int { if case .number(let number) = value { number.count } else { 4 } }
    let order = fields.keys.sorted { (size(fields[$0]!), $1) > (size(fields[$1]!), $0) }
    var offsets = [UInt16](repeating: 0, count: (fields.keys.max() ?? -1) + 1), end = 4
    for field in order {
      let size = size(fields[field]!)
      end = (end + size - 1) / size * size
      offsets[field] = UInt16(end)
      end += size
    }
    let list = Self.littleEndian([UInt16(4 + 2 * offsets.count), UInt16(end)] + offsets)
    let listPlace: Int
    if let known = lists[list] {
      listPlace = known
    } else {
      align(2)
      listPlace = bytes.count
      lists[list] = listPlace
      bytes += list
    }
    align(8)
    let start = bytes.count
    bytes += Self.littleEndian([Int32(start - listPlace)])
    bytes += [UInt8](repeating: 0, count: end - 4)
    for field in order {
      let place = start + Int(offsets[field]), value = fields[field]!
      if case .number(let number) = value {
        for (index, byte) in number.enumerated() { bytes[place + index] = byte }
      }
    }
    // What is referred to follows in the order of the fields.
    for field in fields.keys.sorted() where !fields[field]!.isNumber {
      patch(start + Int(offsets[field]), to: try self.place(fields[field]!))
    }
    return start
  }
}
