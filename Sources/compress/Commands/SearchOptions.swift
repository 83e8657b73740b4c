import Runs
import ArgumentParser
import Diagnostics
import Experiments

/// What `compress sweep --search` aims at.
struct SearchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Look for the point with the highest accuracy (agreement without labels), or the least of another metric: gzip, "
        + "p50, macs …",
      valueName: "metric"))
  var search: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Only models with at most so much of a metric (of accuracy and agreement, at least).", valueName: "metric=n"))
  var limit: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Only models at most so many percentage points less accurate than their run's first.", valueName: "points"))
  var drop: Double?

  @Option(help: ArgumentHelp("The variant that counts (default: any).", valueName: "name"))
  var variant: String?

  @Option(
    help: ArgumentHelp(
      "Successive halving: all points with the least of this param, the best with more, the last with all of it.",
      valueName: "param=least:full"))
  var budget: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --budget: one of so many goes on, with so many times the budget (default: \(Self.standardFactor)).",
      valueName: "n"))
  var factor: Int?

  private static let standardFactor = 3

  func validate() throws {
    if search == nil, !limit.isEmpty || drop != nil || variant != nil || budget != nil {
      throw ValidationError("--limit, --drop, --variant and --budget go with --search METRIC")
    }
    if let factor {
      guard budget != nil else { throw ValidationError("--factor goes with --budget") }
      guard (2...100).contains(factor) else { throw ValidationError("--factor \(factor): must be 2 to 100") }
    }
    if let drop, !(0...100).contains(drop) { throw ValidationError("--drop \(drop): must be 0 to 100 points") }
  }

  func goal() throws -> SweepGoal? {
    guard let search else { return nil }
    guard let metric = Metric(name: search) else {
      throw CompressError(
        "--search \(search): there is no such metric" + Suggestion.text(for: search, among: Metric.allCases.map(\.name))
      )
    }
    return SweepGoal(
      metric: metric, limits: try limit.map(SweepGoal.Limit.init), drop: drop.map { $0 / 100 }, variant: variant,
      budget: try budget.map(SweepGoal.Budget.init), factor: factor ?? Self.standardFactor)
  }
}
