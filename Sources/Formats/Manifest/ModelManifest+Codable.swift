import Diagnostics
import Files
import Foundation
import Network

extension ModelManifest: Codable {
  private enum CodingKeys: String, CodingKey {
    case graph, parameters, activations, roundings, classes, preprocessing, interface, scales
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    graph = try container.decode(Graph.self, forKey: .graph)
    parameters = try container.decode([Entry].self, forKey: .parameters)
    activations = try container.decodeIfPresent(Activations.self, forKey: .activations)
    roundings = try container.decodeIfPresent(Roundings.self, forKey: .roundings)
    classes = try container.decodeIfPresent([String].self, forKey: .classes)
    preprocessing = try container.decodeIfPresent(Preprocessing.self, forKey: .preprocessing)
    interface = try container.decodeIfPresent(ModelInterface.self, forKey: .interface)
    scales = try container.decodeIfPresent(Reference.self, forKey: .scales)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(graph, forKey: .graph)
    try container.encode(parameters, forKey: .parameters)
    try container.encodeIfPresent(activations, forKey: .activations)
    try container.encodeIfPresent(roundings, forKey: .roundings)
    try container.encodeIfPresent(classes, forKey: .classes)
    try container.encodeIfPresent(preprocessing, forKey: .preprocessing)
    try container.encodeIfPresent(interface, forKey: .interface)
    try container.encodeIfPresent(scales, forKey: .scales)
  }

  /// The manifest as JSON, compact and with sorted keys: equal manifests give equal bytes.
  public func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }

  /// Numbers, texts, lists and objects of a manifest; Inception v3 has ten thousand.
  private static var mostValues: Int { 1 << 21 }

  /// - Throws: `CompressError` when the bytes are not JSON or not a manifest, or are more than any network needs.
  public init(json bytes: UnsafeRawBufferPointer) throws {
    do { try BoundedJSON.check(bytes, values: Self.mostValues) } catch let error as CompressError {
      throw CompressError("broken description of the model: \(error.message)", kind: error.kind)
    }
    do {
      self = try JSONDecoder().decode(ModelManifest.self, from: Data(bytes))
    } catch let error as CompressError {
      throw error
    } catch {
      throw CompressError("broken description of the model: \(Self.explain(error))", kind: .input)
    }
  }

  /// - Throws: `CompressError` when the bytes are not JSON or not a manifest.
  public init(json bytes: [UInt8]) throws { self = try bytes.withUnsafeBytes { try ModelManifest(json: $0) } }

  private static func explain(_ error: any Error) -> String {
    let context: DecodingError.Context
    var what = "is missing"
    switch error {
    case DecodingError.keyNotFound(let key, let found):
      context = found
      what = "\"\(key.stringValue)\" is missing"
    case DecodingError.valueNotFound(_, let found): context = found
    case DecodingError.typeMismatch(let type, let found):
      context = found
      what = "is no \(type)"
    case DecodingError.dataCorrupted(let found):
      context = found
      what = found.debugDescription
    default: return "unreadable"
    }
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? "." + $0.stringValue }.joined()
    return ((path.isEmpty ? "" : "\(path.drop { $0 == "." }): ") + what).escapedForTerminal.shortened(to: 300)
  }
}

extension ModelManifest.Mask: Codable {
  private static var nonzeroName: String { "nonzero" }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let name = try? container.decode(String.self) {
      guard name == Self.nonzeroName else {
        throw CompressError("unknown mask \"\(name.escapedForTerminal.shortened(to: 40))\"", kind: .input)
      }
      self = .nonzero
    } else {
      self = .packed(try container.decode(ModelManifest.Reference.self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .nonzero: try container.encode(Self.nonzeroName)
    case .packed(let reference): try container.encode(reference)
    }
  }
}
