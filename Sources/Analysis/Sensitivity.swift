import Compression
import Diagnostics
import Network
import Tensors

/// What a network's accuracy, or its agreement with an original, becomes when one part of it alone is pruned (Li et al.
/// 2017).
public struct Sensitivity: Sendable, Codable, Hashable {
  /// A layer, or a group of layers whose channels are coupled.
  public struct Part: Sendable, Codable, Hashable {
    public let layers: [String]
    /// With each of the shares gone, in the scan's measure.
    public let scores: [Double]

    public var name: String { layers.joined(separator: "+") }
  }

  /// What the scores are.
  public let measure: Measure
  /// With nothing gone.
  public let baseline: Double
  /// What goes of a part, ascending.
  public let shares: [Double]
  /// In the network's order.
  public let parts: [Part]

  /// How much a part matters: what is lost of the measure when it alone is pruned, in the mean over the shares.
  public func importance(of part: Part) -> Double {
    baseline - part.scores.reduce(0, +) / Double(max(part.scores.count, 1))
  }

  /// One value for each part: the values spread evenly over the parts, the first for those that matter most. Of parts
  /// that matter the same, the first in the network comes first.
  ///
  /// - Throws: `CompressError` when there are none, or more values than parts.
  public func spread(_ values: [Double]) throws -> [Double] {
    guard !values.isEmpty, values.count <= parts.count else {
      throw CompressError("\(values.count) values cannot be spread over \(parts.count) parts")
    }
    let importances = parts.map(importance)
    let ranked = parts.indices.sorted { (-importances[$0], $0) < (-importances[$1], $1) }
    var result = [Double](repeating: 0, count: parts.count)
    for (rank, part) in ranked.enumerated() { result[part] = values[rank * values.count / parts.count] }
    return result
  }

