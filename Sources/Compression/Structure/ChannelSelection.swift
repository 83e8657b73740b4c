import Diagnostics
import Network
import Tensors

/// How much of a network is to be left by removing channels, measured against the network as it is before.
public enum CostTarget: Sendable, Hashable {
  /// Parameters that stay: a share up to 1, or their number.
  case parameters(Double)
  /// Multiply-accumulates that stay: a share up to 1, or their number.
  case macs(Double)
  /// The share of the channels that go, of those that can.
  case channels(Double)

  /// What it is called in scripts and messages.
  public var unit: String {
    switch self {
    case .parameters: "params"
    case .macs: "macs"
    case .channels: "filters"
    }
  }

  /// - Throws: `CompressError` when it is no share and no number of something.
  public func check() throws {
    switch self {
    case .parameters(let value), .macs(let value):
      guard value > 0, value.isFinite else { throw CompressError("\(unit) = \(value) leaves nothing of the network") }
    case .channels(let share):
      guard (0..<1).contains(share) else { throw CompressError("\(unit) = \(share) is not from 0 to below 1") }
    }
  }
}

/// Which channels go, by their scores.
public struct ChannelSelection {
  public let groups: ChannelGroups
  /// Channels that each group keeps whatever their scores.
  public let minimum: Int
  /// Channels leave a group so many at once, so that a multiple of that stays.
  public let multiple: Int
  /// All that may go, the first to go first: the position of a group, and its channels of least score among those left.
  private let order: [(group: Int, channels: ArraySlice<Int>)]

  /// A choice and what it leaves.
  public struct Choice: Sendable {
    public var removal: ChannelGroups.Removal
    public var parameters: Int
    public var macs: Int
    /// Why the target was missed by more than a hundredth of the network, if it was.
    public var note: String?
  }

  /// - Parameters:
  ///   - scores: by layer, a score for each filter; a group with a producer that has none stays whole. A channel that
  ///     several filters make has the mean of their scores.
  ///   - normalized: whether a group's scores are divided by their mean before groups are compared.
  ///   - scope: `.global` ranks the channels of all groups together, `.layer` takes the same share of each group.
  ///   - multiple: of how many channels each group keeps, whole groups apart: kernels that compute as many at once
  ///     waste nothing then. Channels that go together rank by the mean of their scores.
  /// - Throws: `CompressError` naming the layer when its scores are not one number per filter.
  public init(
    _ groups: ChannelGroups, scores: [String: Tensor], normalized: Bool, scope: PruningScope, minimum: Int = 1,
    multiple: Int = 1
  ) throws {
    precondition(minimum >= 1 && multiple >= 1)
    self.groups = groups
    self.minimum = minimum
    self.multiple = multiple
    var order: [(key: Double, group: Int, channels: ArraySlice<Int>)] = []
    var widest = 0
    let neverEmptied = groups.neverEmptied
    for (index, group) in groups.groups.enumerated() {
      guard group.producers.allSatisfy({ scores[$0] != nil }) else { continue }
      widest = max(widest, group.width)
      var combined = [Double](repeating: 0, count: group.width)
      for producer in group.producers {
        let values = try atLayer(producer) { try Self.checked(scores[producer]!) }
        for (channel, filters) in group.filters[producer]!.enumerated() {
          guard filters.allSatisfy({ $0 < values.count }) else {
            throw CompressError("\(values.count) scores, expected one for each of its filters").at(layer: producer)
          }
          combined[channel] += filters.reduce(0) { $0 + Double(values[$1]) } / Double(filters.count)
        }
      }
      let mean = combined.reduce(0, +) / Double(group.width)
      if normalized, mean > 0 { combined = combined.map { $0 / mean } }
      var ranked = combined.indices.sorted { (combined[$0], $0) < (combined[$1], $1) }
      // Of what must not lose all its channels, the best stays.
      let last = Set((neverEmptied[index] ?? []).compactMap { set in ranked.last(where: set.contains) })
      if !last.isEmpty { ranked = ranked.filter { !last.contains($0) } + ranked.filter(last.contains) }
      let minimum = max(minimum, last.count)
      var first = 0
      while first < group.width {
        // What is over the last multiple goes first.
        let count = first == 0 && group.width % multiple > 0 ? group.width % multiple : multiple
        guard group.width - first - count >= minimum else { break }
        let channels = ranked[first..<first + count]
        let key =
          scope == .global
          ? channels.reduce(0) { $0 + combined[$1] } / Double(count)
          : (Double(first) + 0.5 * Double(count)) / Double(group.width)
        order.append((key, index, channels))
        first += count
      }
    }
    self.widest = widest
    order.sort { ($0.key, $0.group, $0.channels.startIndex) < ($1.key, $1.group, $1.channels.startIndex) }
    self.order = order.map { ($0.group, $0.channels) }
    going = order.reduce(0) { $0 + $1.channels.count }
    ranked = Set(order.map(\.group)).reduce(0) { $0 + groups.groups[$1].width }
  }

  /// Channels that may go, and those of the groups they are in.
  private let going, ranked: Int
  /// Channels of the widest group that is open to pruning; 0 when none is.
  private let widest: Int

  private static func checked(_ scores: Tensor) throws -> [Float] {
    guard scores.rank == 1 else {
      throw CompressError("scores of shape \(scores.shape), expected one for each filter")
    }
    let values: [Float] = scores.converted(to: .float32).array()
    if let bad = values.firstIndex(where: \.isNaN) { throw CompressError("score \(bad) is NaN") }
    return values
  }

