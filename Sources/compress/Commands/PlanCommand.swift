import ArgumentParser
import Diagnostics
import Foundation
import Pipeline
import Reports
import Scripting

/// `compress plan SCRIPT`.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show the stages a pipeline records, and which are at hand already.")

  @OptionGroup var options: ScriptOptions

  func run() throws {
    let executor = try options.makeExecutor(progress: TerminalProgress())
    let session = try ScriptSession(options.sessionOptions(), executor: executor, print: { Terminal(.errors).writeLine($0) })
    let outcome = try session.run()
    let terminal = Terminal(.output)
    var table = TextTable([("#", .right), ("stage", .left), ("from", .left), ("line", .right), ("key", .left), ("", .left)])
    var stages: [Stage] = []
    for goal in outcome.stages {
      for stage in goal.lineage where !stages.contains(where: { $0 === stage }) { stages.append(stage) }
    }
    for (index, stage) in stages.enumerated() {
      let inputs = stage.inputs.compactMap { input in stages.firstIndex { $0 === input }.map { "\($0 + 1)" } }
      let ready = executor.isAvailable(stage)
      table.add([
        TextTable.Cell("\(index + 1)", .dim), TextTable.Cell(stage.work.label, .bold), TextTable.Cell(inputs.joined(separator: ", ")),
        TextTable.Cell(stage.origin.map { "\($0.line)" } ?? ""), TextTable.Cell(String(stage.key.digest.prefix(12)), .dim),
        ready ? TextTable.Cell("at hand", .green)
          : stage.key.unrepeatableReason != nil ? TextTable.Cell("not cached", .yellow) : TextTable.Cell("to compute", .cyan),
      ])
    }
    terminal.write(table.rendered(for: terminal))
    guard let comparison = outcome.comparison else { return }
    terminal.writeLine("\ncompares on \(Formatting.count(comparison.data.count)) images of \(comparison.data.name), \(Formatting.count(comparison.images)) timed one by one:")
    for variant in comparison.variants {
      let number = stages.firstIndex { $0 === variant.stage }.map { "\($0 + 1)" } ?? "?"
      terminal.writeLine("  \(variant.name.escapedForTerminal)  (stage \(number))")
    }
  }
}
