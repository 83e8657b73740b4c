import Diagnostics
import Network
import Tensors

// Descriptions come from anywhere: nothing in them is believed before it is checked.
extension PackedDescription {
  static let codes = "codes"

  /// Where each parameter is: its node, what the graph asks for, and what the description says of it.
  private func located() throws -> [(node: Node, spec: ParameterSpec, entry: Entry)] {
    let wanted = graph.nodes.flatMap { node in
      node.sharing == nil ? graph.parameterSpecs(of: node).map { (node, $0) } : []
    }
    guard wanted.count == parameters.count else {
      throw CompressError("describes \(parameters.count) parameters of a graph with \(wanted.count)", kind: .input)
    }
    return zip(wanted, parameters).map { ($0.0.0, $0.0.1, $0.1) }
  }

  /// How many numbers a parameter takes of the vector of scales.
  private static func scaleCount(_ entry: Entry, _ shape: Shape) throws -> Int {
    if entry.type == codes {
      guard entry.table == nil || entry.steps == nil, let count = entry.table ?? entry.steps, (1...256).contains(count)
      else {
        throw CompressError("codes with a table of \(entry.table ?? entry.steps ?? 0) values", kind: .input)
      }
      return entry.steps == nil ? count : 1
    }
    return switch entry.scales {
    case .one: 1
    case .each: shape.dims.first ?? 1
    case .derived, nil: 0
    }
  }

  /// The tensors there are, in the file's order.
  ///
  /// - Throws: `CompressError` naming the layer when a parameter is described as none can be.
  func layouts() throws -> [PackedTensor] {
    var layouts: [PackedTensor] = []
    var scales = 0
    for (node, spec, entry) in try located() {
      try atLayer(node.name) {
        let dtype: DType
        var offsets: [Int16] = (entry.zeroPoints ?? []).map(Int16.init)
        if entry.type == Self.codes {
          dtype = .uint8
          let zero = entry.zero ?? 0
          guard (0..<256).contains(zero), offsets.isEmpty else {
            throw CompressError("codes told from \(zero), with \(offsets.count) zero points", kind: .input)
          }
          offsets = zero == 0 ? [] : [Int16(zero)]
        } else {
          guard let found = DType(rawValue: entry.type), found.isFloat || found == .int8 || found == .int32 else {
            throw CompressError(
              "\(spec.role.rawValue) of type \"\(entry.type.escapedForTerminal.shortened(to: 40))\"", kind: .input)
          }
          dtype = found
          guard dtype == .int8 || offsets.isEmpty else {
            throw CompressError("\(spec.role.rawValue) of type \(dtype) has no zero points", kind: .input)
          }
          guard [0, 1, spec.shape.dims.first ?? 1].contains(offsets.count) else {
            throw CompressError("\(offsets.count) zero points for shape \(spec.shape)", kind: .input)
          }
        }
        layouts.append(
          PackedTensor(layer: node.name, role: spec.role.rawValue, dtype: dtype, shape: spec.shape, offsets: offsets))
        if entry.mask == .own {
          layouts.append(PackedTensor(layer: node.name, role: "mask", dtype: .uint8, shape: spec.shape))
        }
        scales += try Self.scaleCount(entry, spec.shape)
      }
    }
    for (zeroPoint, levels) in try valueEntries() { scales += (zeroPoint == nil ? 0 : 1) + (levels ?? 0) }
    layouts.append(PackedTensor(layer: nil, role: "scales", dtype: .float32, shape: [scales]))
    return layouts
  }

  /// By value of the graph: zero point and number of levels.
  private func valueEntries() throws -> [(zeroPoint: Int?, levels: Int?)] {
    let values = graph.values.count
    for (what, count) in [("zero points", activations?.count), ("levels", levels?.count)] {
      if let count, count != values {
        throw CompressError("describes \(what) of \(count) values in a graph with \(values)", kind: .input)
      }
    }
    return try (0..<values).map { index in
      let zeroPoint = activations?[index], levels = levels?[index]
      guard zeroPoint == nil || levels == nil, levels.map({ (2...256).contains($0) }) ?? true else {
        throw CompressError("\(levels ?? 0) levels", kind: .input).at(layer: graph.values[index])
      }
      return (zeroPoint, levels)
    }
  }

