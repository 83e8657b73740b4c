import ArgumentParser
import Pipeline
import Reports
import Scripting

/// `compress plan SCRIPT`.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show the stages a pipeline records, and which are at hand already.")

  @OptionGroup var options: ScriptOptions

  func run() throws {
    try options.confinement.confine(options.rights(computes: false))
    let executor = try options.makeExecutor(progress: TerminalProgress())
    let session = try ScriptSession(
      options.sessionOptions(), executor: executor, print: { Terminal(.errors).writeLine($0) })
    let outcome = try session.run()
    let terminal = Terminal(.output)
    terminal.write(OutcomeText(outcome, executor).rendered(for: terminal))
  }
}
