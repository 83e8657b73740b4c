import ArgumentParser
import Confinement
import Pipeline
import Reports
import Scripting

/// `compress plan SCRIPT`.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show the stages a pipeline records, and which are at hand already.",
    discussion: "Of a sweep's file: its points, and the stages of the first.")

  @OptionGroup var options: ScriptOptions

  @Flag(help: "One JSON object: stages with number, kind, label, from, line, key and state; variants.")
  var json = false

  func run() throws {
    try Broker.seal()
    try options.confinement.confine(options.rights(computes: false))
    let executor = try options.makeExecutor(progress: TerminalProgress())
    let sweep = try SweepPreview(options), terminal = Terminal(.output)
    if let sweep { json ? tellAssumption(sweep.text) : terminal.write(sweep.text + "\n") }
    let session = try ScriptSession(
      sweep?.first ?? options.rehearsalOptions(), executor: executor, print: { Terminal(.errors).writeLine($0) })
    let outcome = try session.run()
    if json { return try terminal.writeJSON(OutcomeText(outcome, executor).plan) }
    terminal.write(OutcomeText(outcome, executor).rendered(for: terminal))
  }
}
