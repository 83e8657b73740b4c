import Diagnostics
import Files
import Network
import Tensors

// Files come from anywhere: nothing in them is believed before it is checked.
extension NativeFormat {
  /// Reads a model. Its tensors borrow the mapped file, so that pages never touched cost no memory.
  ///
  /// - Throws: `CompressError` with the path and the numbers when the file cannot be read, is truncated, damaged,
  ///   of another version, or describes no valid model.
  public static func read(_ path: String) throws -> Model {
    let file = try MappedFile(path)
    return try withExtendedLifetime(file) { try atFile(path) { try model(file.bytes, owner: file) } }
  }

  /// Reads a model from memory.
  ///
  /// - Throws: like `read(_:)`, without the path.
  public static func read(_ bytes: [UInt8]) throws -> Model {
    let owner = OwnedBytes(bytes)
    return try withExtendedLifetime(owner) { try model(UnsafeRawBufferPointer(owner.bytes), owner: owner) }
  }

  /// Whether the bytes start as a native file does.
  public static func isNative(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: magic) }

  private static func model(_ bytes: UnsafeRawBufferPointer, owner: AnyObject) throws -> Model {
    guard isNative(bytes) else { throw CompressError("is no native model file", kind: .input) }
    guard bytes.count >= prefixSize + checksumSize else {
      throw CompressError("is truncated: \(bytes.count) bytes", kind: .input)
    }
    var reader = ByteReader(bytes)
    try reader.skip(magic.count)
    let found = try reader.u32()
    guard (1...version).contains(found) else {
      throw CompressError("has format version \(found); this program reads versions up to \(version)", kind: .input)
    }
    let headerCount = Int(try reader.u32())
    let length = try reader.u64()
    guard length == bytes.count else {
      let state = length > bytes.count ? "is truncated" : "has bytes after its end"
      throw CompressError("\(state): \(bytes.count) bytes, \(length) expected", kind: .input)
    }
    let content = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - checksumSize)])
    var checksum = Crc32()
    try checksum.addHeedfully(content)
    let stored = bytes.loadUnaligned(fromByteOffset: content.count, as: UInt32.self).littleEndian
    guard stored == checksum.value else {
      throw CompressError("is damaged: checksum \(hex(checksum.value)), \(hex(stored)) expected", kind: .input)
    }
    guard headerCount <= headerLimit, headerCount <= content.count - prefixSize else {
      throw CompressError("has a header of \(headerCount) bytes in \(bytes.count)", kind: .input)
    }
    let manifest = try ModelManifest<Int>(json: reader.slice(headerCount))
    let dataStart = min(aligned(prefixSize + headerCount), content.count)
    let data = UnsafeRawBufferPointer(rebasing: content[dataStart...])
    try checkPlaces(manifest.references, dataCount: data.count)
    return try manifest.model { try tensor($0, in: data, owner: owner) }
  }

  /// Every tensor lies inside the data, aligned, and none over another.
  private static func checkPlaces(_ references: [TensorReference<Int>], dataCount: Int) throws {
    for reference in references {
      let offset = reference.location, count = reference.byteCount
      guard offset >= 0, offset % alignment == 0 else {
        throw CompressError("has a tensor at offset \(offset), which is no multiple of \(alignment)", kind: .input)
      }
      guard count <= dataCount, offset <= dataCount - count else {
        throw CompressError(
          "has a tensor of \(count) bytes at offset \(offset) of \(dataCount) bytes of data", kind: .input)
      }
    }
    let sorted = references.sorted { $0.location < $1.location }
    for (first, second) in zip(sorted, sorted.dropFirst()) where first.location + first.byteCount > second.location {
      throw CompressError(
        "has tensors that overlap: \(first.byteCount) bytes at offset \(first.location), and one at \(second.location)",
        kind: .input)
    }
  }

  /// Kernels may read up to a vector past the end of a tensor, so what ends the file is copied.
  private static let slack = 64

  private static func tensor(
    _ reference: TensorReference<Int>, in data: UnsafeRawBufferPointer, owner: AnyObject
  ) throws -> Tensor {
    let end = reference.location + reference.byteCount
    let bytes = UnsafeRawBufferPointer(rebasing: data[reference.location..<end])
    if end + slack <= data.count {
      return try Tensor(borrowing: bytes, owner: owner, shape: reference.shape, dtype: reference.dtype)
    }
    return Tensor(copying: bytes, shape: reference.shape, dtype: reference.dtype)
  }

  private static func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

/// Bytes at an address aligned for every element type.
private final class OwnedBytes {
  let bytes: UnsafeMutableRawBufferPointer

  init(_ source: [UInt8]) {
    bytes = .allocate(byteCount: max(source.count, 1), alignment: 64)
    bytes.copyBytes(from: source)
  }

  deinit { bytes.deallocate() }
}
