import Descriptors
import Kernels
import Network
import Tensors

extension Node {
  /// The node bound to memory; nil when there is nothing to compute. `isFused` says that the layer before has
  /// already applied this activation.
  func makeLayer(
    _ inputs: [Value], _ output: Value, _ parameters: inout NodeParameters, batchSize: Int,
    precision: ProductPrecision, isFused: Bool
  ) throws -> (any Layer)? {
    let own = try parameters.of(self), owner = sharing ?? name
    let quantization = parameters.weights.quantization
    func parameter(_ role: ParameterRole) -> TrainableParameter? { own[role] }
    func rounding() throws -> WeightRounding? {
      try quantization.weights[owner].map {
        try WeightRounding(parameter(.weight)!, learned: parameter(.weightScale), $0)
      }
    }
    var ties: WeightTies? {
      quantization.ties[owner].map { WeightTies(parameter(.weight)!, codes: $0.array()) }
    }
    let shapes = inputs.map(\.shape)
    if let rearrangement = op.spec.rearrangement(shapes) { return OrderLayer(rearrangement, inputs[0], output) }
    switch op {
    case .input: return nil
    case .constant(let spec): return ConstantLayer(parameter(spec.role)!, output)
    case .conv2d(let spec):
      let geometry = try ConvolutionGeometry(spec, image: inputs[0].shape)
      return LinearLayer(
        geometry, inputs[0], output, weight: parameter(.weight)!, bias: parameter(.bias), precision: precision,
        rounding: try rounding(), ties: ties)
    case .dense(let spec):
      return try LinearLayer(
        .dense(over: inputs[0].shape, outputs: spec.units), inputs[0], output, weight: parameter(.weight)!,
        bias: parameter(.bias), precision: precision, rounding: rounding(), ties: ties)
    case .batchNorm(let spec):
      return try BatchNormLayer(
        spec, inputs[0], output, gamma: parameter(.gamma)!, beta: parameter(.beta)!,
        mean: parameter(.mean)!, variance: parameter(.variance)!, batchSize: batchSize)
    case .activation(.sigmoid): return SigmoidLayer(input: inputs[0], output: output)
    case .activation(.softmax): return SoftmaxLayer(input: inputs[0], output: output)
    case .activation(.logSoftmax): return SoftmaxLayer(input: inputs[0], output: output, isLogarithm: true)
    case .activation(let function):
      if let range = function.clampRange {
        return ClampLayer(range: range, input: inputs[0], output: output, isFused: isFused)
      }
      return ElementLayer(Elementwise.Function(function)!, function, inputs[0], output)
    case .pool2d(let spec):
      let window = try WindowGeometry(spec.window, image: inputs[0].shape)
      return try PoolLayer(
        spec.reduction, window, countsPadding: spec.countsPadding, inputs[0], output, batchSize: batchSize)
    case .globalPool(let spec):
      let image = inputs[0].shape
      let window = try WindowGeometry(
        height: image[0], width: image[1], channels: image[2], kernel: (image[0], image[1]))
      return try PoolLayer(spec.reduction, window, inputs[0], output, batchSize: batchSize)
    case .add:
      return inputs[0].shape == inputs[1].shape ? AddLayer(inputs, output) : try PairLayer(.add, op, inputs, output)
    case .mul: return try PairLayer(.multiply, op, inputs, output)
    case .binary(let binary): return try PairLayer(PairFunction(binary.function), op, inputs, output)
    case .prelu: return try PReLULayer(inputs[0], output, slope: parameter(.slope)!, batchSize: batchSize)
    case .reduce(let spec): return ReduceLayer(AxisReduction(spec, over: shapes[0]), inputs[0], output)
    case .argMax(let spec): return ArgMaxLayer(.argMax(spec, shapes[0]), inputs[0], output)
    case .normalization(let spec):
      return try NormalizationLayer(
        StatisticNormalization(spec, over: shapes[0]), inputs[0], output, scale: parameter(.gamma),
        shift: parameter(.beta), batchSize: batchSize)
    case .matmul(let spec):
      return MatMulLayer(BatchedProduct(spec, shapes[0], shapes[1], output.shape), inputs, output)
    case .attention(let spec):
      return try AttentionLayer(AttentionGeometry(spec, shapes), inputs, output, batchSize: batchSize)
    case .resize(let spec): return BilinearLayer(Interpolation(spec, over: shapes[0]), inputs[0], output)
    case .transpose, .gather, .expand, .tile, .depthToSpace, .spaceToDepth:
      preconditionFailure("\(op.spec.kind) only rearranges")
    case .concat(let spec): return ConcatLayer(inputs, output, axis: spec.axis(rank: output.shape.rank))
    case .flatten, .reshape: return ViewLayer(input: inputs[0], output: output)
    case .pad(let spec): return PadLayer(ZeroPadding(spec, over: shapes[0]), inputs[0], output)
    case .insertZeros(let spec): return PadLayer(ZeroPadding(spec, over: shapes[0]), inputs[0], output)
    case .dropout(let spec): return DropoutLayer(spec, inputs[0], output, name: name)
    }
  }
}

extension Operator {
  /// Whether the output has the input's elements in the input's order, while training too: dropout does not.
  var isView: Bool { if case .dropout = self { false } else { isReshape } }

  /// Whether an input's gradient may lie where the output's does: it is the same, or written over it at last.
  var sharesGradientSlot: Bool {
    if case .add = self { true } else { isBatchNorm }
  }

  /// Whether the backward pass reads the output and not the input, which the output may then replace.
  var gradientFollowsFromOutput: Bool {
    guard case .activation(let function) = self else { return false }
    return switch function {
    case .relu, .relu6, .clip, .sigmoid, .softmax, .logSoftmax: true
    default: false
    }
  }
}

/// The parameters that nodes compute with: their own, or another layer's with gradients of their own, since several
/// layers that each wrote the same gradient would leave the last one's.
struct NodeParameters {
  let weights: TrainableWeights
  private(set) var shares: [TrainableParameter] = []

  init(_ weights: TrainableWeights) { self.weights = weights }

  mutating func of(_ node: Node) throws -> [ParameterRole: TrainableParameter] {
    var own = weights.parameters(of: node.sharing ?? node.name)
    guard node.sharing != nil else { return own }
    for (role, parameter) in own {
      let share = try TrainableParameter(sharing: parameter)
      own[role] = share
      shares.append(share)
    }
    return own
  }
}
