import Diagnostics
import Tensors

/// A weight as the product of two thinner ones.
public struct WeightFactors: Sendable {
  /// `[rank, …]`, the other axes those of the weight.
  public let first: Tensor
  /// `[outputs, rank]`.
  public let second: Tensor

  public init(first: Tensor, second: Tensor) {
    self.first = first
    self.second = second
  }
}

extension Graph {
  /// What the layer in front of a factorized one is called.
  public static func factorName(_ layer: String) -> String { layer + ".low" }
}

extension Model {
  /// The model with each of those layers replaced by two: one of `rank` filters or units, without bias, that takes the
  /// layer's input as the layer did, and behind it one that has the layer's name, outputs and bias (of a convolution:
  /// 1x1).
  ///
  /// - Throws: `CompressError` naming the layer when it is no dense layer and no convolution in one group, or the
  ///   factors do not fit it.
  public func factorizing(_ factors: [String: WeightFactors]) throws -> Model {
    var parameters: [String: [ParameterRole: Parameter]] = [:]
    var nodes: [Node] = []
    for node in graph.nodes {
      var own = Dictionary(uniqueKeysWithValues: self.parameters(of: node).map { ($0.role, $0.parameter) })
      if let factors = factors[node.name] {
        try atLayer(node.name) {
          let name = Graph.factorName(node.name)
          guard factors.second.rank == 2, factors.first.shape[0] == factors.second.shape[1] else {
            throw CompressError("factors of shapes \(factors.first.shape) and \(factors.second.shape)")
          }
          guard !graph.isShared(node.name),
            let (first, second) = node.op.weighted?.factorized(rank: factors.first.shape[0])
          else { throw CompressError("a \(node.op.spec.kind) has no weight that can be factorized") }
          nodes.append(Node(name, first, node.inputs))
          nodes.append(Node(node.name, second, [name]))
          parameters[name] = [.weight: Parameter(factors.first)]
          let shape = factors.second.shape.dims
          let isConvolution = factors.first.rank == 4
          own[.weight] = Parameter(try factors.second.reshaped(isConvolution ? [shape[0], 1, 1, shape[1]] : shape))
        }
      } else {
        nodes.append(node)
      }
      if !own.isEmpty { parameters[node.name] = own }
    }
    return try Model(
      graph: Graph(nodes, outputs: graph.outputs), parameters: parameters, activations: activations,
      signature: signature)
  }
}
