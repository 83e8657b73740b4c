import Diagnostics

/// The rounds of a pruning, and what a target comes to in each: a number is reached in equal steps, a list says it.
struct PruningRounds {
  let count: Int

  /// - Throws: `CompressError` when a list is not as long as `rounds` says.
  init(_ given: OptionValues) throws {
    var count = given[PruneKeys.rounds]
    var lists = PruneKeys.numbers.compactMap { key in
      if case .each(let listed)? = given[key] { (name: key.name, count: listed.count) } else { nil }
    }
    if case .each(let listed)? = given[PruneKeys.ratios] { lists.append((PruneKeys.ratios.name, listed.count)) }
    for (name, listed) in lists {
      guard listed > 0 else { throw CompressError("\(name) is an empty list") }
      guard count == 1 || count == listed else {
        throw CompressError("\(name) lists \(listed) rounds, and rounds = \(count)")
      }
      count = listed
    }
    self.count = count
  }

  /// What is to be reached after each round, beginning at `start`.
  func values(_ target: PerRound<Double>, _ name: String, from start: Double) throws -> [Double] {
    switch target {
    case .each(let listed): return listed
    case .together(let last):
      guard count > 1 else { return [last] }
      guard last <= 1 else { throw CompressError("in rounds, \(name) is a share up to 1, not \(last.short)") }
      return (1...count).map { start + (last - start) * Double($0) / Double(count) }
    }
  }

  /// From the shares of the whole that are left after each round to those of what the round before has left.
  ///
  /// - Throws: `CompressError` when they do not fall.
  func steps(_ left: [Double], _ name: String) throws -> [Double] {
    var before = 1.0
    return try left.map { share in
      guard share <= before, before > 0 else { throw CompressError("\(name) gives back in a round what is gone") }
      defer { before = share }
      return share / before
    }
  }

  /// What goes of each layer or group in a round, from 1.
  func ratios(_ target: PerRound<[Double]>, _ round: Int) -> [Double] {
    switch target {
    case .together(let ratios): ratios
    case .each(let lists): lists[round - 1]
    }
  }
}
