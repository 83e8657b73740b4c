import Foundation
import Reports
import Testing

@testable import Experiments
@testable import Runs

/// What was judged without labels has an agreement and no accuracy, wherever runs are listed.
@Suite struct AgreementListingTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private let plain = Terminal(.output, isInteractive: false, hasColor: false)

  private func agreeing(_ number: Int, share: Double = 0.93) -> RunRecord {
    var run = sampleRun(number)
    run.variants = run.variants.map { variant in
      var numbers = metrics(accuracy: 0, gzip: variant[.gzipBytes] ?? 0)
      numbers[.accuracy] = nil
      numbers[.agreement] = variant.name == "baseline" ? 1 : share
      return RunRecord.Variant(name: variant.name, metrics: numbers)
    }
    return run
  }

  private func rows(_ text: String) -> [[String]] {
    text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
  }

  @Test func listsHaveAColumnOfEach() throws {
    let store = try RunStore(folder.path + "/data/runs.sqlite")
    try store.record(agreeing(1))
    let alone = RunText.list(try store.rows(RunQuery()), for: plain)
    #expect(alone.contains("agreement") && !alone.contains("accuracy") && alone.contains("93.00 %"))
    try store.record(sampleRun(2))
    let both = RunText.list(try store.rows(RunQuery()), for: plain)
    #expect(rows(both)[0].filter { ["accuracy", "agreement"].contains($0) } == ["accuracy", "agreement"])
    var query = RunQuery()
    query.filters = [try RunFilter("agreement>0.9")]
    #expect(try store.rows(query).map { $0.variant?[.agreement] } == [0.93])
    query.filters = [try RunFilter("accuracy>0")]
    #expect(try store.rows(query).map { $0.variant?[.accuracy] } == [0.97])
  }

  @Test func detailsAndComparisonsNameIt() throws {
    let store = try RunStore(folder.path + "/data/runs.sqlite")
    let first = try store.record(agreeing(1)), second = try store.record(agreeing(2, share: 0.95))
    let stored = try store.run("\(first)")
    #expect(stored.record == agreeing(1))
    let details = RunText.details(stored, for: plain)
    #expect(details.contains("agreement") && !details.contains("accuracy"))
    let text = RunComparisonText([stored, try store.run("\(second)")]).rendered(for: plain)
    #expect(text.contains("95.00 % (+2.00)") && text.contains("agreement") && !text.contains("accuracy"))
    #expect(RunText.details(try store.run("\(store.record(sampleRun(3)))"), for: plain).contains("accuracy"))
  }

  /// From what was measured to its record, and what a sweep says of it.
  @Test func sweepsGoByIt() throws {
    let definition = SweepDefinition(
      script: "/p/lab.lua", scriptDigest: "", axes: ["a"], fixed: [],
      points: [SweepDefinition.Point(number: 1, settings: [], seed: 0)],
      run: SweepDefinition.Run(
        data: nil, plugins: [], limits: .init(), dataMemory: 1, usesCache: true, keepsModels: true), threads: 1)
    let outcomes = [1: agreeing(1)]
    let text = SweepSummary(definition, outcomes).rendered(for: plain)
    #expect(text.contains("smaller and as much in agreement") && text.contains("93.00 %") && !text.contains("accura"))
    let results = SweepResults(definition, outcomes)
    #expect(results.measure == "agreement" && results.points[0].variants.map(\.accuracy) == [1, 0.93])
    #expect(SweepResults(definition, [1: sampleRun(1)]).measure == "accuracy")
    #expect(SweepResults(definition, [1: sampleRun(1), 2: agreeing(2)]).measure == "accuracy or agreement")
    func goal(_ metric: Metric, drop: Double? = nil) -> SweepGoal {
      SweepGoal(metric: metric, limits: [], drop: drop, variant: nil, budget: nil, factor: 1)
    }
    #expect(goal(.gzipBytes, drop: 0.05).best(of: agreeing(1)).variant?.name == "baseline")
    #expect(goal(.gzipBytes, drop: 0.08).best(of: agreeing(1)).variant?.name == "pruned")
    let none = SweepSearchText(goal(.accuracy), definition, outcomes, finals: definition.points).rendered(for: plain)
    #expect(none == "no model has accuracy: what was compared was judged by agreement\n")
  }
}
