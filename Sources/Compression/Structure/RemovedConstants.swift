import Diagnostics
import Network
import Tensors

/// What a channel always is, whatever the input: a filter of zeros gives its bias, a batch norm with gamma 0 its beta.
struct ChannelConstant {
  var value: Double
  /// False where zeros around an image make the pixels at its borders something else.
  var isExact = true

  /// With zeros between the pixels: what it is on the average.
  func spread(_ spacing: Size2D) -> ChannelConstant {
    let pixels = spacing.height * spacing.width
    return ChannelConstant(value: value / Double(pixels), isExact: isExact && (value == 0 || pixels == 1))
  }
}

extension Model {
  /// For each value its channels that are constant; the others are nil.
  func channelConstants() -> [String: [ChannelConstant?]] {
    var all: [String: [ChannelConstant?]] = [:]
    for node in graph.nodes {
      let known = constants(of: node, node.inputs.map { all[$0]! })
      for value in node.outputs {
        all[value] = known ?? [ChannelConstant?](repeating: nil, count: graph.shape(of: value).dims.last ?? 0)
      }
    }
    return all
  }

  /// Of a node's output, given those of its inputs; nil where nothing is known of any channel.
  private func constants(of node: Node, _ inputs: [[ChannelConstant?]]) -> [ChannelConstant?]? {
    let spec = node.op.spec, shapes = graph.inputShapes(of: node)
    let channels = graph.shape(of: node.output).dims.last ?? 0
    func isPadded(_ window: Window) -> Bool { !window.staysInside(shapes[0]) }
    /// The same value, but at the borders where zeros count as pixels.
    func bordered(_ constant: ChannelConstant?, _ hasBorder: Bool) -> ChannelConstant? {
      constant.map { ChannelConstant(value: $0.value, isExact: $0.isExact && !(hasBorder && $0.value != 0)) }
    }
    if let layer = spec as? any WeightedSpec {
      var input = inputs[0]
      if case .conv2d(let conv) = node.op, conv.isTransposed {
        input = input.map { $0.map { $0.spread(conv.inputDilation) } }
      }
      return weighted(
        node, input, groups: layer.groups, hasBorder: layer.weightWindow.map(isPadded) ?? false)
    }
    if let range = spec.clampRange {
      return inputs[0].map { constant in
        constant.map {
          ChannelConstant(
            value: min(max($0.value, Double(range.lowerBound)), Double(range.upperBound)), isExact: $0.isExact)
        }
      }
    }
    if let function = spec.elementFunction {
      return inputs[0].map { constant in
        constant.map { ChannelConstant(value: Double(function(Float($0.value))), isExact: $0.isExact) }
      }
    }
    if let function = spec.pairFunction {
      return (0..<channels).map { c in
        let pair = inputs.map { $0.count == 1 ? $0[0] : $0.indices.contains(c) ? $0[c] : nil }
        // Zero times what varies.
        if spec.absorbsZero, let zero = pair.first(where: { $0?.value == 0 && $0?.isExact == true }) { return zero }
        guard let a = pair[0], let b = pair[1] else { return nil }
        return ChannelConstant(
          value: Double(function(Float(a.value), Float(b.value))), isExact: a.isExact && b.isExact)
      }
    }
    if spec.rearrangement(shapes) != nil {
      return moved(inputs[0], spec.coupling(shapes, [graph.shape(of: node.output)]), channels)
    }
    if spec.preserves.contains(.elements) {
      let before = inputs[0].count
      guard before > 0, channels % before == 0 else { return nil }
      return (0..<channels).map { inputs[0][$0 % before] }
    }
    switch node.op {
    case .globalPool, .resize: return inputs[0]
    case .insertZeros(let zeros): return inputs[0].map { $0.map { $0.spread(zeros.spacing) } }
    case .reduce(let reduce):
      guard !reduce.axes.contains(shapes[0].rank - 1) else { return nil }
      let count = reduce.function == .sum ? Double(reduce.axes.reduce(1) { $0 * shapes[0][$1] }) : 1
      return inputs[0].map { constant in
        constant.map { ChannelConstant(value: $0.value * count, isExact: $0.isExact) }
      }
    case .prelu:
      let slopes: [Float] = self[node.name, .slope]!.values.array()
      return zip(inputs[0], slopes).map { constant, slope in
        constant.map { ChannelConstant(value: $0.value < 0 ? $0.value * Double(slope) : $0.value, isExact: $0.isExact) }
      }
    case .normalization(let norm): return norm.groups.flatMap { normalized(inputs[0], node, norm, groups: $0) }
    // What the weights of a softmax, which come to one, multiply.
    case .attention: return inputs[2]
    case .batchNorm:
      func values(_ role: ParameterRole) -> [Float] { self[node.name, role]!.values.array() }
      let factors = normFactors(of: node.name), mean = values(.mean), beta = values(.beta)
      return inputs[0].indices.map { c in
        if factors[c] == 0 { return ChannelConstant(value: Double(beta[c])) }
        return inputs[0][c].map {
          ChannelConstant(
            value: ($0.value - Double(mean[c])) * Double(factors[c]) + Double(beta[c]), isExact: $0.isExact)
        }
      }
    case .pool2d(let pool):
      let hasBorder = pool.countsPadding && isPadded(pool.window)
      return inputs[0].map { bordered($0, hasBorder) }
    case .concat(let concat) where concat.joinsChannels(rank: shapes[0].rank): return inputs.flatMap { $0 }
    case .pad(let pad):
      let hasBorder = (pad.before.dropLast() + pad.after.dropLast()).contains { $0 > 0 }
      let zeros = [pad.before.last ?? 0, pad.after.last ?? 0].map {
        [ChannelConstant?](repeating: ChannelConstant(value: 0), count: $0)
      }
      return zeros[0] + inputs[0].map { bordered($0, hasBorder) } + zeros[1]
    default: return nil  // the declared fallback: no channel of any other operator is known to be constant
    }
  }

