import Diagnostics
import Network

extension Model {
  /// One network of parts of several: each convolution or dense layer has its parameters from the model that `choice`
  /// names, by position.
  ///
  /// A layer's input and output are quantized as its own model has them; where neighbours differ, with more bits
  /// rather than fewer, and quantized rather than float. What lies between such values follows.
  ///
  /// - Parameter models: of the same graph; batch norms that only some have folded are folded in all.
  /// - Throws: `CompressError` when the graphs differ.
  public static func mixing(_ models: [Model], _ choice: (String) -> Int) throws -> Model {
    let models = try models.map { try $0.foldingBatchNorm() }
    let graph = models[0].graph
    for model in models.dropFirst() where model.graph != graph {
      throw CompressError("the models are of different networks: \(graph.difference(from: model.graph))")
    }
    var mixed = try Model(graph: graph, parameters: models[0].parametersByLayer, signature: models[0].signature)
    let consumers = graph.consumers
    /// By value: the models of the layers that touch it, producers first.
    var touching: [String: [Int]] = [:]
    for layer in mixed.weightLayers {
      let model = models[choice(layer)]
      for (role, parameter) in model.parameters(of: graph[layer]!) { try mixed.set(parameter, layer, role) }
      for value in [graph.outputBehindClamp(of: layer, consumers), graph[layer]!.inputs[0]] {
        touching[value, default: []].append(choice(layer))
      }
    }
    var source: [String: Int] = [:]
    /// The finest of these models' encodings of a value.
    func finest(_ candidates: [Int], of value: String) -> Int? {
      candidates.filter { models[$0].activations[value] != nil }
        .max { models[$0].activations[value]!.bits < models[$1].activations[value]!.bits }
    }
    for node in graph.nodes {
      let result = graph.outputBehindClamp(of: node.output, consumers)
      var candidates = touching[result] ?? []
      switch node.op.spec.quantization {
      case .ofInput, .own:
        let inputs = node.inputs.map { source[$0] }
        // All of them quantized: then so is this, as in one of theirs.
        if inputs.allSatisfy({ $0 != nil }) {
          if node.inputs.count == 1, let own = inputs[0], models[own].activations[result] != nil { candidates = [own] }
          candidates += inputs.compactMap { $0 }
        }
      case .weighted, .fused, .float: break
      }
      guard source[result] == nil, let own = finest(candidates, of: result) else { continue }
      source[result] = own
      try mixed.setActivation(models[own].activations[result], of: result)
    }
    return mixed
  }
}

extension ActivationEncoding {
  /// Bits of what a value can be.
  var bits: Int {
    switch self {
    case .affine(let quantization): quantization.bits
    case .levels(let levels): Int.bitWidth - (levels.values.count - 1).leadingZeroBitCount
    }
  }
}

extension Graph {
  /// Where two graphs are different, for an error.
  fileprivate func difference(from other: Graph) -> String {
    guard inputShapes == other.inputShapes else { return "one takes \(inputShapes), another \(other.inputShapes)" }
    for node in nodes {
      let name = "\"\(node.name.escapedForTerminal)\"", shape = shape(of: node.name)
      guard let counterpart = other[node.name] else { return "one has a layer \(name), another none of that name" }
      let otherShape = other.shape(of: node.name)
      guard shape == otherShape else { return "\(name) yields \(shape) in one, \(otherShape) in another" }
      guard counterpart == node else { return "\(name) is not the same in both" }
    }
    return "one has \(nodes.count) layers, another \(other.nodes.count)"
  }
}
