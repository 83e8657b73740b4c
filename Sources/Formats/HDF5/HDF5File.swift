import Diagnostics
import Files
import Tensors

/// What an HDF5 file holds, as far as models need it: attributes of texts, and arrays of numbers. Paths are of the form
/// `/group/group/name`; the root's is empty.
struct HDF5File {
  struct DataSet {
    let type: ElementType
    let shape: Shape
    fileprivate let bytes: [UInt8]

    /// The values as float32.
    var floats: Tensor { bytes.withUnsafeBytes { type.floats($0, shape) } }
  }

  /// By path, then by name.
  private(set) var attributes: [String: [String: [String]]] = [:]
  /// By path.
  private(set) var dataSets: [String: DataSet] = [:]

  private static let magic = Array("CHDF5\u{1}".utf8)
  private static let mostRecords = 1 << 20
  private static let mostTexts = 1 << 16

  static func isHDF5(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.starts(with: [0x89] + Array("HDF\r\n\u{1A}\n".utf8))
  }

  /// - Throws: `CompressError` when the bytes are no such file, or ask for what is not read.
  init(_ bytes: UnsafeRawBufferPointer) throws {
    self = try HDF5Program.reading(bytes) { try HDF5File(&$0, fileBytes: bytes.count) }
  }

  /// - Parameter fileBytes: of the file that was read. Nothing that is said to be in it is larger.
  init(_ stream: inout HDF5Stream, fileBytes: Int) throws {
    // What is said is bounded by the file, and by what describes it.
    var left = fileBytes
    func take(_ count: some BinaryInteger) throws -> Int {
      guard let count = Int(exactly: count), (0...left).contains(count) else { throw Self.broken }
      left -= count
      return count
    }
    func name() throws -> String {
      let count = try stream.integer(UInt32.self)
      guard count <= TensorEntry.longestName else { throw Self.broken }
      return String(decoding: try stream.bytes(Int(count)), as: UTF8.self)
    }
    guard try stream.bytes(Self.magic.count) == Self.magic else { throw Self.broken }
    for _ in 0..<Self.mostRecords {
      switch try stream.integer(UInt8.self) {
      case UInt8(ascii: "A"):
        let path = try name(), attribute = try name(), count = try stream.integer(UInt32.self)
        guard count <= Self.mostTexts else { throw Self.broken }
        attributes[path, default: [:]][attribute] = try (0..<count).map { _ in
          let bytes = try stream.bytes(take(try stream.integer(UInt32.self)))
          guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.broken }
          return text
        }
      case UInt8(ascii: "D"):
        let path = try name(), head = try stream.bytes(3)
        guard let type = Self.type(head[0], size: head[1]) else { throw Self.broken }
        let extents = try (0..<head[2]).map { _ in Int(clamping: try stream.integer(UInt64.self)) }
        let shape = try Shape(checking: extents)
        let count = try take(try stream.integer(UInt64.self))
        guard count == shape.count * type.size, dataSets[path] == nil else { throw Self.broken }
        dataSets[path] = DataSet(type: type, shape: shape, bytes: try stream.bytes(count))
      case UInt8(ascii: "X"):
        let count = Int(try stream.integer(UInt32.self))
        guard count <= 1 << 13 else { throw Self.broken }
        let text = String(decoding: try stream.bytes(count), as: UTF8.self)
        throw CompressError(text.escapedForTerminal.shortened(to: 400), kind: .input)
      case UInt8(ascii: "E"): return
      default: throw Self.broken
      }
    }
    throw CompressError("has more than \(Self.mostRecords) attributes and data sets", kind: .limit)
  }

  private static var broken: CompressError {
    CompressError("cannot be read: what the process that reads HDF5 files says has no meaning", kind: .input)
  }

  private static func type(_ kind: UInt8, size: UInt8) -> ElementType? {
    switch (kind, size) {
    case (UInt8(ascii: "f"), 2): .float16
    case (UInt8(ascii: "f"), 4): .float32
    case (UInt8(ascii: "f"), 8): .float64
    case (UInt8(ascii: "i"), 1): .int8
    case (UInt8(ascii: "i"), 2): .int16
    case (UInt8(ascii: "i"), 4): .int32
    case (UInt8(ascii: "i"), 8): .int64
    case (UInt8(ascii: "u"), 1): .uint8
    case (UInt8(ascii: "u"), 2): .uint16
    case (UInt8(ascii: "u"), 4): .uint32
    case (UInt8(ascii: "u"), 8): .uint64
    default: nil
    }
  }

  /// An attribute of one text.
  func text(_ name: String, of path: String = "") -> String? { attributes[path]?[name]?.first }

  /// A list of texts; one that was too long for an attribute is in several, with numbers behind the name.
  func texts(_ name: String, of path: String) -> [String]? {
    guard let group = attributes[path] else { return nil }
    if let whole = group[name] { return whole }
    var texts: [String] = [], piece = 0
    while let more = group["\(name)\(piece)"] {
      texts += more
      piece += 1
    }
    return piece > 0 ? texts : nil
  }
}
