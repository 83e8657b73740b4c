import Diagnostics
import Files

/// Tables in a file as FlatBuffers lays them out (google.github.io/flatbuffers): little-endian, tables whose fields are
/// found by a list of offsets, vectors behind offsets.
///
/// The bytes are untrusted. Every place is checked before it is read; and since many offsets may lead to the same
/// table, what is read in all has a limit by the size of the file.
final class FlatBuffer {
  let file: MappedFile
  /// Bytes that may still be read.
  private var budget: Int

  init(_ file: MappedFile) {
    self.file = file
    budget = 16 * file.bytes.count + 1 << 16
  }

  var count: Int { file.bytes.count }

  /// - Throws: `CompressError` when more is read than a file of this size can mean to say.
  func spend(_ count: Int) throws {
    guard count <= budget else {
      throw CompressError("refers to the same bytes again and again: more is read than it holds", kind: .limit)
    }
    budget -= count
  }

  func check(_ start: Int, _ size: Int) throws {
    guard start >= 0, size >= 0, start <= count, size <= count - start else {
      throw CompressError("\(size) bytes at byte \(start) of \(count)", kind: .input)
    }
  }

  func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at place: Int) throws -> T {
    try check(place, MemoryLayout<T>.size)
    return file.withBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: T.self)) }
  }

  /// Where the offset at a place leads to: always forward.
  func target(at place: Int) throws -> Int {
    let offset = Int(try load(UInt32.self, at: place))
    guard offset > 0 else { throw CompressError("an offset of zero at byte \(place)", kind: .input) }
    try check(place, offset)
    return place + offset
  }

  func root() throws -> FlatTable { try FlatTable(self, at: try target(at: 0)) }

  /// The bytes of a vector's elements, at the place of its length.
  func vector(at place: Int, elementSize: Int) throws -> (start: Int, count: Int) {
    let count = Int(try load(UInt32.self, at: place))
    try check(place + 4, count * elementSize)
    return (place + 4, count)
  }
}

/// A table: its fields, by their numbers in the schema. A field that is left out has its default value.
struct FlatTable {
  let buffer: FlatBuffer
  let start: Int
  private let offsets: Int
  private let fieldCount: Int
  private let size: Int

  init(_ buffer: FlatBuffer, at start: Int) throws {
    try buffer.spend(16)
    let back = Int(try buffer.load(Int32.self, at: start))
    let offsets = start - back
    let length = Int(try buffer.load(UInt16.self, at: offsets))
    guard length >= 4, length % 2 == 0 else {
      throw CompressError("a table at byte \(start) whose list of fields has \(length) bytes", kind: .input)
    }
    try buffer.check(offsets, length)
    let size = Int(try buffer.load(UInt16.self, at: offsets + 2))
    try buffer.check(start, max(size, 4))
    self.buffer = buffer
    self.start = start
    self.offsets = offsets
    self.size = size
    fieldCount = (length - 4) / 2
  }

  /// Where a field of so many bytes lies; nil where it is left out.
  private func place(_ field: Int, _ bytes: Int) throws -> Int? {
    guard field < fieldCount else { return nil }
    let offset = Int(try buffer.load(UInt16.self, at: offsets + 4 + 2 * field))
    guard offset > 0 else { return nil }
    guard offset >= 4, offset + bytes <= size else {
      throw CompressError(
        "field \(field) of the table at byte \(start) lies at \(offset) of its \(size) bytes", kind: .input)
    }
    return start + offset
  }

  func integer<T: FixedWidthInteger & BitwiseCopyable>(_ field: Int, _ otherwise: T) throws -> T {
    guard let place = try place(field, MemoryLayout<T>.size) else { return otherwise }
    return try buffer.load(T.self, at: place)
  }

  func float(_ field: Int, _ otherwise: Float) throws -> Float {
    guard let place = try place(field, 4) else { return otherwise }
    return Float(bitPattern: try buffer.load(UInt32.self, at: place))
  }

  func flag(_ field: Int, _ otherwise: Bool = false) throws -> Bool {
    try integer(field, UInt8(otherwise ? 1 : 0)) != 0
  }

  func table(_ field: Int) throws -> FlatTable? {
    guard let place = try place(field, 4) else { return nil }
    return try FlatTable(buffer, at: try buffer.target(at: place))
  }

  /// Where a vector's elements lie.
  private func vector(_ field: Int, _ elementSize: Int) throws -> (start: Int, count: Int)? {
    guard let place = try place(field, 4) else { return nil }
    return try buffer.vector(at: try buffer.target(at: place), elementSize: elementSize)
  }

  /// A vector of bytes, not copied: valid while the file is mapped.
  func bytes(_ field: Int) throws -> UnsafeRawBufferPointer? {
    guard let (start, count) = try vector(field, 1) else { return nil }
    return UnsafeRawBufferPointer(rebasing: buffer.file.bytes[start..<start + count])
  }

  func text(_ field: Int) throws -> String? {
    guard let bytes = try bytes(field) else { return nil }
    try buffer.spend(bytes.count)
    return String(decoding: bytes, as: UTF8.self)
  }

  func integers<T: FixedWidthInteger & BitwiseCopyable>(_ field: Int, of type: T.Type) throws -> [T]? {
    guard let (start, count) = try vector(field, MemoryLayout<T>.size) else { return nil }
    try buffer.spend(count * MemoryLayout<T>.size)
    return try (0..<count).map { try buffer.load(T.self, at: start + $0 * MemoryLayout<T>.size) }
  }

  func floats(_ field: Int) throws -> [Float]? {
    try integers(field, of: UInt32.self)?.map { Float(bitPattern: $0) }
  }

  func tables(_ field: Int) throws -> [FlatTable]? {
    guard let (start, count) = try vector(field, 4) else { return nil }
    try buffer.spend(4 * count)
    return try (0..<count).map { try FlatTable(buffer, at: try buffer.target(at: start + 4 * $0)) }
  }
}
