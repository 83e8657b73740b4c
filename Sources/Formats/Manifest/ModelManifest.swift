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
    /// Both or neither are there; with them the values are integers.
    let bits: Int?
    let scales: Reference?
    let mask: Mask?
  }

  enum Mask: Sendable {
    /// The values that are not zero are kept.
    case nonzero
    /// `[ceil(count / 8)]` uint8, see `PackedMask`.
    case packed(Reference)
  }

  /// Quantization of layer outputs, a column each.
  struct Activations: Codable, Sendable {
    let layers: [String]
    let scales: Reference
    let zeroPoints: Reference

    private enum CodingKeys: String, CodingKey { case layers, scales, zeroPoints = "zero_points" }
  }

  public let graph: Graph
  let parameters: [Entry]
  let activations: Activations?

  /// Takes a model apart.
  ///
  /// - Parameter place: gets each tensor, in an order that depends on the model alone, and says where it put it.
  /// - Throws: what `place` throws.
  public init(_ model: Model, place: (Tensor) throws -> Location) rethrows {
    func reference(_ tensor: Tensor) throws -> Reference {
      Reference(try place(tensor), dtype: tensor.dtype, shape: tensor.shape)
    }
    graph = model.graph
    parameters = try model.allParameters.map { layer, role, parameter in
      let values: Reference, bits: Int?, scales: Reference?
      switch parameter.encoding {
      case .float(let tensor): (values, bits, scales) = (try reference(tensor), nil, nil)
      case .integer(let integers):
        scales = try reference(Tensor(integers.scales))
        (values, bits) = (try reference(integers.values), integers.bits)
      }
      let mask: Mask? = try parameter.mask.map { mask in
        PackedMask.agree(mask, PackedMask.nonzero(parameter.encoding))
          ? .nonzero : .packed(try reference(PackedMask.pack(mask)))
      }
      return Entry(layer: layer, role: role, values: values, bits: bits, scales: scales, mask: mask)
    }
    let quantized = model.graph.nodes.compactMap { node in model.activations[node.name].map { (node.name, $0) } }
    activations =
      quantized.isEmpty
      ? nil
      : Activations(
        layers: quantized.map(\.0), scales: try reference(Tensor(quantized.map(\.1.scale))),
        zeroPoints: try reference(Tensor(quantized.map { UInt8($0.1.zeroPoint) })))
  }

  /// Puts the model together again.
  ///
  /// - Parameter tensor: fetches what a reference names.
  /// - Throws: `CompressError` naming the layer when something is missing, twice there or does not fit the graph,
  ///   a scale is not a positive number, or an integer is out of its range; and what `tensor` throws.
  public func model(_ tensor: (Reference) throws -> Tensor) throws -> Model {
    func fetch(_ reference: Reference, _ dtype: DType, _ shape: Shape, _ what: String) throws -> Tensor {
      guard reference.dtype == dtype, reference.shape == shape else {
        throw CompressError(
          "\(what): \(reference.dtype) of shape \(reference.shape), expected \(dtype) of shape \(shape)", kind: .input)
      }
      return try fetch(reference)
    }
    func fetch(_ reference: Reference) throws -> Tensor {
      let found = try tensor(reference)
      guard found.dtype == reference.dtype, found.shape == reference.shape else {
        throw CompressError(
          "found \(found.dtype) of shape \(found.shape) in place of \(reference.dtype) of shape \(reference.shape)",
          kind: .input)
      }
      return found
    }

    var byLayer: [String: [ParameterRole: Parameter]] = [:]
    for entry in parameters {
      try atLayer(entry.layer) {
        let role = entry.role.rawValue
        guard byLayer[entry.layer]?[entry.role] == nil else { throw CompressError("has two \(role)s", kind: .input) }
        let encoding: Encoding
        switch (entry.bits, entry.scales) {
        case (nil, nil):
          guard entry.values.dtype.isFloat else {
            throw CompressError("\(role): \(entry.values.dtype) values without bits and scales", kind: .input)
          }
          encoding = .float(try fetch(entry.values))
        case (let bits?, let reference?):
          guard reference.shape.rank == 1 else {
            throw CompressError("\(role): scales of shape \(reference.shape)", kind: .input)
          }
          let scales = try fetch(reference, .float32, reference.shape, "\(role)'s scales")
          encoding = .integer(
            try IntegerValues(values: fetch(entry.values), scales: scales.array(), bits: bits))
        default: throw CompressError("\(role) has only one of bits and scales", kind: .input)
        }
        let mask: Tensor? =
          switch entry.mask {
          case nil: nil
          case .nonzero: PackedMask.nonzero(encoding)
          case .packed(let reference):
            PackedMask.unpack(
              try fetch(reference, .uint8, [(encoding.shape.count + 7) / 8], "\(role)'s mask"), encoding.shape)
          }
        byLayer[entry.layer, default: [:]][entry.role] = try Parameter(encoding, mask: mask)
      }
    }

    var quantized: [String: ActivationQuantization] = [:]
    if let activations {
      let count: Shape = [activations.layers.count]
      let scales = try fetch(activations.scales, .float32, count, "activation scales").array(Float.self)
      let zeroPoints = try fetch(activations.zeroPoints, .uint8, count, "activation zero points").array(UInt8.self)
      for (index, layer) in activations.layers.enumerated() {
        try atLayer(layer) {
          guard quantized[layer] == nil else { throw CompressError("has two activation quantizations", kind: .input) }
          quantized[layer] = try ActivationQuantization(scale: scales[index], zeroPoint: Int(zeroPoints[index]))
        }
      }
    }
    return try Model(graph: graph, parameters: byLayer, activations: quantized)
  }

  /// Every tensor the model consists of, in the order in which they were placed.
  public var references: [Reference] {
    var references: [Reference] = []
    for entry in parameters {
      if let scales = entry.scales { references.append(scales) }
      references.append(entry.values)
      if case .packed(let mask)? = entry.mask { references.append(mask) }
    }
    if let activations { references += [activations.scales, activations.zeroPoints] }
    return references
  }
}
