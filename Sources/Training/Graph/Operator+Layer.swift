import Kernels
import Network
import Tensors

extension Node {
  /// The node bound to memory; nil when there is nothing to compute. `isFused` says that the layer before has
  /// already applied this activation.
  func makeLayer(
    _ inputs: [Value], _ output: Value, _ weights: TrainableWeights, batchSize: Int, precision: ProductPrecision,
    isFused: Bool
  ) throws -> (any Layer)? {
    func parameter(_ role: ParameterRole) -> TrainableParameter? { weights.parameter(name, role) }
    func rounding() throws -> WeightRounding? {
      try weights.quantization.weights[name].map {
        try WeightRounding(parameter(.weight)!, learned: parameter(.weightScale), $0)
      }
    }
    var ties: WeightTies? {
      weights.quantization.ties[name].map { WeightTies(parameter(.weight)!, codes: $0.array()) }
    }
    switch op {
    case .input: return nil
    case .conv2d(let spec):
      let geometry = try ConvolutionGeometry(
        WindowGeometry(spec.window, over: inputs[0].shape), outputChannels: spec.filters, groups: spec.groups)
      return LinearLayer(
        geometry, inputs[0], output, weight: parameter(.weight)!, bias: parameter(.bias), precision: precision,
        rounding: try rounding(), ties: ties)
    case .dense(let spec):
      return try LinearLayer(
        .dense(inputs: inputs[0].size, outputs: spec.units), inputs[0], output, weight: parameter(.weight)!,
        bias: parameter(.bias), precision: precision, rounding: rounding(), ties: ties)
    case .batchNorm(let spec):
      return try BatchNormLayer(
        spec, inputs[0], output, gamma: parameter(.gamma)!, beta: parameter(.beta)!,
        mean: parameter(.mean)!, variance: parameter(.variance)!, batchSize: batchSize)
    case .activation(.relu):
      return ClampLayer(range: 0 ... .infinity, input: inputs[0], output: output, isFused: isFused)
    case .activation(.relu6): return ClampLayer(range: 0...6, input: inputs[0], output: output, isFused: isFused)
    case .activation(.sigmoid): return SigmoidLayer(input: inputs[0], output: output)
    case .activation(.softmax): return SoftmaxLayer(input: inputs[0], output: output)
    case .pool2d(let spec):
      let window = try WindowGeometry(spec.window, over: inputs[0].shape)
      return try PoolLayer(
        spec.reduction, window, countsPadding: spec.countsPadding, inputs[0], output, batchSize: batchSize)
    case .globalPool(let spec):
      let image = inputs[0].shape
      let window = try WindowGeometry(
        height: image[0], width: image[1], channels: image[2], kernel: (image[0], image[1]))
      return try PoolLayer(spec.reduction, window, inputs[0], output, batchSize: batchSize)
    case .add: return AddLayer(inputs, output)
    case .concat: return ConcatLayer(inputs, output)
    case .flatten, .reshape: return ViewLayer(input: inputs[0], output: output)
    case .pad(let spec): return PadLayer(spec, inputs[0], output)
    case .dropout(let spec): return DropoutLayer(spec, inputs[0], output, name: name)
    }
  }
}

extension Operator {
  /// Whether the output has the input's elements in the input's order.
  var isView: Bool {
    switch self {
    case .flatten, .reshape: true
    default: false
    }
  }

  /// Whether an input's gradient may lie where the output's does: it is the same, or written over it at last.
  var sharesGradientPlace: Bool {
    switch self {
    case .batchNorm, .add: true
    default: false
    }
  }

  var hasTrainableParameters: Bool {
    switch self {
    case .conv2d, .dense, .batchNorm: true
    case .input, .activation, .pool2d, .globalPool, .add, .concat, .flatten, .reshape, .pad, .dropout: false
    }
  }
}
