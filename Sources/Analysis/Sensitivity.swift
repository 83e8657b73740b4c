import Compression
import Diagnostics
import Network
import Tensors

/// What a network's accuracy becomes when one part of it alone is pruned (Li et al. 2017).
public struct Sensitivity: Sendable, Codable, Hashable {
  /// A layer, or a group of layers whose channels are coupled.
  public struct Part: Sendable, Codable, Hashable {
    public let layers: [String]
    /// With each of the shares gone.
    public let accuracies: [Double]

    public var name: String { layers.joined(separator: "+") }
  }

  /// With nothing gone.
  public let baseline: Double
  /// What goes of a part, ascending.
  public let shares: [Double]
  /// In the network's order.
  public let parts: [Part]

  /// How much a part matters: the accuracy lost when it alone is pruned, in the mean over the shares.
  public func importance(of part: Part) -> Double {
    baseline - part.accuracies.reduce(0, +) / Double(max(part.accuracies.count, 1))
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

  /// What each part can give if all of them, each alone, are to cost the same accuracy, as little as the target needs:
  /// one share for each part, for a pruning of filters.
  ///
  /// Between the measured shares accuracy is taken to fall in a straight line, and never to rise. Where the target is
  /// met at no loss at all, the shares that cost nothing are reduced in proportion.
  /// - Parameter graph: the network that was measured.
  /// - Throws: `CompressError` when the greatest shares that were measured do not reach the target.
  public func ratios(for target: CostTarget, of graph: Graph) throws -> [Double] {
    try target.check()
    let groups = ChannelGroups(graph)
    var positions: [Int] = []
    for part in parts {
      let rest = groups.groups.indices.drop { $0 <= positions.last ?? -1 }
      guard let position = rest.first(where: { groups.groups[$0].producers == part.layers }) else {
        throw CompressError("\(part.name) is no group of channels: ratios are for strategies that prune filters")
      }
      positions.append(position)
    }
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
    let worst = parts.flatMap(\.accuracies).reduce(0) { max($0, baseline - $1) }
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

  /// The greatest share of a part that costs no more than `loss` of accuracy.
  private func share(of part: Part, losing loss: Double) -> Double {
    var before = (share: 0.0, loss: 0.0)
    for (share, accuracy) in zip(shares, part.accuracies) {
      let next = (share: share, loss: max(before.loss, baseline - accuracy))
      if next.loss > loss {
        return before.share + (loss - before.loss) / (next.loss - before.loss) * (next.share - before.share)
      }
      before = next
    }
    return before.share
  }
}
