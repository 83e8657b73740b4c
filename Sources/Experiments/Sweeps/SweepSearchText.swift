import Diagnostics
import Reports
import Runs

/// What a search found, for the terminal.
public struct SweepSearchText {
  private let goal: SweepGoal
  private let definition: SweepDefinition
  private let outcomes: [Int: RunRecord]
  private let finals: [SweepDefinition.Point]

  /// - Parameter finals: the points that had the full budget.
  public init(
    _ goal: SweepGoal, _ definition: SweepDefinition, _ outcomes: [Int: RunRecord], finals: [SweepDefinition.Point]
  ) {
    self.goal = goal
    self.definition = definition
    self.outcomes = outcomes
    self.finals = finals
  }

  public func rendered(for terminal: Terminal) -> String {
    let found = finals.compactMap { point in outcomes[point.number].map { (point, goal.best(of: $0)) } }
      .min { ($0.1.rank, $0.0.number) < ($1.1.rank, $1.0.number) }
    guard let (point, best) = found, let variant = best.variant else {
      let variants = finals.compactMap { outcomes[$0.number] }.flatMap(\.variants)
      guard let other = variants.first, goal.variant == nil else { return "no point came to an end\n" }
      return "no model has \(goal.metric.title): what was compared was judged by \(other.measure.title)\n"
    }
    let what = goal.metric.isGain ? "highest \(goal.metric.title)" : "least \(goal.metric.title)"
    let standard = [variant.measure, .gzipBytes, .p50]
    let metrics = standard + (standard.contains(goal.metric) ? [] : [goal.metric])
    let numbers = metrics.map { "\($0.title) \(RunText.value(variant, $0))" }.joined(separator: ", ")
    let verdict =
      best.rank.tier == 0
      ? "\(what)\(goal.limits.isEmpty && goal.drop == nil ? "" : " within the limits"): "
      : "no point is within the limits; nearest to them: "
    return terminal.wrapped(
      terminal.styled(verdict, .bold) + "point \(point.shown), \(variant.name.escapedForTerminal)\n  \(numbers)",
      indent: 2)
  }
}
