import Compression
import Diagnostics
import Network
import Tensors
import Training

/// Trains a network that is to be quantized: batch norms folded, weights and activations rounded in the forward pass as
/// the quantized network will round them, clusters held together.
struct AwareTraining {
  private let assignment: QuantizationAssignment
  private let quantized: Model
  private let quantization: FakeQuantization

  /// - Parameter quantized: without training: where it starts.
  /// - Throws: `CompressError` naming the layer when its format cannot be trained for.
  init(_ assignment: QuantizationAssignment, quantized: Model, learnsScales: Bool) throws {
    self.assignment = assignment
    self.quantized = quantized
    var quantization = FakeQuantization(learnsScales: learnsScales)
    for layer in quantized.weightLayers {
      try atLayer(layer) {
        switch quantized[layer, .weight]!.encoding {
        case .float: break
        case .integer(let integers):
          quantization.weights[layer] = FakeQuantization.Weight(bits: integers.bits, scales: integers.scales)
        case .codes(let coded):
          guard case .clusters = assignment.layers[layer]?.weights else {
            throw CompressError("weights rounded to levels are not trained for", hint: "integers or clusters are")
          }
          quantization.ties[layer] = coded.codes
        }
      }
    }
    for node in quantized.graph.nodes where !node.op.selectsValues {
      for value in node.outputs {
        guard let encoding = quantized.activations[value] else { continue }
        guard case .affine(let affine) = encoding else {
          throw CompressError("outputs rounded to levels are not trained for", hint: "linear steps are")
            .at(layer: node.name)
        }
        quantization.activations[value] = affine
      }
    }
    self.quantization = quantization
  }

  func run(
    _ training: TrainingRecipe, teacher: some Sequence<Model>, label: String, context: StageContext
  ) throws -> (Model, StageRecord) {
    var start = assignment.model
    for layer in quantization.ties.keys.sorted() {
      let weight = quantized[layer, .weight]!
      try start.set(weight.encoded(as: .float(weight.values)), layer, .weight)
    }
    var final = quantization
    let result = try training.train(
      [start] + teacher, label: label, quantization: quantization, context: context,
      onEnd: { final = try $0.currentQuantization() })
    return (try assembled(result.model, final), result.record)
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
        let weight = trained[layer, .weight]!
        if let format = final.weights[layer] {
          let integers = try IntegerValues(rounding: weight.values, scales: format.scales, bits: format.bits)
          try model.set(weight.encoded(as: .integer(integers)), layer, .weight)
        } else if let codes = final.ties[layer], case .codes(let coded)? = model[layer, .weight]?.encoding {
          let table = Self.table(coded.table, codes, weight.values)
          try model.set(weight.encoded(as: .codes(CodedValues(codes: codes, table: table))), layer, .weight)
        } else {
          try model.set(assignment.layers[layer]?.weights.encoded(weight) ?? weight, layer, .weight)
        }
        if let bias = trained[layer, .bias] { try model.setBias(bias.values, of: layer) }
      }
    }
    return model
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
