import Files
import Foundation
import Reports
import Runs

/// A sweep as CSV, one row a point and variant, in the order of the points. What was timed comes last: without those
/// columns the same sweep gives the same bytes, however often it was interrupted.
public struct SweepTable {
  private let definition: SweepDefinition
  private let outcomes: [Int: RunRecord]

  public init(_ definition: SweepDefinition, _ outcomes: [Int: RunRecord]) {
    self.definition = definition
    self.outcomes = outcomes
  }

  public var csv: String {
    let params = Set(outcomes.values.flatMap(\.params.keys)).sorted()
    let metrics = Metric.allCases.filter { !$0.isTiming }, timings = Metric.allCases.filter(\.isTiming)
    var text = CSV.line(
      ["point"] + params + ["seed", "status", "error", "variant"] + metrics.map(\.name) + ["seconds"]
        + timings.map(\.name))
    for (number, run) in outcomes.sorted(by: { $0.key < $1.key }) {
      let variants = run.variants.isEmpty ? [nil] : run.variants.map(Optional.some)
      for variant in variants {
        let point = [String(number)] + params.map { run.params[$0]?.text ?? "" }
        let state = [String(run.seed), run.status.rawValue, run.error ?? "", variant?.name ?? ""]
        func values(_ metrics: [Metric]) -> [String] { metrics.map { variant?[$0].map(CSV.number) ?? "" } }
        text += CSV.line(point + state + values(metrics) + [CSV.number(run.seconds)] + values(timings))
      }
    }
    return text
  }
}
