import Diagnostics
import Network
import Tensors

/// A model without the bytes of its tensors: graph, annotations, and where each tensor is.
///
/// The native file and content-addressed stores share it. The file's tensors are at offsets; a store
/// names them by digest and so keeps equal tensors of many models once. For example, with a store:
///
///     let manifest = try ModelManifest<String>(model) { tensor in try store.put(tensor) }
///     let bytes = try manifest.json()
///     …
///     let same = try ModelManifest<String>(json: bytes).model { try store.get($0) }
public struct ModelManifest<Location: Codable & Hashable & Sendable>: Sendable {
  public typealias Reference = TensorReference<Location>

  /// One parameter: floats, or integers with scales.
  struct Entry: Codable, Sendable {
    let layer: String
    let role: ParameterRole
    let values: Reference
    /// How many scales it has; with them the values are integers. They are the next ones of `scales`.
    let scales: Int?
    /// Bits of the integers, where fewer than their type has.
    let bits: Int?
    let mask: Mask?
  }

  enum Mask: Sendable {
    /// The values that are not zero are kept.
    case nonzero
    /// `[ceil(count / 8)]` uint8, see `PackedMask`.
    case packed(Reference)
  }

  /// Quantization of layer outputs, a column each; their scales are the last ones of `scales`.
  struct Activations: Codable, Sendable {
    let layers: [String]
    let zeroPoints: [Int]

    private enum CodingKeys: String, CodingKey { case layers, zeroPoints = "zero_points" }
  }

  public let graph: Graph
  let parameters: [Entry]
  let activations: Activations?
  /// All scales in one float32 vector: alone, each would be tiny.
  let scales: Reference?

  /// Takes a model apart.
  ///
  /// - Parameter place: gets each tensor, in an order that depends on the model alone, and says where it put it.
  /// - Throws: what `place` throws.
  public init(_ model: Model, place: (Tensor) throws -> Location) rethrows {
    func reference(_ tensor: Tensor) throws -> Reference {
      Reference(try place(tensor), dtype: tensor.dtype, shape: tensor.shape)
    }
    var scales: [Float] = []
    graph = model.graph
    parameters = try model.allParameters.map { layer, role, parameter in
      let values: Reference
      var count: Int?, bits: Int?
      switch parameter.encoding {
      case .float(let tensor): values = try reference(tensor)
      case .integer(let integers):
        values = try reference(integers.values)
        scales += integers.scales
        count = integers.scales.count
        bits = integers.bits == 8 * integers.values.dtype.size ? nil : integers.bits
      }
      let mask: Mask? = try parameter.mask.map { mask in
        PackedMask.agree(mask, PackedMask.nonzero(parameter.encoding))
          ? .nonzero : .packed(try reference(PackedMask.pack(mask)))
      }
      return Entry(layer: layer, role: role, values: values, scales: count, bits: bits, mask: mask)
    }
    let quantized = model.graph.nodes.compactMap { node in model.activations[node.name].map { (node.name, $0) } }
    activations =
      quantized.isEmpty ? nil : Activations(layers: quantized.map(\.0), zeroPoints: quantized.map(\.1.zeroPoint))
    scales += quantized.map(\.1.scale)
    self.scales = scales.isEmpty ? nil : try reference(Tensor(scales))
  }

  /// Puts the model together again.
  ///
  /// - Parameter tensor: fetches what a reference names.
  /// - Throws: `CompressError` naming the layer when something is missing, twice there or does not fit the graph,
  ///   a scale is not a positive number, or an integer is out of its range; and what `tensor` throws.
  public func model(_ tensor: (Reference) throws -> Tensor) throws -> Model {
    func fetch(_ reference: Reference) throws -> Tensor {
      let found = try tensor(reference)
      guard found.dtype == reference.dtype, found.shape == reference.shape else {
        throw CompressError(
          "found \(found.dtype) of shape \(found.shape) in place of \(reference.dtype) of shape \(reference.shape)",
          kind: .input)
      }
      return found
    }
    func fetch(_ reference: Reference, _ dtype: DType, _ count: Int, _ what: String) throws -> Tensor {
      guard reference.dtype == dtype, reference.shape == [count] else {
        throw CompressError(
          "\(what): \(reference.dtype) of shape \(reference.shape), expected \(dtype) of shape [\(count)]",
          kind: .input)
      }
      return try fetch(reference)
    }
    var scales: ArraySlice<Float> =
      try self.scales.map { reference in
        try fetch(reference, .float32, reference.shape.count, "scales").array()[...]
      } ?? []
    func take(_ count: Int) throws -> [Float] {
      guard count >= 0, count <= scales.count else {
        throw CompressError("\(count) scales wanted, \(scales.count) left", kind: .input)
      }
      defer { scales = scales.dropFirst(count) }
      return Array(scales.prefix(count))
    }
    func encoding(_ entry: Entry) throws -> Encoding {
      guard let count = entry.scales else {
        guard entry.values.dtype.isFloat, entry.bits == nil else {
          throw CompressError("\(entry.role.rawValue): integers without scales", kind: .input)
        }
        return .float(try fetch(entry.values))
      }
      let bits = entry.bits ?? 8 * entry.values.dtype.size
      return .integer(try IntegerValues(values: fetch(entry.values), scales: take(count), bits: bits))
    }

    var byLayer: [String: [ParameterRole: Parameter]] = [:]
    for entry in parameters {
      try atLayer(entry.layer) {
        guard byLayer[entry.layer]?[entry.role] == nil else {
          throw CompressError("has two \(entry.role.rawValue)s", kind: .input)
        }
        let encoding = try encoding(entry), shape = encoding.shape
        let mask: Tensor? =
          switch entry.mask {
          case nil: nil
          case .nonzero: PackedMask.nonzero(encoding)
          case .packed(let reference):
            PackedMask.unpack(
              try fetch(reference, .uint8, (shape.count + 7) / 8, "\(entry.role.rawValue)'s mask"), shape)
          }
        byLayer[entry.layer, default: [:]][entry.role] = try Parameter(encoding, mask: mask)
      }
    }

    var quantized: [String: ActivationQuantization] = [:]
    if let activations {
      let zeroPoints = activations.zeroPoints, layers = activations.layers
      guard layers.count == zeroPoints.count else {
        throw CompressError("\(zeroPoints.count) zero points for \(layers.count) quantized layers", kind: .input)
      }
      for (layer, (scale, zeroPoint)) in zip(layers, zip(try take(layers.count), zeroPoints)) {
        try atLayer(layer) {
          guard quantized[layer] == nil else { throw CompressError("has two activation quantizations", kind: .input) }
          quantized[layer] = try ActivationQuantization(scale: scale, zeroPoint: zeroPoint)
        }
      }
    }
    guard scales.isEmpty else { throw CompressError("\(scales.count) scales belong to nothing", kind: .input) }
    return try Model(graph: graph, parameters: byLayer, activations: quantized)
  }

  /// Every tensor the model consists of, in the order in which they were placed.
  public var references: [Reference] {
    var references: [Reference] = []
    for entry in parameters {
      references.append(entry.values)
      if case .packed(let mask)? = entry.mask { references.append(mask) }
    }
    return references + (scales.map { [$0] } ?? [])
  }
}
