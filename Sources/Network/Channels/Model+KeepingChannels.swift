import Diagnostics
import Tensors

extension Model {
  /// The smaller model that is left when only some channels of each layer's output stay: weights, biases, statistics,
  /// masks and scales are sliced, and filters, units, groups and shapes follow.
  ///
  /// - Parameter kept: by value, its channels (indices of the last axis) that stay, ascending; a value
  ///   that is not named keeps all. The lists agree with `Graph.channelCoupling`: what is tied is kept or removed
  ///   together.
  /// - Throws: `CompressError` naming the layer when nothing of it is left, or when the lists do not agree.
  public func keepingChannels(_ kept: [String: [Int]]) throws -> Model {
    for (layer, channels) in kept.sorted(by: { $0.key < $1.key }) {
      try atLayer(layer) {
        let extent = try channelCount(of: layer)
        guard let first = channels.first, let last = channels.last else {
          throw CompressError("none of its \(extent) channels would be left")
        }
        guard first >= 0, last < extent, zip(channels, channels.dropFirst()).allSatisfy({ $0 < $1 }) else {
          throw CompressError("channels to keep ascend within 0...\(extent - 1)")
        }
      }
    }
    return try gatheringChannels(kept)
  }

  /// The same function with the channels of some layers in another order, and everything that goes by channels in it, too.
  ///
  /// - Parameter orders: by value, the channel (index of the last axis) that comes to each place; a value that is not
  ///   named keeps its order. The lists agree with `Graph.channelCoupling`: what is tied moves together.
  /// - Throws: `CompressError` naming the layer when a list is no order of its channels.
  public func reorderingChannels(_ orders: [String: [Int]]) throws -> Model {
    for (layer, channels) in orders.sorted(by: { $0.key < $1.key }) {
      try atLayer(layer) {
        let extent = try channelCount(of: layer)
        guard channels.sorted() == Array(0..<extent) else {
          throw CompressError("an order of its \(extent) channels names each of them once")
        }
      }
    }
    return try gatheringChannels(orders)
  }

  private func channelCount(of layer: String) throws -> Int {
    guard let extent = graph.index(ofValue: layer).flatMap({ _ in graph.shape(of: layer).dims.last }) else {
      throw CompressError("there is no such layer")
    }
    return extent
  }

  private func gatheringChannels(_ kept: [String: [Int]]) throws -> Model {
    var parameters: [String: [ParameterRole: Parameter]] = [:]
    let nodes = try graph.nodes.map { node in
      try atLayer(node.name) {
        let kept = KeptChannels(
          inputs: node.inputs.map { kept[$0] }, outputs: node.outputs.map { kept[$0] },
          shapes: graph.inputShapes(of: node))
        for (role, parameter) in self.parameters(of: node) {
          parameters[node.name, default: [:]][role] = try parameter.gathered(node.op.spec.keptIndices(of: role, kept))
        }
        var node = node
        node.op = node.op.spec.keeping(kept).asOperator
        return node
      }
    }
    let smaller = try Graph(nodes, outputs: graph.outputs)
    return try Model(
      graph: smaller, parameters: parameters, activations: activations, signature: signature.fitting(smaller))
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
      case .integer(let integers): .integer(try integers.gathered(gather(integers.values), first: kept.first))
      }
    var sliced = try Parameter(encoding, mask: mask.map(gather))
    // Runs and blocks are cut anew where inputs went.
    sliced.adopt(structure)
    return sliced
  }
}

extension IntegerValues {
  /// Some of the values, with the scales and zero points of those output channels; nil keeps all.
  fileprivate func gathered(_ values: Tensor, first: [Int]?) throws -> IntegerValues {
    func own<T>(_ all: [T]) -> [T] { all.count > 1 ? first?.map { all[$0] } ?? all : all }
    return try IntegerValues(values: values, scales: own(scales), zeroPoints: zeroPoints.map(own), bits: bits)
  }
}
