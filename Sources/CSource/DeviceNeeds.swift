import Network
import Tensors

/// What a network takes on a device as C source, known without any being written.
public struct DeviceNeeds {
  /// Bytes of its arena, inputs and outputs included.
  public let arenaBytes: Int
  /// Bytes of weights and tables.
  public let constantBytes: Int

  /// - Throws: `CompressError` naming the layer there is no C for.
  public init(_ model: Model) throws {
    let network = try CNetwork(model), layout = try Layout(network)
    arenaBytes = layout.plan.byteCount
    constantBytes = SourceWriter(network, layout, prefix: "net").constantBytes
  }

  /// What a float network will take in int8: with a scale to each filter, and every value but its outputs quantized, as
  /// recipes do by default. How large it is does not depend on what the numbers are.
  public init(inIntegers model: Model) throws { try self.init(model.inIntegers()) }
}

extension Model {
  /// The network with int8 in place of floats, at ranges that nobody has measured.
  fileprivate func inIntegers() throws -> Model {
    var model = try foldingBatchNorm()
    for layer in model.weightLayers {
      guard case .float? = model[layer, .weight]?.encoding, let weight = model[layer, .weight] else { continue }
      let values: [Float] = weight.values.array(), rows = weight.shape[0], width = values.count / max(rows, 1)
      let scales = (0..<rows).map { row in
        max((values[row * width..<(row + 1) * width].map(abs).max() ?? 0) / 127, 1e-4)
      }
      let integers = values.enumerated().map { index, value in
        Int8(max(-127, min(127, (value / scales[index / max(width, 1)]).rounded())))
      }
      try model.set(
        Parameter(.integer(IntegerValues(values: Tensor(integers, weight.shape), scales: scales, bits: 8))), layer,
        .weight)
    }
    for value in model.graph.values where model.activations[value] == nil && !model.graph.isOutput(value) {
      try model.setActivation(ActivationQuantization(low: -1, high: 1), of: value)
    }
    return model
  }
}