  /// Of what only picks elements: constant where all that a channel picks from are, exactly where they are the same.
  private func moved(
    _ input: [ChannelConstant?], _ coupling: ChannelCoupling, _ channels: Int
  ) -> [ChannelConstant?] {
    var sources = [[Int]](repeating: [], count: channels)
    for (a, b) in coupling.ties {
      switch (a.side, b.side) {
      case (.output, .input): sources[a.index].append(b.index)
      case (.input, .output): sources[b.index].append(a.index)
      case (.input, .input), (.output, .output): continue
      }
    }
    return sources.map { sources in
      let constants = sources.compactMap { input[$0] }
      guard let first = constants.first, constants.count == sources.count else { return nil }
      if constants.allSatisfy({ $0.value == first.value }) {
        return ChannelConstant(value: first.value, isExact: constants.allSatisfy(\.isExact))
      }
      // Pixels of one and of the other: on the average.
      let sum = constants.reduce(0) { $0 + $1.value }
      return ChannelConstant(value: sum / Double(constants.count), isExact: false)
    }
  }

  /// Of a group normalization: constant where all channels of a group are.
  private func normalized(
    _ input: [ChannelConstant?], _ node: Node, _ norm: SampleNorm, groups: Int
  ) -> [ChannelConstant?] {
    let scale: [Float]? = self[node.name, .gamma]?.values.array()
    let shift: [Float]? = self[node.name, .beta]?.values.array()
    let size = input.count / groups
    return input.indices.map { c in
      let group = input[c / size * size..<(c / size + 1) * size].compactMap { $0 }
      guard group.count == size, let own = input[c] else { return nil }
      let values = group.map(\.value), mean = norm.statistic == .variance ? values.reduce(0, +) / Double(size) : 0
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size)
      let divisor = (squares + Double(norm.epsilon)).squareRoot()
      let value = divisor == 0 ? 0 : (own.value - mean) / divisor
      return ChannelConstant(
        value: value * Double(scale?[c] ?? 1) + Double(shift?[c] ?? 0), isExact: group.allSatisfy(\.isExact))
    }
  }

  /// Of a convolution or dense layer: constant where all is that a filter's weights do not multiply by zero.
  private func weighted(
    _ node: Node, _ input: [ChannelConstant?], groups: Int, hasBorder: Bool
  ) -> [ChannelConstant?] {
    let weight = self[node.name, .weight]!.values
    let filters = weight.shape[0], channels = weight.shape.dims.last!, width = weight.count / max(filters, 1)
    let bias: [Float]? = self[node.name, .bias]?.values.array()
    return weight.withElements(Float.self) { values in
      (0..<filters).map { f in
        let first = f / (filters / groups) * channels
        var constant = ChannelConstant(value: Double(bias?[f] ?? 0))
        // Of most filters the first weight decides.
        for i in 0..<width where values[f * width + i] != 0 {
          guard let source = input[first + i % channels] else { return nil }
          constant.value += source.value * Double(values[f * width + i])
          constant.isExact = constant.isExact && source.isExact && !(hasBorder && source.value != 0)
        }
        return constant
      }
    }
  }
}

/// A weight `[filters, …, channels]` added up over its window.
private struct WeightSums {
  let filters: Int
  /// Of one group.
  let channels: Int
  private var sums: [Double]
  private var greatest: [Float]

  init(_ model: Model, _ layer: String) {
    let weight = model[layer, .weight]!.values
    let filters = weight.shape[0], channels = weight.shape.dims.last!
    var sums = [Double](repeating: 0, count: filters * channels)
    var greatest = [Float](repeating: 0, count: filters * channels)
    let width = weight.count / max(filters, 1)
    weight.withElements(Float.self) { values in
      for f in 0..<filters {
        for i in 0..<width {
          let value = values[f * width + i], place = f * channels + i % channels
          sums[place] += Double(value)
          greatest[place] = max(greatest[place], value.isNaN ? .infinity : abs(value))
        }
      }
    }
    (self.filters, self.channels, self.sums, self.greatest) = (filters, channels, sums, greatest)
  }

