import Network
import Runtime

extension VariantResult.Layer {
  /// What a model's layers cost, beside how the runtime computes them.
  static func all(_ cost: ModelCost, _ plan: Plan, _ saved: [ZerosSaved]) -> [VariantResult.Layer] {
    // A layer's own step comes before conversions of its value; the input has nothing but conversions.
    let steps = Dictionary(plan.steps.map { ($0.layer, $0) }, uniquingKeysWith: { own, _ in own })
    return cost.layers.map { layer in
      let step = plan.inputNames.contains(layer.name) ? nil : steps[layer.name]
      var row = VariantResult.Layer(
        name: layer.name, kind: layer.kind, filters: layer.filters, parameters: layer.parameters,
        nonzero: layer.nonzero, weights: layer.weights, nonzeroWeights: layer.nonzeroWeights, macs: layer.macs,
        encoding: layer.encoding, bits: layer.bits, structure: layer.structure, bytes: layer.bytes,
        arithmetic: step?.arithmetic.rawValue, kernel: step?.kernelName, kernelReason: step?.choice?.reason)
      row.zerosSaved = saved.first { $0.layer == layer.name }
      return row
    }
  }
}
