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

  /// One parameter: floats, integers with scales, or codes with a table.
  struct Entry: Codable, Sendable {
    let layer: String
    let role: ParameterRole
    let values: Reference
    /// How many scales it has; with them the values are integers. They are the next ones of `scales`.
    let scales: Int?
    /// As many as scales; absent where all are 0.
    let zeroPoints: [Int8]?
    /// How many values its table has; with it the values are codes. They, too, are the next ones of `scales`.
    let table: Int?
    /// Bits of the integers, where fewer than their type has.
    let bits: Int?
    /// Their shape, where integers or codes of fewer than 8 bits are packed (`PackedBits`) and `values` are the bytes.
    let packed: Shape?
    let mask: Mask?
    let structure: SparsityStructure?

    private enum CodingKeys: String, CodingKey {
      case layer, role, values, scales, zeroPoints = "zero_points", table, bits, packed, mask, structure
    }
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
    /// Absent when all have 8.
    let bits: [Int]?

    private enum CodingKeys: String, CodingKey { case layers, zeroPoints = "zero_points", bits }

    init(_ quantized: [(layer: String, quantization: ActivationQuantization)]) {
      layers = quantized.map(\.layer)
      zeroPoints = quantized.map(\.quantization.zeroPoint)
      let bits = quantized.map(\.quantization.bits)
      self.bits = bits.allSatisfy { $0 == 8 } ? nil : bits
    }
  }

  /// Layer outputs that are rounded to levels; how many each has, the levels the last ones of `scales`.
  struct Roundings: Codable, Sendable {
    let layers: [String]
    let levels: [Int]
  }

  public let graph: Graph
  let parameters: [Entry]
  let activations: Activations?
  let roundings: Roundings?
  /// Names of the classes, what images become, and how inputs and outputs were held in a foreign file.
  let classes: [String]?
  let preprocessing: Preprocessing?
  let interface: ModelInterface?
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
    classes = model.signature.classes
    preprocessing = model.signature.preprocessing
    interface = model.signature.interface
    parameters = try model.allParameters.map { layer, role, parameter in
      let values: Reference
      var count: Int?, zeroPoints: [Int8]?, bits: Int?, table: Int?, packed: Shape?
      switch parameter.encoding {
      case .float(let tensor): values = try reference(tensor)
      case .integer(let integers):
        scales += integers.scales
        count = integers.scales.count
        zeroPoints = integers.zeroPoints
        if integers.bits < 8 { (bits, packed) = (integers.bits, integers.values.shape) }
        values = try reference(
          integers.bits < 8
            ? integers.values.withElements(Int8.self) { q in
              PackedBits.pack(q.count, bits: integers.bits) { UInt8(bitPattern: q[$0]) }
            } : integers.values)
      case .codes(let coded):
        scales += coded.table
        table = coded.table.count
        if coded.bits < 8 { packed = coded.codes.shape }
        values = try reference(
          coded.bits < 8
            ? coded.codes.withElements(UInt8.self) { codes in
              PackedBits.pack(codes.count, bits: coded.bits) { codes[$0] }
            } : coded.codes)
      }
      let mask: Mask? = try parameter.mask.map { mask in
        PackedMask.agree(mask, parameter.encoding.nonzeroMask)
          ? .nonzero : .packed(try reference(PackedMask.pack(mask)))
      }
      return Entry(
        layer: layer, role: role, values: values, scales: count, zeroPoints: zeroPoints, table: table, bits: bits,
        packed: packed, mask: mask, structure: parameter.structure)
    }
    var quantized: [(layer: String, quantization: ActivationQuantization)] = []
    var rounded: [(layer: String, levels: [Float])] = []
    for value in model.graph.values {
      switch model.activations[value] {
      case .affine(let quantization): quantized.append((value, quantization))
      case .levels(let levels): rounded.append((value, levels.values))
      case nil: break
      }
    }
    activations = quantized.isEmpty ? nil : Activations(quantized)
    scales += quantized.map(\.quantization.scale)
    roundings = rounded.isEmpty ? nil : Roundings(layers: rounded.map(\.layer), levels: rounded.map(\.levels.count))
    scales += rounded.flatMap(\.levels)
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
    /// What `values` of an entry are, unpacked if need be.
    func numbers(_ entry: Entry, bits: Int, isSigned: Bool) throws -> Tensor {
      guard let shape = entry.packed else { return try fetch(entry.values) }
      let what = "\(entry.role.rawValue) of \(bits) bits"
      guard (1...7).contains(bits), let count = PackedBits.byteCount(shape.count, bits: bits) else {
        throw CompressError("\(what), packed into shape \(shape)", kind: .input)
      }
      return PackedBits.unpack(try fetch(entry.values, .uint8, count, what), shape, bits: bits, isSigned: isSigned)
    }
    func encoding(_ entry: Entry) throws -> Encoding {
      if let count = entry.table {
        guard entry.scales == nil, entry.zeroPoints == nil, entry.bits == nil else {
          throw CompressError("\(entry.role.rawValue): codes with scales", kind: .input)
        }
        let table = try take(count)
        let codes = try numbers(entry, bits: CodedValues.bits(forTableOf: count), isSigned: false)
        return .codes(try CodedValues(codes: codes, table: table))
      }
      guard let count = entry.scales else {
        guard entry.zeroPoints == nil, entry.values.dtype.isFloat, entry.bits == nil, entry.packed == nil else {
          throw CompressError("\(entry.role.rawValue): integers without scales", kind: .input)
        }
        return .float(try fetch(entry.values))
      }
      let bits = entry.bits ?? 8 * entry.values.dtype.size
      let values = try numbers(entry, bits: bits, isSigned: true)
      return .integer(try IntegerValues(values: values, scales: take(count), zeroPoints: entry.zeroPoints, bits: bits))
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
          case .nonzero: encoding.nonzeroMask
          case .packed(let reference):
            PackedMask.unpack(
              try fetch(reference, .uint8, (shape.count + 7) / 8, "\(entry.role.rawValue)'s mask"), shape)
          }
        byLayer[entry.layer, default: [:]][entry.role] = try Parameter(encoding, mask: mask, structure: entry.structure)
      }
    }

    var quantized: [String: ActivationEncoding] = [:]
    if let activations {
      let zeroPoints = activations.zeroPoints, layers = activations.layers
      guard layers.count == zeroPoints.count else {
        throw CompressError("\(zeroPoints.count) zero points for \(layers.count) quantized layers", kind: .input)
      }
      let bits = activations.bits ?? [Int](repeating: 8, count: layers.count)
      guard layers.count == bits.count else {
        throw CompressError("\(bits.count) numbers of bits for \(layers.count) quantized layers", kind: .input)
      }
      for (index, scale) in try take(layers.count).enumerated() {
        try atLayer(layers[index]) {
          guard quantized[layers[index]] == nil else {
            throw CompressError("has two activation quantizations", kind: .input)
          }
          quantized[layers[index]] = .affine(
            try ActivationQuantization(scale: scale, zeroPoint: zeroPoints[index], bits: bits[index]))
        }
      }
    }
    if let roundings {
      guard roundings.layers.count == roundings.levels.count else {
        throw CompressError(
          "\(roundings.levels.count) numbers of levels for \(roundings.layers.count) layers", kind: .input)
      }
      for (layer, count) in zip(roundings.layers, roundings.levels) {
        try atLayer(layer) {
          guard quantized[layer] == nil else { throw CompressError("has two activation quantizations", kind: .input) }
          quantized[layer] = .levels(try RoundingLevels(take(count)))
        }
      }
    }
    guard scales.isEmpty else { throw CompressError("\(scales.count) scales belong to nothing", kind: .input) }
    return try Model(
      graph: graph, parameters: byLayer, activations: quantized,
      signature: ModelSignature(classes: classes, preprocessing: preprocessing, interface: interface))
  }

  /// The first version of the native format whose readers understand it.
  var version: UInt32 {
    let isNew =
      activations?.bits != nil || roundings != nil
      || parameters.contains { $0.table != nil || $0.packed != nil || $0.values.dtype == .bfloat16 }
    let isNewest =
      classes != nil || preprocessing != nil || interface != nil
      || parameters.contains { $0.structure != nil || $0.zeroPoints != nil }
    return max(isNewest ? 3 : isNew ? 2 : 1, graph.formatVersion)
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

extension Graph {
  /// The first version of the native format that knows all it says.
  fileprivate var formatVersion: UInt32 {
    let isNew =
      inputs.count > 1 || outputs.count > 1 || nodes.contains { $0.sharing != nil || $0.outputs != [$0.name] }
    return nodes.reduce(isNew ? 3 : 1) { max($0, $1.op.spec.formatVersion(inputShapes(of: $1))) }
  }
}
