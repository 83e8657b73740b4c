import Diagnostics
import Foundation
import Runs
import Scripting

/// Successive halving (Jamieson and Talwalkar 2016): all points with the least budget, the best of them with more, and
/// so on; the last ones with all of it.
///
/// Which points go on follows from the outcomes alone, so that an interrupted search goes on as it would have.
public struct SweepSearch {
  private let goal: SweepGoal

  public init(_ goal: SweepGoal) { self.goal = goal }

  /// Checks the goal against the script's params and the sweep's axes.
  public static func check(_ goal: SweepGoal, _ space: SweepSpace, declared: [ParamDeclaration]) throws {
    guard let budget = goal.budget else { return }
    guard let param = declared.first(where: { $0.name == budget.param }) else {
      throw CompressError(
        "--budget: the script has no param \"\(budget.param)\""
          + Suggestion.text(for: budget.param, among: declared.map(\.name)))
    }
    guard !space.axes.contains(where: { $0.name == budget.param }),
      !space.fixed.contains(where: { $0.name == budget.param })
    else { throw CompressError("--budget: \"\(budget.param)\" is set or swept over as well") }
    for rung in goal.rungs { _ = try param.parse(Self.text(rung, isInteger: param.isInteger), from: "--budget") }
    guard Set(goal.rungs.map { Self.text($0, isInteger: param.isInteger) }).count == goal.rungs.count else {
      throw CompressError("--budget: \"\(budget.param)\" is a whole number, and some of the budgets are the same one")
    }
  }

  static func text(_ budget: Double, isInteger: Bool) -> String {
    SweepAxis.text(isInteger ? budget.rounded() : budget)
  }

  /// The sweep's points with the least budget.
  public static func first(
    _ points: [SweepDefinition.Point], _ goal: SweepGoal, declared: [ParamDeclaration]
  ) -> [SweepDefinition.Point] {
    guard let budget = goal.budget, let least = goal.rungs.first else { return points }
    let isInteger = declared.first { $0.name == budget.param }?.isInteger ?? false
    return points.map { point in
      var point = point
      point.settings.append(SweepDefinition.Setting(name: budget.param, value: text(least, isInteger: isInteger)))
      return point
    }
  }

  /// Runs rung after rung.
  ///
  /// - Parameter run: runs points and returns when all have ended; what came of them is then in the result.
  /// - Returns: the last rung's points.
  public func run(
    _ points: [SweepDefinition.Point], isInteger: Bool,
    _ run: ([SweepDefinition.Point]) throws -> [Int: RunRecord]
  ) throws -> [SweepDefinition.Point] {
    var rung = points, outcomes = try run(rung), number = points.map(\.number).max() ?? 0
    for budget in goal.rungs.dropFirst() {
      let survivors = Self.survivors(rung, outcomes, goal)
      rung = survivors.map { point in
        number += 1
        var next = point
        next.number = number
        next.settings[next.settings.count - 1].value = Self.text(budget, isInteger: isInteger)
        return next
      }
      guard !rung.isEmpty else { break }
      outcomes = try run(rung)
    }
    return rung
  }

  /// The best of every `factor` points; those that failed never go on.
  static func survivors(
    _ points: [SweepDefinition.Point], _ outcomes: [Int: RunRecord], _ goal: SweepGoal
  ) -> [SweepDefinition.Point] {
    let ranked = points.compactMap { point in outcomes[point.number].map { (point, goal.best(of: $0).rank) } }
      .filter { $0.1.tier < 2 }
      .sorted { ($0.1, $0.0.number) < ($1.1, $1.0.number) }
    let count = max(1, (points.count + goal.factor - 1) / goal.factor)
    return ranked.prefix(count).map(\.0).sorted { $0.number < $1.number }
  }
}
