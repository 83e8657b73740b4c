import Diagnostics
import Tensors

extension Model {
  /// The smaller model that is left when only some channels of each layer's output stay: weights, biases, statistics,
  /// masks and scales are sliced, and filters, units, groups and shapes follow.
  ///
  /// - Parameter kept: by layer, the channels (indices of the last axis) of its output that stay, ascending; a layer
  ///   that is not named keeps all. The lists agree with `Graph.channelCoupling`: what is tied is kept or removed
  ///   together.
  /// - Throws: `CompressError` naming the layer when nothing of it is left, or when the lists do not agree.
  public func keepingChannels(_ kept: [String: [Int]]) throws -> Model {
    for (layer, channels) in kept.sorted(by: { $0.key < $1.key }) {
      try atLayer(layer) {
        guard let extent = graph.index(of: layer).flatMap({ _ in graph.shape(of: layer).dims.last }) else {
          throw CompressError("there is no such layer")
        }
        guard let first = channels.first, let last = channels.last else {
          throw CompressError("none of its \(extent) channels would be left")
        }
        guard first >= 0, last < extent, zip(channels, channels.dropFirst()).allSatisfy({ $0 < $1 }) else {
          throw CompressError("channels to keep ascend within 0...\(extent - 1)")
        }
      }
    }
    var parameters: [String: [ParameterRole: Parameter]] = [:]
    let nodes = try graph.nodes.map { node in
      try atLayer(node.name) {
        let inputs = node.inputs.map { kept[$0] }
        let sliced = try graph.slicing(node, keeping: kept[node.name], of: inputs)
        for (role, parameter) in self.parameters(of: node) {
          let axes = graph.keptIndices(of: node, role, output: kept[node.name], inputs: inputs)
          parameters[node.name, default: [:]][role] = try parameter.gathered(axes)
        }
        return sliced
      }
    }
    return try Model(
      graph: Graph(nodes, output: graph.output), parameters: parameters, activations: activations)
  }
}

extension Graph {
  /// The node as it is among fewer channels; nil keeps all.
  fileprivate func slicing(_ node: Node, keeping output: [Int]?, of inputs: [[Int]?]) throws -> Node {
    var node = node
    switch node.op {
    case .conv2d(var conv):
      let channels = inputShapes(of: node)[0][2]
      if conv.isDepthwise(inputChannels: channels), let left = inputs[0] { conv.groups = left.count }
      if let output { conv.filters = output.count }
      node.op = .conv2d(conv)
    case .dense(var dense):
      if let output { dense.units = output.count }
      node.op = .dense(dense)
    case .reshape(var reshape):
      if let output { reshape.shape = Shape(Array(reshape.shape.dims.dropLast()) + [output.count]) }
      node.op = .reshape(reshape)
    case .pad(var pad):
      if let output {
        let first = pad.before.last!, end = first + inputShapes(of: node)[0].dims.last!
        pad.before[pad.before.count - 1] = output.count { $0 < first }
        pad.after[pad.after.count - 1] = output.count { $0 >= end }
        node.op = .pad(pad)
      }
    case .input, .batchNorm, .activation, .pool2d, .globalPool, .add, .concat, .flatten, .dropout: break
    }
    return node
  }

  /// Which indices of a parameter stay: of its first axis, and of its last where that runs over input channels.
  fileprivate func keptIndices(
    of node: Node, _ role: ParameterRole, output: [Int]?, inputs: [[Int]?]
  ) -> (first: [Int]?, last: [Int]?) {
    guard role == .weight else { return (output, nil) }
    guard case .conv2d(let conv) = node.op else { return (output, inputs[0]) }
    // Within a group; all groups keep the same.
    let channelsInGroup = inputShapes(of: node)[0][2] / conv.groups
    return (output, channelsInGroup == 1 && conv.groups > 1 ? nil : inputs[0]?.filter { $0 < channelsInGroup })
  }
}

extension Parameter {
  /// The parameter with only those indices of its first and of its last axis; nil keeps all.
  fileprivate func gathered(_ kept: (first: [Int]?, last: [Int]?)) throws -> Parameter {
    func gather(_ tensor: Tensor) throws -> Tensor {
      switch kept {
      case (nil, nil): tensor
      case (let first?, nil): try tensor.gathered(axis: 0, first)
      case (nil, let last?): try tensor.gathered(axis: tensor.rank - 1, last)
      case (let first?, let last?): try tensor.gathered(first: first, last: last)
      }
    }
    let encoding: Encoding =
      switch encoding {
      case .float(let tensor): .float(try gather(tensor))
      case .codes(let coded): .codes(try CodedValues(codes: gather(coded.codes), table: coded.table))
      case .integer(let integers):
        .integer(
          try IntegerValues(
            values: gather(integers.values),
            scales: integers.scales.count > 1
              ? (kept.first?.map { integers.scales[$0] } ?? integers.scales) : integers.scales,
            bits: integers.bits))
      }
    return try Parameter(encoding, mask: mask.map(gather))
  }
}