  /// What each part can give if all of them, each alone, are to cost the same of the measure, as little as the target
  /// needs:
  /// one share for each part, for a pruning of filters.
  ///
  /// Between the measured shares the score is taken to fall in a straight line, and never to rise. Where the target is
  /// met at no loss at all, the shares that cost nothing are reduced in proportion.
  /// - Parameter graph: the network that was measured.
  /// - Throws: `CompressError` when the greatest shares that were measured do not reach the target.
  public func ratios(for target: CostTarget, of graph: Graph) throws -> [Double] {
    try target.check()
    let groups = ChannelGroups(graph), positions = try positions(in: groups)
    // Only how many go decides the cost, not which: any scores will do.
    var scores: [String: Tensor] = [:]
    for layer in parts.flatMap(\.layers) {
      let filters = groups.groups.compactMap { $0.filters[layer] }.joined().joined()
      scores[layer] = Tensor(zeros: [(filters.max() ?? -1) + 1])
    }
    let selection = try ChannelSelection(groups, scores: scores, normalized: false, scope: .layer)
    let whole = groups.cost(removing: [:])
    let width = positions.reduce(0) { $0 + groups.groups[$1].width }
    func left(_ ratios: [Double]) throws -> Double {
      let shareOf = Dictionary(uniqueKeysWithValues: zip(positions, ratios))
      let choice = try selection.choose { shareOf[$0] }
      return switch target {
      case .parameters: Double(choice.parameters) / Double(whole.parameters)
      case .macs: Double(choice.macs) / Double(whole.macs)
      case .channels: 1 - Double(choice.removal.values.reduce(0) { $0 + $1.count }) / Double(width)
      }
    }
    let wanted =
      switch target {
      case .parameters(let value): value > 1 ? value / Double(whole.parameters) : value
      case .macs(let value): value > 1 ? value / Double(whole.macs) : value
      case .channels(let share): 1 - share
      }
    let worst = parts.flatMap(\.scores).reduce(0) { max($0, baseline - $1) }
    /// From 0 to 1 more and more of what costs nothing, from 1 to 2 more and more loss.
    func ratios(_ effort: Double) -> [Double] {
      parts.map { part in
        effort <= 1 ? effort * share(of: part, losing: 0) : share(of: part, losing: (effort - 1) * worst)
      }
    }
    let least = try left(ratios(2))
    guard least <= wanted else {
      throw CompressError(
        "\(target.unit): a share of \(wanted.formatted(4)) cannot be reached; with \(shares.last!.formatted(4)) of each "
          + "group gone \(least.formatted(4)) stay", hint: "measure greater shares")
    }
    var low = 0.0, high = 2.0
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if try left(ratios(middle)) <= wanted { high = middle } else { low = middle }
    }
    return ratios(high)
  }

  /// What each part gives if it gives whole multiples of channels, and always that part the next that loses least of the
  /// measure for what it saves, until the target is met: one share for each part, for a pruning of filters.
  ///
  /// Losses of several parts are taken to add up; between the measured shares they rise in a straight line.
  /// - Parameters:
  ///   - graph: the network that was measured.
  ///   - multiple: of how many channels each group keeps, unless it keeps all.
  /// - Throws: `CompressError` when the greatest shares that were measured do not reach the target.
  public func ratios(for target: CostTarget, of graph: Graph, multiple: Int) throws -> [Double] {
    precondition(multiple > 0)
    try target.check()
    let groups = ChannelGroups(graph), positions = try positions(in: groups)
    let widths = positions.map { groups.groups[$0].width }
    let whole = groups.cost(removing: [:]), all = widths.reduce(0, +)
    func left(_ counts: [Int]) -> Double {
      var removal: ChannelGroups.Removal = [:]
      for (position, count) in zip(positions, counts) where count > 0 { removal[position] = Set(0..<count) }
      switch target {
      case .parameters: return Double(groups.cost(removing: removal).parameters) / Double(whole.parameters)
      case .macs: return Double(groups.cost(removing: removal).macs) / Double(whole.macs)
      case .channels: return 1 - Double(counts.reduce(0, +)) / Double(max(all, 1))
      }
    }
    let wanted =
      switch target {
      case .parameters(let value): value > 1 ? value / Double(whole.parameters) : value
      case .macs(let value): value > 1 ? value / Double(whole.macs) : value
      case .channels(let share): 1 - share
      }
    var counts = widths.map { _ in 0 }, now = 1.0
    while now > wanted {
      var best: (part: Int, count: Int, left: Double, price: Double)?
      for (part, width) in widths.enumerated() {
        // The next few steps of a part: the first may cost more than the first two together for what they save.
        var tried = 0, count = counts[part] + 1
        while tried < 3, count <= width - multiple, Double(count) <= shares.last! * Double(width) {
          defer { count += 1 }
          guard (width - count).isMultiple(of: multiple) else { continue }
          tried += 1
          var next = counts
          next[part] = count
          let after = left(next)
          guard after < now else { continue }
          let lost = loss(of: parts[part], at: Double(count) / Double(width))
            - loss(of: parts[part], at: Double(counts[part]) / Double(width))
          // What is saved beyond the target is not asked for.
          let price = lost / (now - max(after, wanted))
          if best.map({ price < $0.price }) ?? true { best = (part, count, after, price) }
        }
      }
      guard let best else {
        throw CompressError(
          "\(target.unit): a share of \(wanted.formatted(4)) cannot be reached; with \(shares.last!.formatted(4)) of "
            + "each group gone, in multiples of \(multiple), \(now.formatted(4)) stay", hint: "measure greater shares")
      }
      counts[best.part] = best.count
      now = best.left
    }
    return zip(counts, widths).map { Double($0) / Double($1) }
  }

  /// The places of the parts among a network's groups of channels.
  private func positions(in groups: ChannelGroups) throws -> [Int] {
    var positions: [Int] = []
    for part in parts {
      let rest = groups.groups.indices.drop { $0 <= positions.last ?? -1 }
      guard let position = rest.first(where: { groups.groups[$0].producers == part.layers }) else {
        throw CompressError("\(part.name) is no group of channels: ratios are for strategies that prune filters")
      }
      positions.append(position)
    }
    return positions
  }

  /// What is lost of the measure without such a share of a part.
  private func loss(of part: Part, at share: Double) -> Double {
    var before = (share: 0.0, loss: 0.0)
    for (next, score) in zip(shares, part.scores) {
      let loss = max(before.loss, baseline - score)
      if share <= next { return before.loss + (share - before.share) / (next - before.share) * (loss - before.loss) }
      before = (next, loss)
    }
    return before.loss
  }

  /// The greatest share of a part that costs no more than `loss` of the measure.
  private func share(of part: Part, losing loss: Double) -> Double {
    var before = (share: 0.0, loss: 0.0)
    for (share, score) in zip(shares, part.scores) {
      let next = (share: share, loss: max(before.loss, baseline - score))
      if next.loss > loss {
        return before.share + (loss - before.loss) / (next.loss - before.loss) * (next.share - before.share)
      }
      before = next
    }
    return before.share
  }
}
