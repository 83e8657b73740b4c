import Diagnostics
import Files
import Foundation
import Network
import Tensors

extension ONNXFile {
  /// How a file is written.
  public struct WriteOptions {
    /// The version of the operators, 13 to 21.
    public var version = 17
    /// Bytes of all files; more are not written.
    public var limit = Int.max
    /// Bytes of a file from which on weights lie in another one beside it: protobuf allows no message of 2^31.
    public var largestMessage = Int(Int32.max) - 1 << 20
    /// Told what of the model the file does not hold, or holds otherwise.
    public var note: (String) -> Void = { _ in }

    public init() {}
  }

  public static let writtenOperatorSets = 13...21
  /// The smallest weight that goes to another file, in bytes.
  private static let smallestExternal = 1 << 10
  /// Where weights begin there: at pages, so that they can be mapped.
  private static let externalAlignment = 1 << 12

  /// Writes a model; each file appears whole or not at all. The same model gives the same bytes.
  ///
  /// - Returns: bytes of the file, and of the one beside it with the weights, if there is one.
  /// - Throws: `CompressError` naming the layer that the format cannot say; with the path when the system refuses.
  @discardableResult
  public static func write(_ model: Model, to path: String, _ options: WriteOptions = WriteOptions()) throws -> Int {
    guard writtenOperatorSets.contains(options.version) else {
      throw CompressError(
        "opset \(options.version): written are versions \(writtenOperatorSets.lowerBound) to "
          + "\(writtenOperatorSets.upperBound) of the operators")
    }
    var exporter = try ONNXExporter(model, options)
    let graph = try exporter.written()
    let metadata = metadata(of: model)
    var pieces = graph.pieces(metadata: metadata, places: [:]), beside = 0
    if pieces.reduce(0, { $0 + $1.count }) > options.largestMessage {
      var places: [String: ONNXGraphWriter.Place] = [:], end = 0
      let file = (path.splitByBytes(at: "/").last ?? path) + ".data"
      let external = graph.initializers.filter { $0.byteCount >= smallestExternal }
      for initializer in external {
        let offset = (end + externalAlignment - 1) / externalAlignment * externalAlignment
        places[initializer.name] = ONNXGraphWriter.Place(file: file, offset: offset)
        end = offset + initializer.byteCount
      }
      try AtomicFile.write(to: path + ".data", limit: options.limit) { writer in
        for initializer in external {
          try writer.pad(to: externalAlignment)
          try write(initializer, to: writer)
        }
        beside = writer.count
      }
      pieces = graph.pieces(metadata: metadata, places: places)
    }
    var count = 0
    try AtomicFile.write(to: path, limit: options.limit - beside) { writer in
      for piece in pieces {
        switch piece {
        case .bytes(let bytes): try writer.write(bytes)
        case .elements(let initializer): try write(initializer, to: writer)
        }
      }
      count = writer.count
    }
    return count + beside
  }

  private static func write(_ initializer: ONNXGraphWriter.Initializer, to writer: FileWriter) throws {
    let tensor = try initializer.make().contiguous()
    guard tensor.byteCount == initializer.byteCount else {
      preconditionFailure("\(initializer.name): \(tensor.byteCount) bytes, not \(initializer.byteCount)")
    }
    try tensor.withBytes { try writer.write($0) }
  }

  /// What a reader may want to know, by name.
  private static func metadata(of model: Model) -> [(String, String)] {
    let cost = ModelCost(model)
    var encodings: [String: Int] = [:]
    for layer in cost.layers { if let encoding = layer.encoding { encodings[encoding, default: 0] += 1 } }
    let weights = encodings.sorted { $0.key < $1.key }.map { "\($0.key) in \($0.value)" }.joined(separator: ", ")
    var entries = [
      ("macs", "\(cost.macs)"), ("nonzero_weights", "\(cost.nonzeroWeights) of \(cost.weights)"),
      ("parameters", "\(cost.parameters)"),
    ]
    if !weights.isEmpty { entries.append(("weights_by_layers", weights)) }
    if let classes = model.signature.classes, let json = try? JSONEncoder().encode(classes) {
      entries.append(("classes", String(decoding: json, as: UTF8.self)))
    }
    if let preprocessing = model.signature.preprocessing {
      entries.append(("preprocessing", preprocessing.description))
    }
    return entries
  }
}
