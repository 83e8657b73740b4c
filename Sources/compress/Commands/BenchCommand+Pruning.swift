import Pipeline
import Reports
import Scripting

extension BenchCommand {
  func runPruning() throws {
    let bench = try PruningBench(
      model: model, reading: try reading.options(),
      strategies: strategy.isEmpty ? ["global_magnitude", "filter_l1"] : strategy,
      sparsity: sparsity ?? 0.8,
      macs: macs ?? 0.5, runs: runs ?? 3)
    let terminal = Terminal(.output)
    if json { return try terminal.writeJSON(bench) }
    terminal.write(Self.table(bench).rendered(for: terminal))
    for note in bench.rows.flatMap(\.notes) { terminal.say(note) }
  }

  /// What strategies took on one model; memory beside that of the model's parameters.
  static func table(_ bench: PruningBench) -> TextTable {
    var table = TextTable([
      ("strategy", .left), ("target", .left), ("achieved", .right), ("time", .right), ("CPU", .right),
      ("memory", .right),
      ("of the model's", .right), ("loading", .right), ("storing", .right),
    ])
    for row in bench.rows {
      table.add([
        TextTable.Cell(row.strategy, .bold),
        TextTable.Cell("\(row.target) \(Formatting.percent(row.wanted, digits: 1))"),
        TextTable.Cell(Formatting.percent(row.achieved, digits: 2)), TextTable.Cell(Formatting.duration(row.seconds)),
        TextTable.Cell(Formatting.duration(row.processorSeconds)),
        TextTable.Cell(Formatting.bytes(row.peakBytes)),
        TextTable.Cell(Formatting.significant(Double(row.peakBytes) / Double(bench.modelBytes)) + "x"),
        TextTable.Cell(Formatting.duration(bench.loadSeconds)), TextTable.Cell(Formatting.duration(row.storeSeconds)),
      ])
    }
    return table
  }
}
