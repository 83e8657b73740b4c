import Diagnostics
import Network
import Tensors

/// Takes out of each layer's output what its own quantization adds to its mean: `b' = b + W·m - Wq·r`, where m is the
/// mean of the layer's input in the float model and r the mean of the same values rounded (Nagel et al. 2019, measured
/// instead of derived). What earlier layers add, they take back themselves. Padding is taken for more of the same.
public enum BiasCorrection {
  /// - Parameters:
  ///   - quantized: of the same graph as `original`.
  ///   - layers: those to correct; layers without a bias stay as they are.
  /// - Throws: `CompressError` naming the layer when a bias does not fit its integers.
  public static func correct(
    _ quantized: inout Model, of original: Model, layers: some Sequence<String>, means: InputMeans,
    roundedMeans: InputMeans
  ) throws {
    for layer in layers {
      try atLayer(layer) {
        guard !original.graph.isShared(layer), let bias = original[layer, .bias], let mean = means[layer],
          let roundedMean = roundedMeans[layer]
        else { return }
        let node = original.graph[layer]!
        let before = response(of: original[layer, .weight]!.values, to: mean, node)
        let after = response(of: quantized[layer, .weight]!.values, to: roundedMean, node)
        let moved = zip(bias.values.array(Float.self), zip(before, after)).map { Float(Double($0) + $1.0 - $1.1) }
        try quantized.setBias(Tensor(moved), of: layer)
      }
    }
  }

  /// What the layer makes of an input that is the same everywhere, for each output channel; of a transposed convolution
  /// the mean over its pixels, which see different parts of the weight.
  static func response(of weight: Tensor, to input: [Double], _ node: Node) -> [Double] {
    let filters = weight.shape[0], depth = weight.shape.dims.last!
    let groups = node.op.weighted?.groups ?? 1
    let taps = weight.count / max(filters * depth, 1)
    var parts = 1.0
    if case .conv2d(let conv) = node.op { parts = Double(conv.inputDilation.height * conv.inputDilation.width) }
    return weight.withElements(Float.self) { w in
      (0..<filters).map { filter in
        let first = filter / max(filters / groups, 1) * depth
        var sum = 0.0
        for tap in 0..<taps {
          for c in 0..<depth { sum += Double(w[(filter * taps + tap) * depth + c]) * input[first + c] }
        }
        return sum / parts
      }
    }
  }
}

extension Model {
  /// Replaces a layer's bias, as integers where its weight and its input are integers; one that several layers share
  /// stays float, since their inputs have scales of their own.
  ///
  /// - Throws: `CompressError` when a value does not fit its integers.
  public mutating func setBias(_ bias: Tensor, of layer: String) throws {
    if let parameter = self[layer, .weight], case .integer(var weight) = parameter.encoding,
      let input = activations[graph[layer]!.inputs[0]]?.integer, !graph.isShared(layer)
    {
      if let scaled = weight.scaled(forBias: bias.array(Float.self), inputScale: input.scale) {
        weight = scaled
        try set(parameter.encoded(as: .integer(scaled)), layer, .weight)
      }
      let integers = try IntegerValues(bias: bias, inputScale: input.scale, weightScales: weight.scales)
      try set(Parameter(.integer(integers)), layer, .bias)
    } else {
      try set(Parameter(bias), layer, .bias)
    }
  }
}
