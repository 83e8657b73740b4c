import Diagnostics
import Files
import Tensors

/// A safetensors file: named tensors without a network, over the mapped file.
///
///     header length (8 bytes, little-endian) | JSON header | tensors, without gaps
///
/// The header is anybody's: every offset is checked against the shape, the file and the other tensors.
///
/// `@unchecked Sendable`: the bytes are the owner's, which never changes them and is held.
public struct SafeTensorsFile: WeightsFile, @unchecked Sendable {
  public static let fileExtension = "safetensors"
  /// The longest header accepted, as in the format's reference implementation.
  static let headerLimit = 100_000_000

  /// The place of each is where its bytes begin in the data.
  public let entries: [TensorEntry]
  public let metadata: [String: String]
  private let data: UnsafeRawBufferPointer
  private let owner: any AnyObject & Sendable

  /// - Throws: `CompressError` with the path when the file cannot be read or is not what the format asks for.
  public init(_ path: String) throws {
    let file = try MappedFile(path)
    self = try atFile(path) { try SafeTensorsFile(file.bytes, owner: file) }
  }

  /// - Parameter owner: keeps the bytes alive.
  init(_ bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable) throws {
    var reader = ByteReader(bytes)
    guard bytes.count >= 8, case let count = try reader.u64(), count <= Self.headerLimit,
      Self.isSafeTensors(bytes) || FileKind(bytes) == nil
    else { throw Self.foreign(bytes) }
    guard count <= reader.remaining else {
      throw CompressError(
        "is truncated: a header of \(count) bytes, of which \(reader.remaining) are there", kind: .input)
    }
    let header = try SafeTensorsHeader(json: reader.slice(count))
    let data = try reader.slice(reader.remaining)
    self.data = data
    metadata = header.metadata
    entries = try header.tensors.map { name, tensor in try Self.entry(name, tensor, dataCount: data.count) }
    self.owner = owner
    try checkPlaces()
  }

  /// Whether the bytes start as a safetensors file does.
  public static func isSafeTensors(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count > 8, bytes[8] == UInt8(ascii: "{") else { return false }
    return bytes.loadUnaligned(as: UInt64.self).littleEndian <= headerLimit
  }

  /// What bytes are that do not start as a safetensors file does. Their first eight, taken for the length of a header,
  /// would say nothing to anybody.
  private static func foreign(_ bytes: UnsafeRawBufferPointer) -> CompressError {
    if let kind = FileKind(bytes) {
      return CompressError("is \(kind.name), not a safetensors file", kind: .input, hint: kind.hint)
    }
    let start = bytes.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    return CompressError(
      "is no safetensors file: it starts with \(start), not with the length of a header, of up to \(headerLimit) bytes",
      kind: .input)
  }

  private static func entry(_ name: String, _ tensor: SafeTensorsHeader.Entry, dataCount: Int) throws -> TensorEntry {
    let label = "tensor \"\(name.escapedForTerminal.shortened(to: 80))\""
    guard let type = ElementType(rawValue: tensor.dtype) else {
      let name = tensor.dtype.prefix(20).description.escapedForTerminal
      throw CompressError("\(label) has unknown type \"\(name)\"", kind: .input)
    }
    let shape: Shape
    do { shape = try Shape(checking: tensor.shape) } catch let error as CompressError {
      throw CompressError("\(label): \(error.message)", kind: .input)
    }
    guard tensor.offsets.count == 2, case let (start, end) = (tensor.offsets[0], tensor.offsets[1]), start >= 0,
      start <= end, end <= dataCount
    else { throw CompressError("\(label) has offsets \(tensor.offsets) in \(dataCount) bytes of data", kind: .input) }
    guard end - start == shape.count * type.size else {
      throw CompressError(
        "\(label) has \(end - start) bytes; \(type.rawValue) of shape \(shape) takes \(shape.count * type.size)",
        kind: .input)
    }
    return TensorEntry(name: name, type: type, shape: shape, place: start)
  }

  /// Every byte belongs to just one tensor.
  private func checkPlaces() throws {
    var end = 0, previous = ""
    func comes(_ a: TensorEntry, before b: TensorEntry) -> Bool {
      (a.place, a.byteCount) < (b.place, b.byteCount)
    }
    for entry in entries.sorted(by: comes) {
      guard entry.place >= end else {
        throw CompressError(
          "tensors \"\(previous.escapedForTerminal.shortened(to: 80))\" and "
            + "\"\(entry.name.escapedForTerminal.shortened(to: 80))\" overlap at byte "
            + "\(entry.place)", kind: .input)
      }
      guard entry.place == end else {
        throw CompressError("bytes \(end) to \(entry.place) belong to no tensor", kind: .input)
      }
      (end, previous) = (entry.place + entry.byteCount, entry.name)
    }
    guard end == data.count else {
      throw CompressError("bytes \(end) to \(data.count) belong to no tensor", kind: .input)
    }
  }

  public func floats(_ entry: TensorEntry) -> Tensor {
    let bytes = UnsafeRawBufferPointer(rebasing: data[entry.place..<entry.place + entry.byteCount])
    return withExtendedLifetime(owner) { entry.type.floats(bytes, entry.shape) }
  }
}
