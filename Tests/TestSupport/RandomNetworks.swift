import Network
import Tensors

/// Small networks with awkward shapes, for tests.
public struct RandomNetworks {
  public var random: SeededRandom

  public init(_ seed: Int) { random = SeededRandom(seed: UInt64(seed)) }

  public mutating func pick<T>(_ choices: [T]) -> T { choices[random.below(choices.count)] }

  // MARK: Graphs

  /// A chain with branches of `layers` layers, a head of one or two dense layers at its end.
  public mutating func graph(layers: Int, batchNorm: Bool) throws -> Graph {
    let input: Shape = [5 + random.below(6), 5 + random.below(6), 1 + random.below(6)]
    var net = GraphBuilder(input: input)
    var images: [(name: String, shape: Shape)] = [(net.last, input)]
    for _ in 0..<layers {
      let before = net
      let source = random.below(3) == 0 ? pick(images) : images.last!
      appendLayer(&net, images, source, batchNorm)
      if let shape = try? net.graph().outputShape, shape[0] * shape[1] > 1, shape.count < 2000 {
        images.append((net.last, shape))
      } else {
        net = before
      }
    }
    let features = images.last!.name
    if random.below(2) == 0 { net.globalAveragePool(from: features) } else { net.flatten(from: features) }
    if random.below(2) == 0 {
      net.dense(3 + random.below(20))
      net.activation(pick([.relu, .relu6]))
    }
    net.dense(2 + random.below(12), bias: random.below(3) > 0)
    if random.below(3) == 0 { net.activation(.softmax) }
    return try net.graph()
  }

  private mutating func appendLayer(
    _ net: inout GraphBuilder, _ images: [(name: String, shape: Shape)], _ source: (name: String, shape: Shape),
    _ batchNorm: Bool
  ) {
    switch random.below(11) {
    case 0...4:
      let channels = source.shape[2]
      let groups = pick([1, 1, channels, (1...channels).last { channels % $0 == 0 && $0 <= 2 }!])
      let window = Window(
        Size2D(1 + random.below(3), 1 + random.below(3)), stride: Size2D(1 + random.below(2), 1 + random.below(2)),
        padding: padding(2), dilation: Size2D(pick([1, 1, 2])))
      let filters = groups * (1 + random.below(groups == 1 ? 20 : 3))
      let conv = Conv2D(filters: filters, window: window, groups: groups, hasBias: random.below(3) > 0)
      net.add(.conv2d(conv), [source.name])
      if batchNorm, random.below(2) == 0 { net.batchNorm() }
      if random.below(3) > 0 { net.activation(pick([.relu, .relu6])) }
    case 5:
      let size = 2 + random.below(2)
      let window = Window(Size2D(size), stride: Size2D(1 + random.below(2)), padding: padding(size - 1))
      let pool = pick([Pool2D(.max, window: window), Pool2D(.average, window: window)])
      let counting = Pool2D(.average, window: window, countsPadding: true)
      net.add(.pool2d(random.below(3) == 0 ? counting : pool), [source.name])
    case 6: net.activation(pick([.relu, .relu6, .sigmoid, .hardSwish]), from: source.name)
    case 7:
      let others = images.filter { $0.shape == source.shape }
      net.add(source.name, pick(others).name)
      if random.below(2) == 0 { net.activation(.relu) }
    case 8:
      let others = images.filter { $0.shape.dims.dropLast() == source.shape.dims.dropLast() }
      net.concat([source.name, pick(others).name, pick(others).name])
    case 9:
      let pads = (0..<6).map { _ in random.below(3) }
      net.pad(before: Array(pads[..<3]), after: Array(pads[3...]), from: source.name)
      net.dropout(0.5)
    default:
      if batchNorm { net.batchNorm(from: source.name) } else { net.reshape(source.shape, from: source.name) }
    }
  }

  private mutating func padding(_ limit: Int) -> Padding {
    func pad() -> Int { random.below(limit + 1) }
    return pick([.valid, .same, .explicit(top: pad(), left: pad(), bottom: pad(), right: pad())])
  }

  // MARK: Models

  /// Every parameter drawn, statistics and biases too.
  public mutating func model(_ graph: Graph) throws -> Model {
    var model = try Model(initializing: graph, .heNormal, seed: random.next())
    for (layer, role, parameter) in model.allParameters where role != .weight {
      let values: Tensor =
        role == .variance || role == .gamma
        ? Tensor(uniform: parameter.shape, 0.5, 1.5, using: &random)
        : Tensor(normal: parameter.shape, deviation: 0.3, using: &random)
      try model.set(Parameter(values), layer, role)
    }
    return model
  }

  public mutating func sample(_ shape: Shape) -> Tensor { Tensor(normal: shape, using: &random) }

  /// Integer weights of every layer that `keep` does not name, one scale a channel or one for all, some with zero points
  /// unless all are to be symmetric.
  public mutating func withIntegerWeights(
    _ model: Model, bits: Int = 8, keep: Set<String> = [], symmetric: Bool = false
  ) throws -> Model {
    var model = model
    for layer in model.weightLayers where !keep.contains(layer) {
      let weight = model[layer, .weight]!.values
      let rows = random.below(4) == 0 ? 1 : weight.shape[0]
      let width = weight.count / rows
      let limit = Float(IntegerValues.limit(bits: bits))
      let values: [Float] = weight.array()
      let scales = (0..<rows).map { row in
        max(values[row * width..<(row + 1) * width].map(abs).max()! / limit, 1e-6)
      }
      let reach = Int(limit) / 2
      let zeroPoints =
        random.below(3) == 0 && !symmetric ? (0..<rows).map { _ in Int8(random.below(2 * reach + 1) - reach) } : nil
      let integers = values.enumerated().map { index, value in
        let zero = zeroPoints.map { Float($0[index / width]) } ?? 0
        return Int8(min(max((value / scales[index / width]).rounded(.toNearestOrEven) + zero, -limit), limit))
      }
      let encoding = try IntegerValues(
        values: Tensor(integers, weight.shape), scales: scales, zeroPoints: zeroPoints, bits: bits)
      try model.set(Parameter(.integer(encoding), mask: nil), layer, .weight)
    }
    return model
  }

  /// Biases as int32 where the layer's input is quantized.
  public func withIntegerBiases(_ model: Model) throws -> Model {
    var model = model
    for node in model.graph.nodes {
      guard case .integer(let weight)? = model[node.name, .weight]?.encoding, let bias = model[node.name, .bias],
        let input = model.activations[node.inputs[0]]?.integer
      else { continue }
      let scales = (0..<bias.count).map { input.scale * weight.scales[weight.scales.count == 1 ? 0 : $0] }
      let integers = zip(bias.values.array(Float.self), scales).map { Int32(($0 / $1).rounded(.toNearestOrEven)) }
      let encoding = try IntegerValues(values: Tensor(integers), scales: scales, bits: 32)
      try model.set(Parameter(.integer(encoding), mask: nil), node.name, .bias)
    }
    return model
  }
}
