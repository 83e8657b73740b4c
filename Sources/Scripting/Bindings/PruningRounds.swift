import Diagnostics

/// The rounds of a pruning, and what a target comes to in each: a number is reached in equal steps, a list says it.
struct PruningRounds {
  let count: Int
  private let given: OptionValues

  /// - Throws: `CompressError` when a list is not as long as `rounds` says.
  init(_ given: OptionValues) throws {
    var count = given.integer("rounds")!
    for name in ["sparsity", "macs", "params", "bytes", "latency_ms", "filters", "ratios"] {
      guard let listed = name == "ratios" ? given.numberLists(name)?.count : given.numbers(name)?.count else {
        continue
      }
      guard listed > 0 else { throw CompressError("\(name) is an empty list") }
      guard count == 1 || count == listed else {
        throw CompressError("\(name) lists \(listed) rounds, and rounds = \(count)")
      }
      count = listed
    }
    self.count = count
    self.given = given
  }

  /// Whether the target says for itself what each round is to reach.
  func isListed(_ name: String) -> Bool { given.numbers(name) != nil }

  /// What is to be reached after each round, beginning at `start`.
  func values(_ name: String, from start: Double) throws -> [Double] {
    if let listed = given.numbers(name) { return listed }
    let last = given.number(name)!
    guard count > 1 else { return [last] }
    guard last <= 1 else { throw CompressError("in rounds, \(name) is a share up to 1, not \(last.short)") }
    return (1...count).map { start + (last - start) * Double($0) / Double(count) }
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
  func ratios(_ round: Int) -> [Double] { given.numberLists("ratios")?[round - 1] ?? given.numbers("ratios")! }
}