  func sum(_ filter: Int, _ channel: Int) -> Double { sums[filter * channels + channel] }
  func isZero(_ filter: Int, _ channel: Int) -> Bool { greatest[filter * channels + channel] == 0 }
}

extension Window {
  /// Whether no pixel outside an image of that shape is ever under the window.
  fileprivate func staysInside(_ shape: Shape) -> Bool {
    let pads = pads(height: shape[0], width: shape[1])
    return [pads.top, pads.left, pads.bottom, pads.right].allSatisfy { $0 == 0 }
  }
}

/// A model in which what channels always add to later layers is in those layers' biases, so that the channels can go.
public struct CarriedConstants {
  public let model: Model
  /// Layers that gained something.
  public private(set) var layers: [String] = []
  /// Those of them whose outputs change at the borders all the same: around the image the channel was zero, and what is
  /// added now is added there too.
  public private(set) var bordered: [String] = []

  /// - Parameter kept: by layer, the channels of its output that are to stay, as `Model.keepingChannels` takes them.
  init(_ original: Model, keeping kept: [String: [Int]]) throws {
    let graph = original.graph
    let constants = original.channelConstants(), consumers = graph.consumers
    var parameters = original.parametersByLayer
    var nodes = graph.nodes
    for (index, node) in graph.nodes.enumerated() {
      // A layer that shares its weights would have to share what it gains.
      guard let stay = node.inputs.first.flatMap({ kept[$0] }), let layer = node.op.weighted,
        case .float? = original[node.name, .weight]?.encoding, !graph.isShared(node.name)
      else { continue }
      let known = constants[node.inputs[0]]!, staying = Set(stay)
      let gone = known.indices.filter { c in
        !staying.contains(c) && known[c].map { $0.value != 0 && $0.value.isFinite } == true
      }
      guard !gone.isEmpty else { continue }
      // A depthwise filter goes with its channel.
      if layer.isDepthwise(inputChannels: known.count) { continue }
      let groups = layer.groups
      let hasBorder = layer.weightWindow.map { !$0.staysInside(graph.inputShapes(of: node)[0]) } ?? false
      let sums = WeightSums(original, node.name)
      var shift = [Double](repeating: 0, count: sums.filters), isExact = true
      for c in gone {
        let group = c / sums.channels, filtersInGroup = sums.filters / groups
        for f in group * filtersInGroup..<(group + 1) * filtersInGroup where !sums.isZero(f, c % sums.channels) {
          shift[f] += known[c]!.value * sums.sum(f, c % sums.channels)
          isExact = isExact && known[c]!.isExact && !hasBorder
        }
      }
      guard shift.contains(where: { $0 != 0 }) || !isExact else { continue }
      layers.append(node.name)
      if !isExact { bordered.append(node.name) }
      func adding(_ sign: Double, to old: Parameter?) -> Parameter {
        let old: [Float] = old?.values.array() ?? [Float](repeating: 0, count: shift.count)
        return Parameter(Tensor(zip(old, shift).map { Float(Double($0) + sign * $1) }))
      }
      let reader = consumers[node.name]?.count == 1 ? graph[consumers[node.name]![0]] : nil
      if parameters[node.name]![.bias] != nil {
        parameters[node.name]![.bias] = adding(1, to: parameters[node.name]![.bias])
      } else if let reader, reader.op.isBatchNorm, !graph.isShared(reader.name), !graph.isOutput(node.name) {
        // What is subtracted there is less by as much: the layer stays without a bias.
        parameters[reader.name]![.mean] = adding(-1, to: parameters[reader.name]![.mean])
      } else {
        parameters[node.name]![.bias] = adding(1, to: nil)
        nodes[index].op = layer.withBias
      }
    }
    model =
      layers.isEmpty
      ? original
      : try Model(
        graph: Graph(nodes, outputs: graph.outputs), parameters: parameters, activations: original.activations,
        signature: original.signature)
  }

  /// For people: where it went; nil where nothing was to be carried.
  public var note: String? {
    layers.isEmpty ? nil : "what removed channels always gave is in the biases of \(Self.list(layers))"
  }

  /// For people: where that is not the same; nil where it is everywhere.
  public var warning: String? {
    guard !bordered.isEmpty else { return nil }
    return "removed channels that were always the same, and not zero, meet zeros around the images of "
      + "\(Self.list(bordered)): outputs change at the borders"
  }

  private static func list(_ layers: [String]) -> String {
    layers.prefix(6).map { "\"\($0.escapedForTerminal.shortened(to: 80))\"" }.joined(separator: ", ")
      + (layers.count > 6 ? " and \(layers.count - 6) more" : "")
  }
}
