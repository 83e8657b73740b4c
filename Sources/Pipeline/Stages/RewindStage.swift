import Diagnostics
import Network

/// Puts a network's values back to an earlier point of its training, zeros that a mask holds excepted: the "winning
/// ticket" (Frankle and Carbin 2019, "The Lottery Ticket Hypothesis"; to a point after the start: Frankle et al. 2020).
///
/// Its inputs are the pruned network and the earlier one; biases and batch norms go back along with the weights.
public struct RewindStage: StageWork {
  public init() {}

  public var kind: String { "rewind" }
  public var label: String { "rewind what is left" }
  public func recipe() throws -> Recipe { [:] }

  public func graph(inputs: [Graph]) throws -> Graph {
    try Self.check(inputs[0], inputs[1])
    return inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    try Self.check(inputs[0].graph, inputs[1].graph)
    var model = inputs[1]
    for layer in inputs[0].weightLayers {
      guard let pruned = inputs[0][layer, .weight], let mask = pruned.mask else { continue }
      try model.prune(layer, by: mask)
      model.adopt(pruned.structure, of: layer)
    }
    return StageResult(model)
  }

  private static func check(_ pruned: Graph, _ earlier: Graph) throws {
    guard pruned != earlier else { return }
    let different = pruned.nodes.first { node in
      earlier[node.name].map { $0 != node || earlier.shape(of: node.name) != pruned.shape(of: node.name) } ?? true
    }
    throw CompressError(
      "the network to rewind to is another: it has \(earlier.nodes.count) layers, not \(pruned.nodes.count), or differs in "
        + "\"\(different?.name.escapedForTerminal ?? pruned.output)\"",
      hint: "single weights can be rewound; where filters went there is another network")
  }
}
