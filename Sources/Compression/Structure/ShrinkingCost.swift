import Network

/// What a network costs while channels go from it, one after the other: each removal costs a look at the layers it
/// touches, not at the whole network.
struct ShrinkingCost {
  private(set) var parameters = 0
  private(set) var macs = 0

  private let groups: ChannelGroups
  /// For each class of channels the nodes that have channels of it, and how many.
  private let places: [[(node: Int, channels: Int)]]
  /// Channels that each node's output has left.
  private var left: [Int]
  private let terms: [Term]
  /// For each node the terms that change with its channels.
  private let termsOfNode: [[Int]]

  /// What one layer costs, as a function of the channels left.
  private struct Term {
    var output: Int
    /// The node whose channels the weights run over, and in how many groups; nil where each output has weights of its
    /// own (batch norms, depthwise convolutions).
    var input: (node: Int, groups: Int)?
    /// Weights for each pair of output and input channel.
    var field: Int
    /// Parameters of each output channel besides.
    var others: Int
    /// Places the weights are used at; 0 where they do not count as multiply-accumulates.
    var positions: Int
  }

  init(_ groups: ChannelGroups) {
    let graph = groups.graph
    var places = [[(node: Int, channels: Int)]](repeating: [], count: groups.classCount)
    for (node, classes) in groups.classOfChannel.enumerated() {
      for number in classes {
        if places[number].last?.node == node {
          places[number][places[number].count - 1].channels += 1
        } else {
          places[number].append((node, 1))
        }
      }
    }
    var terms: [Term] = []
    var termsOfNode = [[Int]](repeating: [], count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      let term = Self.term(node, index, in: graph)
      guard let term else { continue }
      termsOfNode[index].append(terms.count)
      if let input = term.input?.node { termsOfNode[input].append(terms.count) }
      terms.append(term)
    }
    self.groups = groups
    self.places = places
    self.terms = terms
    self.termsOfNode = termsOfNode
    left = groups.classOfChannel.map(\.count)
    for term in terms { add(term, 1) }
  }

  private static func term(_ node: Node, _ index: Int, in graph: Graph) -> Term? {
    let shape = graph.shape(of: node.name)
    guard let width = shape.dims.last else { return nil }
    switch node.op {
    case .conv2d(let conv):
      // Depthwise groups go with their channels; other groups keep their number and get narrower.
      let isDepthwise = conv.isDepthwise(inputChannels: graph.inputShapes(of: node)[0][2])
      return Term(
        output: index, input: isDepthwise ? nil : (graph.index(of: node.inputs[0])!, conv.groups),
        field: conv.window.size.height * conv.window.size.width, others: conv.hasBias ? 1 : 0,
        positions: shape.count / max(width, 1))
    case .dense(let dense):
      return Term(
        output: index, input: (graph.index(of: node.inputs[0])!, 1), field: 1, others: dense.hasBias ? 1 : 0,
        positions: 1)
    default:
      let each = graph.parameterSpecs(of: node).count
      return each == 0 ? nil : Term(output: index, input: nil, field: 0, others: each, positions: 0)
    }
  }

  private mutating func add(_ term: Term, _ sign: Int) {
    let outputs = left[term.output]
    let weights = outputs * (term.input.map { left[$0.node] / $0.groups } ?? 1) * term.field
    parameters += sign * (weights + outputs * term.others)
    macs += sign * weights * term.positions
  }

  /// - Precondition: the channel is still there.
  mutating func remove(group: Int, channel: Int) {
    for (node, channels) in places[groups.groups[group].classes[channel]] {
      for term in termsOfNode[node] { add(terms[term], -1) }
      left[node] -= channels
      for term in termsOfNode[node] { add(terms[term], 1) }
    }
  }
}
