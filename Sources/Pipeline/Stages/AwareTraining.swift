import Compression
import Diagnostics
import Network
import Tensors
import Training

/// Trains a network that is to be quantized, or is already: batch norms folded, weights and activations rounded in the
/// forward pass as the quantized network will round them, clusters held together.
struct AwareTraining {
  /// Where the values that are rounded start.
  private let start: Model
  private let quantized: Model
  private let quantization: FakeQuantization
  /// What becomes of a weight that is neither integers nor values of a table.
  private let formats: [String: WeightFormat]

  /// - Parameter quantized: without training: where it starts.
  /// - Throws: `CompressError` naming the layer when its format cannot be trained for.
  init(_ assignment: QuantizationAssignment, quantized: Model, learnsScales: Bool) throws {
    for layer in quantized.weightLayers {
      if case .codes? = quantized[layer, .weight]?.encoding {
        guard case .clusters = assignment.layers[layer]?.weights else {
          throw CompressError("weights rounded to levels are not trained for", hint: "integers or clusters are")
            .at(layer: layer)
        }
      }
    }
    self.quantized = quantized
    quantization = try Self.quantization(quantized, stepping: false, learnsScales: learnsScales)
    var start = assignment.model
    for layer in quantization.ties.keys.sorted() {
      let weight = quantized[layer, .weight]!
      try start.set(weight.encoded(as: .float(weight.values)), layer, .weight)
    }
    self.start = start
    formats = assignment.layers.mapValues(\.weights)
  }

  /// Of a network that is quantized: integers and tables of whole steps go on as such, with steps that are learned;
  /// other tables as clusters; zeros stay zeros.
  ///
  /// - Throws: `CompressError` naming the layer when what it is stored in cannot be trained.
  init(goingOnWith quantized: Model) throws {
    self.quantized = quantized
    quantization = try Self.quantization(quantized, stepping: true, learnsScales: true)
    var start = try quantized.decoded()
    for layer in quantization.weights.keys.sorted() {
      let weight = quantized[layer, .weight]!
      try start.set(Parameter(.float(weight.values), mask: weight.encoding.nonzeroMask), layer, .weight)
    }
    self.start = start
    formats = [:]
  }

  /// - Parameter stepping: whether tables of whole steps are steps, not clusters.
  private static func quantization(_ model: Model, stepping: Bool, learnsScales: Bool) throws -> FakeQuantization {
    var quantization = FakeQuantization(learnsScales: learnsScales)
    for layer in model.weightLayers {
      switch model[layer, .weight]!.encoding {
      case .float: break
      case .integer(let integers):
        guard integers.zeroPoints == nil else {
          throw CompressError("integers with zero points are not trained").at(layer: layer)
        }
        quantization.weights[layer] = FakeQuantization.Weight(bits: integers.bits, scales: integers.scales)
      case .codes(let coded):
        if stepping, let (step, zero) = coded.steps {
          let limit = max(zero, coded.table.count - 1 - zero)
          quantization.weights[layer] = FakeQuantization.Weight(limit: limit, scales: [step])
        } else {
          quantization.ties[layer] = coded.codes
        }
      }
    }
    for node in model.graph.nodes where !node.op.selectsValues {
      for value in node.outputs {
        guard let encoding = model.activations[value] else { continue }
        guard case .affine(let affine) = encoding else {
          throw CompressError("outputs rounded to levels are not trained for", hint: "linear steps are")
            .at(layer: node.name)
        }
        quantization.activations[value] = affine
      }
    }
    return quantization
  }

  func run(
    _ training: TrainingRecipe, teacher: some Sequence<Model>, label: String, context: StageContext
  ) throws -> StageResult {
    var final = quantization
    var result = try training.train(
      [start] + teacher, label: label, quantization: quantization, context: context,
      onEnd: { final = try $0.currentQuantization() })
    result.model = try assembled(result.model, final)
    return result
  }

  /// The trained weights in the formats trained for.
  private func assembled(_ trained: Model, _ final: FakeQuantization) throws -> Model {
    var model = quantized
    for node in model.graph.nodes {
      for value in node.outputs {
        if let own = final.activations[value] {
          try model.setActivation(own, of: value)
        } else if node.op.selectsValues, model.activations[value] != nil {
          try model.setActivation(model.activations[node.inputs[0]], of: value)
        }
      }
    }
    for layer in model.weightLayers {
      try atLayer(layer) {
        try model.set(weight(of: layer, trained, final), layer, .weight)
        if let bias = trained[layer, .bias] { try setBias(bias.values, of: layer, &model) }
      }
    }
    // Norms, slopes, constants.
    for (layer, role, old) in quantized.allParameters where quantized[layer, .weight] == nil {
      guard case .float(let values) = old.encoding else { continue }
      try model.set(Self.like(values.dtype, trained[layer, role]!.values), layer, role)
    }
    return model
  }

  private func weight(of layer: String, _ trained: Model, _ final: FakeQuantization) throws -> Parameter {
    let weight = trained[layer, .weight]!, old = quantized[layer, .weight]!
    guard let format = final.weights[layer] else {
      if let codes = final.ties[layer], case .codes(let coded) = old.encoding {
        let table = Self.table(coded.table, codes, weight.values)
        return try weight.encoded(as: .codes(CodedValues(codes: codes, table: table)))
      }
      return try formats[layer]?.encoded(weight) ?? weight
    }
    if case .integer(let integers) = old.encoding {
      let rounded = try IntegerValues(rounding: weight.values, scales: format.scales, bits: integers.bits)
      return try weight.encoded(as: .integer(rounded))
    }
    // Steps of a table. The mask is what it was, and what came to be zero is as good as pruned, unless that would leave
    // parts of blocks.
    let step = format.scales[0], most = step * Float(format.limit)
    let clamped = Tensor(weight.values.array(Float.self).map { min(max($0, -most), most) }, weight.shape)
    let integers = try IntegerValues(rounding: clamped, scales: [step], bits: 8)
    let encoding = Encoding.codes(try CodedValues(levels: integers.values, step: step))
    var mask = old.mask.map { _ in encoding.nonzeroMask }
    if case .blocks? = old.structure { mask = old.mask }
    var parameter = try Parameter(encoding, mask: mask)
    parameter.adopt(old.structure)
    return parameter
  }

  private func setBias(_ bias: Tensor, of layer: String, _ model: inout Model) throws {
    try model.setBias(bias, of: layer)
    guard case .float(let old)? = quantized[layer, .bias]?.encoding else { return }
    try model.set(Self.like(old.dtype, bias), layer, .bias)
  }

  /// Floats of a type, unless that does not hold them.
  private static func like(_ dtype: DType, _ values: Tensor) -> Parameter {
    let converted = values.converted(to: dtype)
    return Parameter(converted.firstNonFinite == nil ? converted : values)
  }

  /// What each code has come to stand for; those that nobody uses stay.
  private static func table(_ old: [Float], _ codes: Tensor, _ values: Tensor) -> [Float] {
    var table = old
    codes.withElements(UInt8.self) { codes in
      values.withElements(Float.self) { values in
        for (code, value) in zip(codes, values) { table[Int(code)] = value }
      }
    }
    return table
  }
}

extension Operator {
  /// Whether every output is one of the inputs, or zero, so that it lies on its input's grid. A clamp is part of the
  /// layer before it, whose output is rounded behind the clamp.
  fileprivate var selectsValues: Bool { clampRange == nil && spec.preserves.contains(.selection) }
}
