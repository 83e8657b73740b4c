import Testing

@testable import Reports

@Suite struct OverSeedsTests {
  private func results(_ points: [(value: Double, seed: UInt64, accuracies: [Double])]) -> SweepResults {
    SweepResults(
      script: "lab.lua", axes: ["sparsity"],
      points: points.enumerated().map { index, point in
        SweepResults.Point(
          number: index + 1, values: [.number(point.value)], seed: point.seed,
          variants: point.accuracies.enumerated().map { variant, accuracy in
            SweepResults.Variant(
              name: variant == 0 ? "baseline" : "pruned", accuracy: accuracy, gzipBytes: 1000 * (index + 1), macs: 10,
              nonzero: 5, median: Double(index + 1))
          }, error: nil, report: nil)
      }, total: points.count, threads: 1, machine: ResultsFile.Machine())
  }

  @Test func meansAndDeviationsOfEachSetting() throws {
    let all = OverSeeds.all(
      results([(0.5, 0, [0.9, 0.80]), (0.5, 1, [0.9, 0.82]), (0.5, 2, [0.9, 0.87]), (0.9, 0, [0.9, 0.70])]))
    #expect(all.map(\.variant) == ["baseline", "pruned", "baseline", "pruned"])
    let pruned = all[1]
    #expect(pruned.values == [.number(0.5)] && pruned.seeds == 3)
    #expect(abs(pruned.accuracy - 0.83) < 1e-12)
    // The squares of -3, -1 and 4 over two.
    #expect(abs(try #require(pruned.deviation) - 0.13.squareRoot() / 10) < 1e-12)
    #expect(pruned.range == 0.80...0.87 && pruned.gzipBytes == 2000 && pruned.median == 2)
    #expect(pruned.accuracyText == "83.00 ± 3.61 %")
    // One seed has no deviation.
    #expect(all[3].seeds == 1 && all[3].deviation == nil && all[3].accuracyText == "70.00 %")
  }

  @Test func nothingWhereNothingIsRepeated() {
    #expect(OverSeeds.all(results([(0.5, 0, [0.9]), (0.9, 0, [0.8])])).isEmpty)
    // The same seed twice: budgets of a search, not chance.
    #expect(OverSeeds.all(results([(0.5, 0, [0.9]), (0.5, 1, [0.9]), (0.5, 0, [0.8])])).isEmpty)
  }

  /// A median of three turns is more than one of a single process.
  @Test func thePageSaysInHowManyTurnsVariantsWereTimed() throws {
    var sweep = results([(0.5, 0, [0.9, 0.80]), (0.9, 0, [0.9, 0.7])])
    #expect(try !SweepReport(sweep, charts: nil).rendered().contains(" turns"))
    for point in sweep.points.indices { for variant in 0...1 { sweep.points[point].variants[variant].turns = 3 } }
    #expect(try SweepReport(sweep, charts: nil).rendered().contains("computes, each variant in 3 turns."))
    sweep.points[1].variants[0].turns = 1
    #expect(try SweepReport(sweep, charts: nil).rendered().contains("each variant in 1 to 3 turns."))
  }

  @Test func thePageHasThemAndMarksTheMeansThatNoOtherBeats() throws {
    let page = try SweepReport(
      results([(0.5, 0, [0.9, 0.80]), (0.5, 1, [0.9, 0.82])]), charts: nil
    ).rendered()
    #expect(page.contains("<h2>Over seeds</h2>") && page.contains("81.00 ± 1.41 %"))
    #expect(page.contains("80.00 % to 82.00 %"))
    #expect(page.components(separatedBy: "<tr class=\"front\">").count == 1 + 2)
    let single = try SweepReport(results([(0.5, 0, [0.9, 0.80])]), charts: nil).rendered()
    #expect(!single.contains("Over seeds"))
  }
}
