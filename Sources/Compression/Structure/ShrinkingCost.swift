import Network

/// What a network costs while channels go from it, one after the other: each removal costs a look at the layers it
/// touches, not at the whole network.
struct ShrinkingCost {
  private(set) var parameters = 0
  private(set) var macs = 0

  private let groups: ChannelGroups
  /// For each class of channels the values that have channels of it, and how many.
  private let places: [[(value: Int, channels: Int)]]
  /// Channels that each value has left.
  private var left: [Int]
  private let terms: [Term]
  /// For each value the terms that change with its channels.
  private let termsOfValue: [[Int]]

  /// What one layer costs, as a function of the channels left.
  private struct Term {
    var output: Int
    /// The value whose channels the weights run over, and in how many groups; nil where each output has weights of its
    /// own (batch norms, depthwise convolutions).
    var input: (value: Int, groups: Int)?
    /// Weights for each pair of output and input channel.
    var field: Int
    /// Parameters of each output channel besides.
    var others: Int
    /// 0 for a layer that computes with another's parameters.
    var copies: Int
    /// Places the weights are used at; 0 where they do not count as multiply-accumulates.
    var positions: Int
  }

  init(_ groups: ChannelGroups) {
    let graph = groups.graph
    var places = [[(value: Int, channels: Int)]](repeating: [], count: groups.classCount)
    for (value, classes) in groups.classOfChannel.enumerated() {
      for number in classes {
        if places[number].last?.value == value {
          places[number][places[number].count - 1].channels += 1
        } else {
          places[number].append((value, 1))
        }
      }
    }
    var terms: [Term] = []
    var termsOfValue = [[Int]](repeating: [], count: graph.values.count)
    for node in graph.nodes {
      guard let term = Self.term(node, in: graph) else { continue }
      termsOfValue[term.output].append(terms.count)
      if let input = term.input?.value { termsOfValue[input].append(terms.count) }
      terms.append(term)
    }
    self.groups = groups
    self.places = places
    self.terms = terms
    self.termsOfValue = termsOfValue
    left = groups.classOfChannel.map(\.count)
    for term in terms { add(term, 1) }
  }

  private static func term(_ node: Node, in graph: Graph) -> Term? {
    let shape = graph.shape(of: node.output), output = graph.index(ofValue: node.output)!
    guard let width = shape.dims.last else { return nil }
    let copies = node.sharing == nil ? 1 : 0
    guard let layer = node.op.weighted else {
      let specs = graph.parameterSpecs(of: node)
      // A constant has so many values for each of its channels, others one in each role.
      let each = specs.reduce(0) { $0 + $1.shape.count / max(width, 1) }
      return each == 0 ? nil : Term(output: output, input: nil, field: 0, others: each, copies: copies, positions: 0)
    }
    // Depthwise groups go with their channels; other groups keep their number and get narrower.
    let isDepthwise = layer.isDepthwise(inputChannels: graph.inputShapes(of: node)[0].dims.last!)
    return Term(
      output: output, input: isDepthwise ? nil : (graph.index(ofValue: node.inputs[0])!, layer.groups),
      field: layer.weightWindow.map { $0.size.height * $0.size.width } ?? 1, others: layer.hasBias ? 1 : 0,
      copies: copies, positions: shape.count / max(width, 1))
  }

  private mutating func add(_ term: Term, _ sign: Int) {
    let outputs = left[term.output]
    let weights = outputs * (term.input.map { left[$0.value] / $0.groups } ?? 1) * term.field
    parameters += sign * term.copies * (weights + outputs * term.others)
    macs += sign * weights * term.positions
  }

  /// - Precondition: the channel is still there.
  mutating func remove(group: Int, channel: Int) {
    for (value, channels) in places[groups.groups[group].classes[channel]] {
      for term in termsOfValue[value] { add(terms[term], -1) }
      left[value] -= channels
      for term in termsOfValue[value] { add(terms[term], 1) }
    }
  }
}
