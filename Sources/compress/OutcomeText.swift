import Diagnostics
import Pipeline
import Reports
import Scripting

/// What a pipeline recorded: a table of its stages, and what it compares.
struct OutcomeText {
  private let outcome: ScriptSession.Outcome
  private let executor: Executor

  init(_ outcome: ScriptSession.Outcome, _ executor: Executor) {
    self.outcome = outcome
    self.executor = executor
  }

  func rendered(for terminal: Terminal) -> String {
    var table = TextTable([
      ("#", .right), ("stage", .left), ("from", .left), ("line", .right), ("key", .left), ("", .left),
    ])
    var stages: [Stage] = []
    for goal in outcome.stages {
      for stage in goal.lineage where !stages.contains(where: { $0 === stage }) { stages.append(stage) }
    }
    for (index, stage) in stages.enumerated() {
      let inputs = stage.inputs.compactMap { input in stages.firstIndex { $0 === input }.map { "\($0 + 1)" } }
      let ready = executor.isAvailable(stage)
      table.add([
        TextTable.Cell("\(index + 1)", .dim), TextTable.Cell(stage.work.label, .bold),
        TextTable.Cell(inputs.joined(separator: ", ")),
        TextTable.Cell(stage.origin.map { "\($0.line)" } ?? ""),
        TextTable.Cell(String(stage.key.digest.prefix(12)), .dim),
        ready
          ? TextTable.Cell("at hand", .green)
          : executor.hasFailed(stage)
            ? TextTable.Cell("failed", .red)
            : stage.key.uncacheableReason != nil
              ? TextTable.Cell("not cached", .yellow) : TextTable.Cell("to compute", .cyan),
      ])
    }
    var text = table.rendered(for: terminal)
    guard let comparison = outcome.comparison else { return text }
    text +=
      "\ncompares on \(Formatting.count(comparison.data.count)) images of \(comparison.data.name), "
      + "\(Formatting.count(comparison.images)) timed one by one:\n"
    for variant in comparison.variants {
      let number = stages.firstIndex { $0 === variant.stage }.map { "\($0 + 1)" } ?? "?"
      text += "  \(variant.name.escapedForTerminal)  (stage \(number))\n"
    }
    return text
  }
}
