import Tensors

/// How a weight of a new network is drawn. Fans are counted as Keras does: receptive field times channels.
public enum WeightInitializer: String, Sendable, Codable, CaseIterable {
  /// Uniform within `sqrt(6 / (fanIn + fanOut))` (Glorot and Bengio 2010).
  case glorotUniform = "glorot_uniform"
  /// Normal with deviation `sqrt(2 / fanIn)` (He et al. 2015).
  case heNormal = "he_normal"
  /// Normal with deviation `sqrt(2 / fanOut)`, He et al.'s other choice: keeps the size of gradients.
  case heNormalFanOut = "he_normal_fan_out"
  /// Normal with deviation 0.01, for classifiers (Krizhevsky et al. 2012).
  case smallNormal = "small_normal"
  /// Normal with deviation 0.1, drawn anew beyond 0.2 (the Inception networks).
  case truncatedNormal = "truncated_normal"
  /// Normal with deviation 0.02, drawn anew beyond 0.04 (transformers; Touvron et al. 2021).
  case smallTruncatedNormal = "small_truncated_normal"

  func draw(_ shape: Shape, using random: inout SeededRandom) -> Tensor {
    let outputs = shape[0]
    let field = shape.dims.dropFirst().dropLast().reduce(1, *)
    let fanIn = Float(field * shape.dims.last!), fanOut = Float(field * outputs)
    switch self {
    case .glorotUniform:
      let limit = (6 / (fanIn + fanOut)).squareRoot()
      return Tensor(uniform: shape, -limit, limit, using: &random)
    case .heNormal: return Tensor(normal: shape, deviation: (2 / fanIn).squareRoot(), using: &random)
    case .heNormalFanOut: return Tensor(normal: shape, deviation: (2 / fanOut).squareRoot(), using: &random)
    case .smallNormal: return Tensor(normal: shape, deviation: 0.01, using: &random)
    case .truncatedNormal: return Tensor(normal: shape, deviation: 0.1, truncatedAt: 2, using: &random)
    case .smallTruncatedNormal: return Tensor(normal: shape, deviation: 0.02, truncatedAt: 2, using: &random)
    }
  }
}

/// How the weights of a new network are drawn: those of convolutions and those of dense layers.
public struct Initialization: Sendable, Hashable, Codable {
  public let convolution: WeightInitializer
  public let dense: WeightInitializer

  public init(convolution: WeightInitializer, dense: WeightInitializer) {
    self.convolution = convolution
    self.dense = dense
  }

  public init(_ both: WeightInitializer) { self.init(convolution: both, dense: both) }
}

extension Model {
  /// A new network: weights drawn, biases zero, batch norms the identity. The same graph and seed
  /// give the same model; each layer draws from a stream of its own.
  public init(
    initializing graph: Graph, _ initialization: Initialization = Initialization(.glorotUniform), seed: UInt64
  ) throws {
    let root = SeededRandom(seed: seed)
    var parameters: [String: [ParameterRole: Parameter]] = [:]
    for node in graph.nodes where node.sharing == nil {
      for spec in graph.parameterSpecs(of: node) {
        let values: Tensor
        switch spec.role {
        case .weight:
          var random = root.stream("initialize \(node.name)")
          let isDense = if case .dense = node.op { true } else { false }
          let initializer = isDense ? initialization.dense : initialization.convolution
          values = initializer.draw(spec.shape, using: &random)
        case .embedding:
          var random = root.stream("initialize \(node.name)")
          values = Tensor(normal: spec.shape, deviation: 0.02, truncatedAt: 2, using: &random)
        case .gamma, .variance: values = Tensor(repeating: 1, spec.shape)
        case .slope: values = Tensor(repeating: 0.25, spec.shape)
        case .bias, .beta, .mean, .constant, .weightScale, .outputScale: values = Tensor(zeros: spec.shape)
        }
        parameters[node.name, default: [:]][spec.role] = Parameter(values)
      }
    }
    try self.init(graph: graph, parameters: parameters)
  }

  public init(initializing graph: Graph, _ initializer: WeightInitializer, seed: UInt64) throws {
    try self.init(initializing: graph, Initialization(initializer), seed: seed)
  }
}
