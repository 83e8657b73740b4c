import Diagnostics
import Network

/// Which channels of a network can be removed, and what goes with each: the dependency graph of structured pruning
/// (Fang et al. 2023, "DepGraph: Towards Any Structural Pruning"), down to single channels.
///
/// Two channels are coupled when removing one forces the other out: across an add, a batch norm, a depthwise
/// convolution, a concat, a flatten. The classes of that relation are the units of structured pruning; a `Group` holds
/// those that come from the same layers, such as the 64 channels of a stage of residual blocks.
public struct ChannelGroups: Sendable {
  /// Channels that the same layers produce together.
  public struct Group: Sendable {
    /// The convolutions and dense layers whose filters go with a channel, in the graph's order.
    public let producers: [String]
    /// By producer, for each channel of the group the filters that go: one, or as many as groups or depth
    /// multiplier ask for.
    public let filters: [String: [[Int]]]
    let classes: [Int]

    /// How many channels there are to choose from.
    public var width: Int { classes.count }
  }

  /// In the order of their first producers.
  public let groups: [Group]
  let graph: Graph
  /// For each value of the graph, the class of each of its channels.
  let classOfChannel: [[Int]]
  let classCount: Int

  public init(_ graph: Graph) {
    let widths = graph.values.map { graph.shape(of: $0).dims.last ?? 0 }
    var offsets: [Int] = []
    var total = 0
    for width in widths {
      offsets.append(total)
      total += width
    }
    var sets = DisjointSets(total + 1)
    let fixed = total  // what is coupled with this one stays
    func places(_ values: [String]) -> [Int] { values.map { graph.index(ofValue: $0)! } }
    func fix(_ value: Int) { for channel in 0..<widths[value] { sets.unite(offsets[value] + channel, fixed) } }
    let lasting = graph.lastingValues
    for node in graph.nodes {
      let coupling = graph.channelCoupling(of: node)
      let inputs = places(node.inputs), outputs = places(node.outputs)
      func atom(_ channel: ChannelCoupling.Channel) -> Int {
        switch channel.side {
        case .input(let input): offsets[inputs[input]] + channel.index
        case .output(let output): offsets[outputs[output]] + channel.index
        }
      }
      for (a, b) in coupling.ties { sets.unite(atom(a), atom(b)) }
      if coupling.isFixed { for value in inputs + outputs { fix(value) } }
      // A removed channel that would not be zero may only be missed where it is multiplied by one that is.
      if node.op.hasWeight { for (name, value) in zip(node.inputs, inputs) where lasting.contains(name) { fix(value) } }
      // Layers that share a weight keep the same channels on both sides.
      if let owner = node.sharing.flatMap({ graph[$0] }) {
        for (own, other) in zip(inputs + outputs, places(owner.inputs) + places(owner.outputs)) {
          for channel in 0..<min(widths[own], widths[other]) {
            sets.unite(offsets[own] + channel, offsets[other] + channel)
          }
        }
      }
    }
    for output in places(graph.outputs) { fix(output) }

    // Classes numbered in the order of their first channel, so that nothing depends on how sets were joined.
    var numbers: [Int: Int] = [:]
    var classOfChannel: [[Int]] = []
    for (value, width) in widths.enumerated() {
      var classes: [Int] = []
      for channel in 0..<width {
        let root = sets.root(offsets[value] + channel)
        let number = numbers[root] ?? numbers.count
        numbers[root] = number
        classes.append(number)
      }
      classOfChannel.append(classes)
    }
    self.graph = graph
    self.classOfChannel = classOfChannel
    classCount = numbers.count
    groups = Self.groups(graph, classOfChannel, classCount, fixed: numbers[sets.root(fixed)])
  }

  private static func groups(_ graph: Graph, _ classOfChannel: [[Int]], _ classCount: Int, fixed: Int?) -> [Group] {
    // The filters of each class, by producer; producers come in the graph's order.
    var producers = [[(node: Int, filters: [Int])]](repeating: [], count: classCount)
    for (index, node) in graph.nodes.enumerated() where node.op.hasWeight && node.sharing == nil {
      let value = graph.index(ofValue: node.output)!
      for (channel, number) in classOfChannel[value].enumerated() where number != fixed {
        if producers[number].last?.node == index {
          producers[number][producers[number].count - 1].filters.append(channel)
        } else {
          producers[number].append((index, [channel]))
        }
      }
    }
    var order: [[Int]] = []
    var members: [[Int]: [Int]] = [:]
    for (number, made) in producers.enumerated() where !made.isEmpty {
      let key = made.map(\.node)
      if members[key] == nil { order.append(key) }
      members[key, default: []].append(number)
    }
    return order.sorted { $0.lexicographicallyPrecedes($1) }.map { key in
      let classes = members[key]!
      var filters: [String: [[Int]]] = [:]
      for (position, node) in key.enumerated() {
        filters[graph.nodes[node].name] = classes.map { producers[$0][position].filters }
      }
      return Group(producers: key.map { graph.nodes[$0].name }, filters: filters, classes: classes)
    }
  }

