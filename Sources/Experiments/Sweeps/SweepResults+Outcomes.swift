import Diagnostics
import Files
import Reports
import Runs

extension SweepResults {
  /// Points that ended, for the sweep's page.
  init(_ definition: SweepDefinition, _ outcomes: [Int: RunRecord]) {
    let ended = outcomes.sorted { $0.key < $1.key }
    let environment = ended.first?.value.environment
    self.init(
      script: definition.script, axes: definition.axes,
      points: ended.map { number, run in
        // The page lies in the sweep's folder.
        let report = SweepFolder.name(of: number) + "/report.html"
        return Point(
          number: number, values: definition.axes.map { run.params[$0] }, seed: run.seed,
          variants: run.variants.map { variant in
            func count(_ metric: Metric) -> Int { Int(saturating: variant[metric] ?? 0) }
            return Variant(
              name: variant.name, accuracy: variant.share ?? 0, gzipBytes: count(.gzipBytes), macs: count(.macs),
              nonzero: count(.nonzero), median: variant[.p50] ?? 0,
              turns: variant.turnMedians?.count)
          }, error: run.status == .failed ? run.error ?? "failed" : nil, report: run.variants.isEmpty ? nil : report)
      }, total: max(definition.points.count, outcomes.count), threads: definition.threads,
      machine: environment.map { ResultsFile.Machine(cpu: $0.cpu, cores: $0.cores, isa: $0.isa) }
        ?? ResultsFile.Machine())
    // Scripts of one sweep may judge otherwise by a param; a page has one axis for both.
    switch RunText.measures(of: outcomes.values.flatMap(\.variants)) {
    case [.accuracy]: measure = "accuracy"
    case [.agreement]: measure = "agreement"
    default: measure = "accuracy or agreement"
    }
  }
}
