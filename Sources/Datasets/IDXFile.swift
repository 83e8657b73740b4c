import Diagnostics
import Files
import Tensors

/// A file in the IDX format of MNIST, gzipped or not: two zero bytes, a type, the number of axes, each extent as a
/// big-endian 32-bit number, then the elements in row-major order.
///
/// Only unsigned bytes (type 8) are read. Making one reads the header; `decode` the rest.
/// Format: http://yann.lecun.com/exdb/mnist/
struct IDXFile: Sendable {
  let path: String
  let shape: Shape

  /// All elements are held in memory: 4 GiB.
  static let largestCount = 1 << 32

  /// - Throws: `CompressError`, with the file, when it is missing or the header is broken or claims more elements
  ///   than the file can hold.
  init(_ path: String) throws {
    let file = try DecodedFile(path)
    self.path = path
    shape = try atFile(path) { try Self.readHeader(file) }
  }

  private static func readHeader(_ file: DecodedFile) throws -> Shape {
    let types: [UInt8: String] = [9: "int8", 11: "int16", 12: "int32", 13: "float32", 14: "float64"]
    let start = try read(4, from: file)
    guard start[0] == 0, start[1] == 0 else {
      let hex = start.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
      let kind = file.isCompressed ? nil : FileKind(file.packed)
      throw CompressError(
        "not an IDX file: " + (kind.map { "it is \($0.name)" } ?? "starts with \(hex), not 00 00 and a type"),
        kind: .input, hint: kind?.hint)
    }
    guard start[2] == 8 else {
      let type = types[start[2]] ?? "unknown"
      throw CompressError("IDX elements of type \(start[2]) (\(type)); only 8 (uint8) can be read", kind: .input)
    }
    guard (1...4).contains(start[3]) else {
      throw CompressError("an IDX file with \(start[3]) axes; 1 to 4 can be read", kind: .input)
    }
    let extents = try read(4 * Int(start[3]), from: file)
    let dims = try extents.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      return try (0..<start[3]).map { _ in Int(try reader.u32(.big)) }
    }
    let most = file.largestCount - 4 - extents.count
    let claim = dims.map(String.init).joined(separator: " x ")
    guard let shape = try? Shape(checking: dims), shape.count <= most else {
      let most = file.isCompressed ? "at most \(most)" : "\(most)"
      throw CompressError("the header claims \(claim) bytes; the file holds \(most)", kind: .input)
    }
    try SampleLimits.check(dims)
    guard shape.count <= largestCount else {
      throw CompressError("\(claim) bytes; the limit for data held in memory is \(largestCount)", kind: .limit)
    }
    return shape
  }

  private static func read(_ count: Int, from file: DecodedFile) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
    guard found == count else {
      throw CompressError("ends after \(found) of the \(count) bytes of an IDX header's part", kind: .input)
    }
    return bytes
  }

  /// The elements.
  ///
  /// - Throws: `CompressError`, with the file, when there are fewer or more than the header says, or they need more
  ///   memory than there is for data.
  func decode(_ memory: DataMemory) throws -> HeldBytes {
    try atFile(path) {
      let file = try DecodedFile(path)
      guard try Self.readHeader(file) == shape else { throw CompressError("changed while in use", kind: .input) }
      return try HeldBytes(restOf: file, shape.count, "its header announces (\(shape))", memory: memory)
    }
  }
}
