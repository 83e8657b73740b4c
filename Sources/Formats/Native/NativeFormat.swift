import Diagnostics
import Files
import Network
import Tensors

/// The native model file, `.cmpr`. docs/native-format.md describes it byte by byte.
///
///     prefix (24 bytes) | JSON header | zeros | tensors, each at a multiple of 16 | CRC-32
public enum NativeFormat {
  public static let fileExtension = "cmpr"
  /// The latest version. A file says the first version that knows all it holds.
  public static let version: UInt32 = 3
  /// A byte that is no ASCII, so that text tools leave the file alone; a line end and an end-of-file mark, so that
  /// transfers that change either are noticed.
  static let magic: [UInt8] = [0x89] + Array("CMPR\r\n".utf8) + [0x1A]
  static let prefixSize = 24
  static let checksumSize = 4
  /// Of tensors within the data and of the data within the file.
  static let alignment = 16
  /// The longest header accepted.
  static let headerLimit = 16 << 20

  static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }
}

// MARK: Writing

extension NativeFormat {
  /// Writes the model; the file appears whole or not at all.
  ///
  /// - Parameter limit: bytes; a larger file is not written.
  /// - Returns: bytes of the file.
  /// - Throws: `CompressError` with the path when the system refuses.
  @discardableResult
  public static func write(_ model: Model, to path: String, limit: Int = .max) throws -> Int {
    var count = 0
    try AtomicFile.write(to: path, limit: limit) { writer in
      try emit(model) { try writer.write($0) }
      count = writer.count
    }
    return count
  }

  /// The bytes `write` writes: the same model gives the same bytes.
  public static func data(_ model: Model) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try emit(model) { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// How many bytes `write` writes.
  public static func byteCount(_ model: Model) throws -> Int {
    var count = 0
    try emit(model) { count += $0.count }
    return count
  }

  private static func emit(_ model: Model, _ sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    var tensors: [Tensor] = []
    var end = 0
    let manifest = ModelManifest<Int>(model) { tensor in
      let offset = aligned(end)
      tensors.append(tensor)
      end = offset + tensor.byteCount
      return offset
    }
    let header = try manifest.json()
    guard header.count <= headerLimit else {
      throw CompressError("a model file's header has at most \(headerLimit) bytes, not \(header.count)", kind: .limit)
    }
    let dataStart = aligned(prefixSize + header.count)

    var checksum = Crc32(), position = 0
    func put(_ bytes: UnsafeRawBufferPointer) throws {
      try checksum.addHeedfully(bytes)
      position += bytes.count
      try sink(bytes)
    }
    func put(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try put($0) } }
    func pad() throws { try put([UInt8](repeating: 0, count: aligned(position) - position)) }
    try put(magic)
    try put(littleEndian(manifest.version) + littleEndian(UInt32(header.count)))
    try put(littleEndian(UInt64(dataStart + end + checksumSize)))
    try put(header)
    try pad()
    for tensor in tensors {
      try pad()
      try tensor.withBytes { try put($0) }
    }
    try put(littleEndian(checksum.value))
  }

  static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