  /// The channels of least score whose removal comes nearest to the target.
  ///
  /// - Throws: `CompressError` when even removing all that may go does not reach it.
  public func choose(_ target: CostTarget) throws -> Choice {
    try target.check()
    guard !order.isEmpty else {
      throw nothingToRemove
    }
    var cost = ShrinkingCost(groups)
    let whole = (parameters: cost.parameters, macs: cost.macs)
    var gone = 0
    func point(_ count: Int) -> Point {
      let share =
        switch target {
        case .parameters: Double(cost.parameters) / Double(whole.parameters)
        case .macs: Double(cost.macs) / Double(whole.macs)
        case .channels: 1 - Double(gone) / Double(ranked)
        }
      return Point(count: count, parameters: cost.parameters, macs: cost.macs, share: share)
    }
    let wanted =
      switch target {
      case .parameters(let value): value > 1 ? value / Double(whole.parameters) : value
      case .macs(let value): value > 1 ? value / Double(whole.macs) : value
      case .channels(let share): 1 - share
      }
    // What is left falls with every channel: the first count that leaves no more than wanted, and the one before.
    var under = point(0), over = under
    while under.share > wanted, under.count < order.count {
      let next = order[under.count]
      for channel in next.channels { cost.remove(group: next.group, channel: channel) }
      gone += next.channels.count
      (over, under) = (under, point(under.count + 1))
    }
    var isShareOfChannels = false
    if case .channels = target { isShareOfChannels = true }  // as far as every group keeps its minimum
    guard under.share <= wanted || under.share - wanted < 0.01 || isShareOfChannels else {
      throw CompressError(
        "\(target.unit): a share of \(wanted.rounded4) cannot be reached; \(keeping), and then "
          + "\(under.share.rounded4) stays")
    }
    let (nearest, other) = abs(over.share - wanted) < abs(under.share - wanted) ? (over, under) : (under, over)
    var choice = Choice(removal: [:], parameters: nearest.parameters, macs: nearest.macs)
    choice.removal = removal(nearest.count)
    if under.count == 0, wanted > 1 {
      choice.note = "\(target.unit): nothing has to go: \(wanted.rounded4) times what the network has was asked for"
    } else if abs(nearest.share - wanted) > 0.01 {
      choice.note =
        "\(target.unit): a share of \(nearest.share.rounded4) stays where \(wanted.rounded4) was asked for; "
        + (under.count == order.count && nearest.share > wanted
          ? "no group can give more, since \(keeping)"
          : "\(multiple == 1 ? "one channel" : "\(multiple) channels") more or less would make it \(other.share.rounded4)")
    }
    return choice
  }

  /// What is left once so many channels are gone.
  private struct Point {
    let count: Int
    let parameters: Int
    let macs: Int
    let share: Double
  }

  /// What no group of channels may fall below: `each group keeps at least 8 channels (keep_at_least = 8)`.
  public var keeping: String {
    (minimum == 1
      ? "each group keeps a channel" : "each group keeps at least \(minimum) channels (keep_at_least = \(minimum))")
      + (multiple > 1 ? ", and a multiple of \(multiple) (multiple_of = \(multiple))" : "")
  }

  /// What to say when nothing may go.
  public var nothingToRemove: CompressError {
    CompressError(
      widest == 0
        ? "there are no channels to remove: each is tied to the network's input or output, protected or skipped"
        : "there are no channels to remove: \(keeping), and the widest group that may be pruned has \(widest)")
  }

  /// In how many steps all that may go can go.
  public var count: Int { order.count }

  /// The first `count` steps, the channels of least score.
  ///
  /// - Precondition: no more than `self.count`.
  public func removing(_ count: Int) -> Choice {
    let removal = removal(count)
    let cost = groups.cost(removing: removal)
    return Choice(removal: removal, parameters: cost.parameters, macs: cost.macs)
  }

  private func removal(_ count: Int) -> ChannelGroups.Removal {
    var removal: ChannelGroups.Removal = [:]
    for (group, channels) in order.prefix(count) { removal[group, default: []].formUnion(channels) }
    return removal
  }

  /// Each group loses its own share, its channels of least score first, as near as multiples allow.
  ///
  /// - Parameter share: by the group's position in `groups.groups`; nil leaves the group whole.
  public func choose(shares share: (Int) -> Double?) throws -> Choice {
    var removal: ChannelGroups.Removal = [:]
    var missed: [String] = []
    for (index, group) in groups.groups.enumerated() {
      guard let wanted = share(index) else { continue }
      guard (0..<1).contains(wanted) else {
        throw CompressError("a share of \(wanted) is not from 0 to below 1").at(layer: group.producers[0])
      }
      let count = Int((wanted * Double(group.width)).rounded())
      var going: Set<Int> = []
      for (owner, channels) in order where owner == index {
        guard 2 * (count - going.count) >= channels.count else { break }
        going.formUnion(channels)
      }
      if !going.isEmpty { removal[index] = going }
      if Double(abs(count - going.count)) > 0.01 * Double(group.width) {
        let name = group.producers.joined(separator: "+")
        missed.append("\(name) loses \(going.count) of \(group.width) channels where \(count) were asked for")
      }
    }
    let cost = groups.cost(removing: removal)
    var choice = Choice(removal: removal, parameters: cost.parameters, macs: cost.macs)
    if !missed.isEmpty {
      let more = missed.count > 3 ? " and so on, \(missed.count) groups in all" : ""
      choice.note = "ratios: \(missed.prefix(3).joined(separator: "; "))\(more); \(keeping)"
    }
    return choice
  }
}

extension Double {
  var rounded4: Double { (self * 1e4).rounded() / 1e4 }
}
