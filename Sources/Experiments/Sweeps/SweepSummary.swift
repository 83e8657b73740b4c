import Diagnostics
import Reports
import Runs

/// A sweep as it is told at its end: the points that no other beats, and how many failed.
public struct SweepSummary {
  private let definition: SweepDefinition
  private let outcomes: [Int: RunRecord]

  private static let mostRows = 15

  public init(_ definition: SweepDefinition, _ outcomes: [Int: RunRecord]) {
    self.definition = definition
    self.outcomes = outcomes
  }

  public func rendered(for terminal: Terminal) -> String {
    let candidates = outcomes.sorted { $0.key < $1.key }.flatMap { number, run in
      run.variants.map { (number: number, run: run, variant: $0) }
    }
    let front = ParetoFront.indices(
      candidates.map { ($0.variant.share ?? 0, $0.variant[.gzipBytes] ?? .infinity) })
    let measures = RunText.measures(of: candidates.map(\.variant))
    let asGood = measures == [.accuracy] ? "as accurate" : measures == [.agreement] ? "as much in agreement" : "as good"
    var text = seeds(for: terminal)
    if !front.isEmpty {
      var table = TextTable(
        [("point", .right)] + definition.axes.map { ($0, .right) }
          + [
            ("seed", .right), ("variant", .left),
          ] + measures.map { ($0.title, .right) } + [("gzip", .right), ("MACs", .right), ("p50", .right)])
      for index in front.prefix(Self.mostRows) {
        let (number, run, variant) = candidates[index]
        table.add(
          [TextTable.Cell("\(number)", .bold)] + definition.axes.map { TextTable.Cell(run.params[$0]?.text ?? "") }
            + [
              TextTable.Cell(String(run.seed), .dim), TextTable.Cell(variant.name),
            ] + measures.map { TextTable.Cell(RunText.value(variant, $0), .bold) } + [
              TextTable.Cell(RunText.value(variant, .gzipBytes)),
              TextTable.Cell(RunText.value(variant, .macs)), TextTable.Cell(RunText.value(variant, .p50)),
            ])
      }
      text += "no other is both smaller and \(asGood):\n" + table.rendered(for: terminal)
      if front.count > Self.mostRows { text += "and \(front.count - Self.mostRows) more\n" }
    }
    let failed = outcomes.values.count { $0.status == .failed }
    let computed = outcomes.values.flatMap(\.stages).count(where: \.isComputed)
    let stages = outcomes.values.reduce(0) { $0 + $1.stages.count }
    text += "\(outcomes.count) points\(failed > 0 ? ", " + terminal.styled("\(failed) failed", .red) : "")"
    text += "; \(computed) stages computed, \(stages - computed) shared or at hand\n"
    return text
  }

  /// Settings over their seeds, those that no other beats; nothing when there is one seed.
  private func seeds(for terminal: Terminal) -> String {
    let results = SweepResults(definition, outcomes), settings = OverSeeds.all(results)
    guard !settings.isEmpty else { return "" }
    let front = ParetoFront.indices(settings.map { ($0.accuracy, $0.gzipBytes) })
    var table = TextTable(
      definition.axes.map { ($0, .right) } + [
        ("variant", .left), ("seeds", .right), (results.measure, .right), ("gzip", .right), ("MACs", .right),
        ("p50", .right),
      ])
    for setting in front.prefix(Self.mostRows).map({ settings[$0] }) {
      table.add(
        setting.values.map { TextTable.Cell($0?.text ?? "") } + [
          TextTable.Cell(setting.variant), TextTable.Cell(String(setting.seeds), .dim),
          TextTable.Cell(setting.accuracyText, .bold),
          TextTable.Cell(Formatting.bytes(setting.gzipBytes.rounded())),
          TextTable.Cell(Formatting.scaled(setting.macs.rounded())),
          TextTable.Cell(Formatting.duration(setting.median / 1e3)),
        ])
    }
    return terminal.wrapped(
      "over seeds, means (\(results.measure) with its standard deviation) that no other setting beats:")
      + table.rendered(for: terminal) + (front.count > Self.mostRows ? "and \(front.count - Self.mostRows) more\n" : "")
      + "\n"
  }
}
