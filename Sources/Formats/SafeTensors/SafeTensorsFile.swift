import Diagnostics
import Files
import Foundation
import Tensors

/// A safetensors file: named tensors without a network, over the mapped file.
///
///     header length (8 bytes, little-endian) | JSON header | tensors, without gaps
///
/// The header is anybody's: every offset is checked against the shape, the file and the other tensors.
///
/// `@unchecked Sendable`: the bytes are the owner's, which never changes them and is held.
public struct SafeTensorsFile: @unchecked Sendable {
  public struct Entry: Sendable {
    public let name: String
    public let type: ElementType
    public let shape: Shape
    /// Where its bytes are, from the beginning of the data.
    let range: Range<Int>

    public var byteCount: Int { range.count }
  }

  public static let fileExtension = "safetensors"
  /// The longest header accepted, as in the format's reference implementation.
  static let headerLimit = 100_000_000

  /// By name.
  public let entries: [Entry]
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
    guard bytes.count >= 8 else { throw CompressError("is truncated: \(bytes.count) bytes", kind: .input) }
    var reader = ByteReader(bytes)
    let count = try reader.u64()
    guard count <= Self.headerLimit, count <= reader.remaining else {
      throw CompressError("has a header of \(count) bytes in \(bytes.count)", kind: .input)
    }
    let header = try SafeTensorsHeader(json: Data(reader.slice(count)))
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

  private static func entry(_ name: String, _ tensor: SafeTensorsHeader.Entry, dataCount: Int) throws -> Entry {
    let label = "tensor \"\(name.escapedForTerminal)\""
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
    return Entry(name: name, type: type, shape: shape, range: start..<end)
  }

  /// Every byte belongs to just one tensor.
  private func checkPlaces() throws {
    var end = 0, previous = ""
    func comes(_ a: Entry, before b: Entry) -> Bool {
      (a.range.lowerBound, a.range.upperBound) < (b.range.lowerBound, b.range.upperBound)
    }
    for entry in entries.sorted(by: comes) {
      guard entry.range.lowerBound >= end else {
        throw CompressError(
          "tensors \"\(previous.escapedForTerminal)\" and \"\(entry.name.escapedForTerminal)\" overlap at byte "
            + "\(entry.range.lowerBound)", kind: .input)
      }
      guard entry.range.lowerBound == end else {
        throw CompressError("bytes \(end) to \(entry.range.lowerBound) belong to no tensor", kind: .input)
      }
      (end, previous) = (entry.range.upperBound, entry.name)
    }
    guard end == data.count else {
      throw CompressError("bytes \(end) to \(data.count) belong to no tensor", kind: .input)
    }
  }

  /// The values as float32. Floats of other widths are converted exactly or to the nearest, integers to the nearest.
  func floats(_ entry: Entry) -> Tensor {
    let bytes = UnsafeRawBufferPointer(rebasing: data[entry.range])
    return withExtendedLifetime(owner) { entry.type.floats(bytes, entry.shape) }
  }
}

/// What a header says, not yet believed.
struct SafeTensorsHeader: Decodable {
  struct Entry: Codable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    private enum CodingKeys: String, CodingKey { case dtype, shape, offsets = "data_offsets" }
  }

  /// By name.
  let tensors: [(String, Entry)]
  let metadata: [String: String]

  static let metadataKey = "__metadata__"

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// - Throws: `CompressError` saying what is wrong with the JSON.
  init(json: Data) throws {
    do { self = try JSONDecoder().decode(SafeTensorsHeader.self, from: json) } catch let error as CompressError {
      throw error
    } catch let error as DecodingError {
      throw CompressError("has a broken header: \(error.place)", kind: .input)
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    tensors = try container.allKeys.filter { $0.stringValue != Self.metadataKey }
      .sorted { $0.stringValue < $1.stringValue }
      .map { ($0.stringValue, try container.decode(Entry.self, forKey: $0)) }
    metadata =
      try container.decodeIfPresent([String: String].self, forKey: Key(stringValue: Self.metadataKey)) ?? [:]
  }
}

extension DecodingError {
  /// Where and what, in one line.
  fileprivate var place: String {
    func text(_ context: Context, _ what: String) -> String {
      let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
      return (path.isEmpty ? "" : "\(path.prefix(200)): ".escapedForTerminal) + what
    }
    return switch self {
    case .keyNotFound(let key, let context): text(context, "\"\(key.stringValue)\" is missing")
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context): text(context, "is no \(type)")
    case .dataCorrupted(let context): text(context, "is no JSON that means anything here")
    @unknown default: "cannot be read"
    }
  }
}
