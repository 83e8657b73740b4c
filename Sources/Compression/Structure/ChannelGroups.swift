import Diagnostics
import Network

/// Which channels of a network can be removed, and what goes with each: the dependency graph of structured pruning
/// (Fang et al. 2023, "DepGraph: Towards Any Structural Pruning"), down to single channels.
///
/// Two channels hang together when removing one forces the other out: across an add, a batch norm, a depthwise
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
  /// For each node of the graph, the class of each channel of its output.
  let classOfChannel: [[Int]]
  let classCount: Int

  public init(_ graph: Graph) {
    var offsets: [Int] = []
    var total = 0
    for node in graph.nodes {
      offsets.append(total)
      total += graph.shape(of: node.name).dims.last ?? 0
    }
    var sets = DisjointSets(total + 1)
    let fixed = total  // what hangs together with this one stays
    for (index, node) in graph.nodes.enumerated() {
      let coupling = graph.channelCoupling(of: node)
      let sources = node.inputs.map { offsets[graph.index(of: $0)!] }
      func atom(_ channel: ChannelCoupling.Channel) -> Int {
        (channel.input.map { sources[$0] } ?? offsets[index]) + channel.index
      }
      for (a, b) in coupling.ties { sets.unite(atom(a), atom(b)) }
      let staying = (coupling.isFixed ? node.inputs + [node.name] : []) + (node.name == graph.output ? [node.name] : [])
      for name in staying {
        let start = offsets[graph.index(of: name)!]
        for channel in 0..<(graph.shape(of: name).dims.last ?? 0) { sets.unite(start + channel, fixed) }
      }
    }

    // Classes numbered in the order of their first channel, so that nothing depends on how sets were joined.
    var numbers: [Int: Int] = [:]
    var classOfChannel: [[Int]] = []
    for (index, node) in graph.nodes.enumerated() {
      let width = graph.shape(of: node.name).dims.last ?? 0
      var classes: [Int] = []
      for channel in 0..<width {
        let root = sets.root(offsets[index] + channel)
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
    for (index, node) in graph.nodes.enumerated() {
      switch node.op {
      case .conv2d, .dense:
        for (channel, number) in classOfChannel[index].enumerated() where number != fixed {
          if producers[number].last?.node == index {
            producers[number][producers[number].count - 1].filters.append(channel)
          } else {
            producers[number].append((index, [channel]))
          }
        }
      default: continue
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

  /// By layer, the channels of its output that stay; layers that keep all are left out.
  public func kept(removing removal: Removal) -> [String: [Int]] {
    var isRemoved = [Bool](repeating: false, count: classCount)
    for (group, channels) in removal {
      for channel in channels { isRemoved[groups[group].classes[channel]] = true }
    }
    var kept: [String: [Int]] = [:]
    for (index, node) in graph.nodes.enumerated() {
      let classes = classOfChannel[index]
      let channels = classes.indices.filter { !isRemoved[classes[$0]] }
      if channels.count < classes.count { kept[node.name] = channels }
    }
    return kept
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