  /// Puts the model together again.
  ///
  /// - Parameter tensors: as `layouts` says.
  /// - Throws: `CompressError` naming the layer when numbers are not what a model can have.
  func model(_ tensors: [Tensor]) throws -> Model {
    var tensors = tensors[...]
    let scales = tensors.popLast()?.array(Float.self) ?? []
    var next = 0
    func take(_ count: Int) -> [Float] {
      defer { next += count }
      return Array(scales[next..<next + count])
    }
    // Activations come behind the parameters, whose scales they may decide.
    let located = try located()
    next = try located.reduce(0) { $0 + (try Self.scaleCount($1.entry, $1.spec.shape)) }
    let values = try valueEntries()
    var activations: [String: ActivationEncoding] = [:]
    let bits = activationBits ?? values.compactMap { $0.zeroPoint == nil ? nil : 8 }
    var quantized = 0
    for (value, entry) in zip(graph.values, values) {
      guard let zeroPoint = entry.zeroPoint else { continue }
      guard quantized < bits.count else {
        throw CompressError("\(bits.count) numbers of bits for more quantized values", kind: .input)
      }
      activations[value] = try atLayer(value) {
        .affine(try ActivationQuantization(scale: take(1)[0], zeroPoint: zeroPoint, bits: bits[quantized]))
      }
      quantized += 1
    }
    guard quantized == bits.count else {
      throw CompressError("\(bits.count) numbers of bits for \(quantized) quantized values", kind: .input)
    }
    for (value, entry) in zip(graph.values, values) {
      guard let count = entry.levels else { continue }
      activations[value] = try atLayer(value) { .levels(try RoundingLevels(take(count))) }
    }

    next = 0
    var parameters: [String: [ParameterRole: Parameter]] = [:]
    for (node, spec, entry) in located {
      try atLayer(node.name) {
        let values = tensors.removeFirst()
        let encoding: Encoding
        if entry.type == Self.codes {
          guard entry.bits == nil, entry.scales == nil else {
            throw CompressError("\(spec.role.rawValue): codes with scales", kind: .input)
          }
          let table =
            entry.steps.map { CodedValues.table(step: take(1)[0], zero: entry.zero ?? 0, count: $0) }
            ?? take(entry.table ?? 0)
          encoding = .codes(try CodedValues(codes: values, table: table))
        } else if values.dtype.isFloat {
          guard entry.bits == nil, entry.scales == nil else {
            throw CompressError("\(spec.role.rawValue): floats with scales", kind: .input)
          }
          encoding = .float(values)
        } else {
          let scales: [Float]
          switch entry.scales {
          case .one: scales = take(1)
          case .each: scales = take(spec.shape.dims.first ?? 1)
          case .derived:
            guard case .integer(let weight)? = parameters[node.name]?[.weight]?.encoding,
              let derived = PackedContent.derivedScales(activations, node, weight.scales)
            else { throw CompressError("scales that follow from none", kind: .input) }
            scales = derived
          case nil: throw CompressError("\(spec.role.rawValue): integers without scales", kind: .input)
          }
          encoding = .integer(
            try IntegerValues(
              values: values, scales: scales, zeroPoints: entry.zeroPoints,
              bits: entry.bits ?? 8 * values.dtype.size))
        }
        let mask: Tensor? =
          switch entry.mask {
          case nil: nil
          case .nonzero: encoding.nonzeroMask
          case .own: PackedMask.difference(tensors.removeFirst(), encoding.nonzeroMask)
          }
        parameters[node.name, default: [:]][spec.role] = try Parameter(
          encoding, mask: mask, structure: entry.structure)
      }
    }
    return try Model(
      graph: graph, parameters: parameters, activations: activations,
      signature: ModelSignature(classes: classes, preprocessing: preprocessing, interface: interface))
  }
}
