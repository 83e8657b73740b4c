import Diagnostics
import Network

/// The residual blocks of a network, which can go as wholes: depth pruning (Veit et al. 2016 on what is left of a
/// residual network without some of its blocks).
///
/// A block is a sum of a value that passes by, the shortcut, and of what a branch of layers makes of that value and of
/// nothing else but constants, both of the same shape; nothing else reads what lies in the branch. Without the block
/// the shortcut stands for the sum, as if the branch gave zeros. Attention and the layers behind it are such a block of
/// a transformer, its MLP another.
public struct ResidualBlocks: Sendable {
  public struct Block: Sendable, Hashable {
    /// The node that adds.
    public let sum: String
    /// The value that stays in its place.
    public let shortcut: String
    /// The value that would be zero.
    public let branch: String
    /// All nodes of the branch.
    public let nodes: Set<String>
    /// Those of them with weights, in the graph's order.
    public let layers: [String]
  }

  /// In the graph's order.
  public let blocks: [Block]

  public init(_ graph: Graph) {
    let consumers = graph.consumers
    /// What a value is made of, the node that makes it included.
    func origins(_ value: String) -> Set<String> { graph.needed(for: [value]) }
    blocks = graph.nodes.compactMap { node in
      guard case .add = node.op, !graph.isOutput(node.output), node.inputs.count == 2, node.inputs[0] != node.inputs[1],
        graph.shape(of: node.inputs[0]) == graph.shape(of: node.inputs[1])
      else { return nil }
      let made = node.inputs.map(origins)
      for (shortcut, branch) in [(0, 1), (1, 0)] {
        let nodes = made[branch].subtracting(made[shortcut])
        guard !nodes.isEmpty else { continue }
        let inside = graph.nodes.filter { nodes.contains($0.name) }
        let isBlock = inside.allSatisfy { part in
          !part.op.isInput && !graph.isShared(part.name)
            && part.inputs.allSatisfy { input in
              input == node.inputs[shortcut] || nodes.contains(graph.producer(of: input)!.name)
            }
            && part.outputs.allSatisfy { output in
              !graph.isOutput(output)
                && consumers[output, default: []].allSatisfy { nodes.contains($0) || $0 == node.name }
            }
        }
        let layers = inside.filter(\.op.hasWeight).map(\.name)
        guard isBlock, !layers.isEmpty, consumers[node.inputs[branch]] == [node.name] else { continue }
        return Block(
          sum: node.name, shortcut: node.inputs[shortcut], branch: node.inputs[branch], nodes: nodes, layers: layers)
      }
      return nil
    }
  }
}

extension Model {
  /// The model without those blocks: what read a sum reads the shortcut instead.
  public func removing(_ blocks: [ResidualBlocks.Block]) throws -> Model {
    let gone = blocks.reduce(into: Set(blocks.map(\.sum))) { $0.formUnion($1.nodes) }
    let stands = Dictionary(uniqueKeysWithValues: blocks.map { ($0.sum, $0.shortcut) })
    func standing(_ value: String) -> String {
      var value = value
      while let other = stands[value] { value = other }
      return value
    }
    let nodes = graph.nodes.filter { !gone.contains($0.name) }.map { node in
      var node = node
      node.inputs = node.inputs.map(standing)
      return node
    }
    let smaller = try Graph(nodes, outputs: graph.outputs)
    return try Model(
      graph: smaller, parameters: parametersByLayer.filter { !gone.contains($0.key) },
      activations: activations.filter { !gone.contains($0.key) }, signature: signature.fitting(smaller))
  }
}

/// Which blocks go, by their scores.
public struct BlockSelection {
  public let model: Model
  /// Those that may go, the first to go first.
  public let order: [ResidualBlocks.Block]
  /// All blocks of the network.
  public let count: Int

  public struct Choice: Sendable {
    public var blocks: [ResidualBlocks.Block]
    /// Shares of the network's that stay.
    public var parameters, macs: Double
    /// Why the target was missed by more than a hundredth of the network, if it was.
    public var note: String?
  }

  /// - Parameter score: of a block; nil leaves it.
  public init(_ model: Model, score: (ResidualBlocks.Block) throws -> Double?) rethrows {
    self.model = model
    let blocks = ResidualBlocks(model.graph).blocks
    count = blocks.count
    var scored: [(score: Double, index: Int)] = []
    for (index, block) in blocks.enumerated() {
      if let score = try score(block) { scored.append((score, index)) }
    }
    order = scored.sorted { ($0.score, $0.index) < ($1.score, $1.index) }.map { blocks[$0.index] }
  }

  /// Those that may go, in the graph's order.
  public var inOrder: [ResidualBlocks.Block] {
    let open = Set(order.map(\.sum))
    return ResidualBlocks(model.graph).blocks.filter { open.contains($0.sum) }
  }

  /// The blocks of least score whose removal comes nearest to the target; a share of channels is one of blocks.
  ///
  /// - Throws: `CompressError` when there are none, or even removing all that may go does not reach it.
  public func choose(_ target: CostTarget) throws -> Choice {
    try target.check()
    guard !order.isEmpty else {
      throw CompressError(
        count == 0
          ? "there are no blocks to remove: a block is a sum of a value and of what a branch of layers makes of it, "
            + "both of the same shape, which no output of the network is"
          : "there are no blocks to remove: all \(count) are protected or skipped")
    }
    let whole = ModelCost(model)
    func choice(_ count: Int) throws -> Choice {
      let cost = count == 0 ? whole : ModelCost(try model.removing(Array(order.prefix(count))))
      return Choice(
        blocks: Array(order.prefix(count)), parameters: Double(cost.parameters) / Double(max(whole.parameters, 1)),
        macs: Double(cost.macs) / Double(max(whole.macs, 1)))
    }
    let wanted: Double, left: (Choice) -> Double
    switch target {
    case .channels(let share): return try choice(min(Int((share * Double(count)).rounded()), order.count))
    case .parameters(let value):
      wanted = value > 1 ? value / Double(whole.parameters) : value
      left = { $0.parameters }
    case .macs(let value):
      wanted = value > 1 ? value / Double(whole.macs) : value
      left = { $0.macs }
    }
    var under = try choice(0), over = under
    while left(under) > wanted, under.blocks.count < order.count {
      (over, under) = (under, try choice(under.blocks.count + 1))
    }
    guard left(under) <= wanted || left(under) - wanted < 0.01 else {
      throw CompressError(
        "\(target.unit): a share of \(wanted.rounded4) cannot be reached by removing blocks; without all "
          + "\(order.count) that may go \(left(under).rounded4) stays")
    }
    var nearest = abs(left(over) - wanted) < abs(left(under) - wanted) ? over : under
    if abs(left(nearest) - wanted) > 0.01 {
      nearest.note =
        "\(target.unit): a share of \(left(nearest).rounded4) stays where \(wanted.rounded4) was asked for: blocks go "
        + "as wholes"
    }
    return nearest
  }
}
