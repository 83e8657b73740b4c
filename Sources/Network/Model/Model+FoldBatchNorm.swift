import Tensors

extension Model {
  /// The same function with every batch norm that directly follows a float convolution or dense
  /// layer (as its only consumer) folded into that layer's weight and bias:
  /// `w' = w * g`, `b' = (b - mean) * g + beta`, with `g = gamma / sqrt(variance + epsilon)`.
  ///
  /// The folded layer keeps its name and mask and gains a bias; the batch norm disappears.
  /// Layers whose weights are integers are left alone: folding would derive integers anew; so are layers that share
  /// their weights, behind which there may be other batch norms.
  public func foldingBatchNorm() throws -> Model {
    let consumers = graph.consumers
    var folded: [String: Node] = [:]  // by the batch norm's name: the layer it folds into
    for node in graph.nodes {
      guard node.op.isBatchNorm, node.sharing == nil, !graph.isShared(node.name),
        let source = graph.producer(of: node.inputs[0]), consumers[source.name] == [node.name],
        !graph.isOutput(source.name), activations[source.name] == nil, !graph.isShared(source.name),
        case .float? = self[source.name, .weight]?.encoding
      else { continue }
      folded[node.name] = source
    }
    guard !folded.isEmpty else { return self }

    var parameters: [String: [ParameterRole: Parameter]] = [:]
    var nodes: [Node] = []
    let norms = Dictionary(uniqueKeysWithValues: folded.map { ($1.name, $0) })
    func renamed(_ name: String) -> String { folded[name]?.name ?? name }

    for node in graph.nodes where folded[node.name] == nil {
      var node = node
      node.inputs = node.inputs.map(renamed)
      var own = Dictionary(uniqueKeysWithValues: self.parameters(of: node).map { ($0.role, $0.parameter) })
      if let norm = norms[node.name] {
        let (weight, bias) = try foldedParameters(of: node, into: norm)
        own[.weight] = weight
        own[.bias] = bias
        if let layer = node.op.weighted { node.op = layer.withBias }
      }
      nodes.append(node)
      if !own.isEmpty { parameters[node.name] = own }
    }
    let annotations = Dictionary(uniqueKeysWithValues: activations.map { (renamed($0), $1) })
    return try Model(
      graph: Graph(nodes, outputs: graph.outputs.map(renamed)), parameters: parameters, activations: annotations,
      signature: signature)
  }

  /// What a batch norm multiplies each channel by: `gamma / sqrt(variance + epsilon)`.
  ///
  /// - Precondition: the layer is a batch norm.
  public func normFactors(of norm: String) -> [Float] {
    guard case .batchNorm(let spec)? = graph[norm]?.op, let gamma = self[norm, .gamma],
      let variance = self[norm, .variance]
    else { preconditionFailure("\(norm) is no batch norm") }
    return zip(gamma.values.array(Float.self), variance.values.array(Float.self)).map {
      $0 / ($1 + spec.epsilon).squareRoot()
    }
  }

  private func foldedParameters(of node: Node, into norm: String) throws -> (weight: Parameter, bias: Parameter) {
    func values(_ layer: String, _ role: ParameterRole) -> [Float]? { self[layer, role]?.values.array() }
    let beta = values(norm, .beta)!, mean = values(norm, .mean)!
    let factor = normFactors(of: norm)
    let old = self[node.name, .weight]!
    var weight = old.values
    let width = weight.count / factor.count
    weight.withMutable(Float.self) { w in
      for channel in factor.indices {
        for i in channel * width..<(channel + 1) * width { w[i] *= factor[channel] }
      }
    }
    let bias = values(node.name, .bias) ?? [Float](repeating: 0, count: factor.count)
    let shifted = factor.indices.map { (bias[$0] - mean[$0]) * factor[$0] + beta[$0] }
    return (try old.encoded(as: .float(weight)), Parameter(Tensor(shifted)))
  }
}