  /// Channels to remove, by the group's position in `groups`: positions within the group.
  public typealias Removal = [Int: Set<Int>]

  /// By value, its channels that stay; values that keep all are left out.
  public func kept(removing removal: Removal) -> [String: [Int]] {
    var isRemoved = [Bool](repeating: false, count: classCount)
    for (group, channels) in removal {
      for channel in channels { isRemoved[groups[group].classes[channel]] = true }
    }
    var kept: [String: [Int]] = [:]
    for (value, classes) in zip(graph.values, classOfChannel) {
      let channels = classes.indices.filter { !isRemoved[classes[$0]] }
      if channels.count < classes.count { kept[value] = channels }
    }
    return kept
  }

  /// By the group's position in `groups`: sets of its channels of which one has to stay, or a value would lose all it
  /// has, where those are not the whole group: the parts of a split. A value made of several groups' channels is kept
  /// by the group that has most of them.
  var neverEmptied: [Int: [Set<Int>]] {
    var places = [(group: Int, channel: Int)?](repeating: nil, count: classCount)
    for (index, group) in groups.enumerated() {
      for (channel, number) in group.classes.enumerated() { places[number] = (index, channel) }
    }
    var sets: [Int: [Set<Int>]] = [:]
    for classes in classOfChannel {
      var parts: [Int: Set<Int>] = [:]
      for number in classes {
        guard let place = places[number] else {
          parts = [:]  // a channel that cannot go
          break
        }
        parts[place.group, default: []].insert(place.channel)
      }
      let largest = parts.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
      guard let (group, channels) = largest, parts.allSatisfy({ $1.count < groups[$0].width }) else { continue }
      if sets[group]?.contains(channels) != true { sets[group, default: []].append(channels) }
    }
    return sets
  }

  /// Parameters and multiply-accumulates of the network without those channels.
  public func cost(removing removal: Removal) -> (parameters: Int, macs: Int) {
    var cost = ShrinkingCost(self)
    for (group, channels) in removal {
      for channel in channels { cost.remove(group: group, channel: channel) }
    }
    return (cost.parameters, cost.macs)
  }
}

extension Model {
  /// The smaller model without those channels; the same function when what they carried was zero, or always the same
  /// and `carryingConstants` could put it into the biases behind.
  public func removing(_ removal: ChannelGroups.Removal, of groups: ChannelGroups) throws -> Model {
    let kept = groups.kept(removing: removal)
    return try CarriedConstants(self, keeping: kept).model.keepingChannels(kept)
  }

  /// What `removing` puts into biases.
  public func carryingConstants(
    of removal: ChannelGroups.Removal, in groups: ChannelGroups
  ) throws -> CarriedConstants {
    try CarriedConstants(self, keeping: groups.kept(removing: removal))
  }
}

/// Union by size with path halving (Tarjan and van Leeuwen 1984).
private struct DisjointSets {
  private var parent: [Int]
  private var size: [Int]

  init(_ count: Int) {
    parent = Array(0..<count)
    size = [Int](repeating: 1, count: count)
  }

  mutating func root(_ element: Int) -> Int {
    var element = element
    while parent[element] != element {
      parent[element] = parent[parent[element]]
      element = parent[element]
    }
    return element
  }

  mutating func unite(_ a: Int, _ b: Int) {
    var a = root(a), b = root(b)
    guard a != b else { return }
    if size[a] < size[b] { swap(&a, &b) }
    parent[b] = a
    size[a] += size[b]
  }
}

extension Graph {
  /// The values whose channels would not be zero without the filters that make them: a function that does not give
  /// zero for zero (a sigmoid) makes such values, a constant is one, and only a product with a value that does vanish
  /// (behind a gate) ends that.
  fileprivate var lastingValues: Set<String> {
    var lasting: Set<String> = []
    for node in nodes where !node.op.hasWeight {
      let given = node.inputs.map(lasting.contains), spec = node.op.spec
      let isLasting: Bool
      if case .constant = node.op {
        isLasting = true
      } else if spec.elementFunction != nil || spec.pairFunction != nil, !spec.preserves.contains(.zero) {
        isLasting = true
      } else {
        isLasting = !given.isEmpty && (spec.absorbsZero ? given.allSatisfy { $0 } : given.contains(true))
      }
      if isLasting { lasting.formUnion(node.outputs) }
    }
    return lasting
  }
}
