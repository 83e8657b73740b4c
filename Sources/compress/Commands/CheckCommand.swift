import ArgumentParser
import Confinement
import Diagnostics
import Foundation
import Pipeline
import Reports
import Scripting

/// `compress check FILE`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check a plugin or a pipeline without the long wait.",
    discussion: """
      A plugin is loaded, explained, and tried on a tiny network with generated digits. A pipeline's script is run, \
      which checks every option, and its plan is shown; nothing is trained that the script does not read back. Of a \
      sweep's file every point is checked against the pipeline's params, and the pipeline with the first of them. \
      Exit status 0 when all is well, 2 when something needs mending.
      """)

  @OptionGroup var options: ScriptOptions

  func run() throws {
    try Broker.seal()
    try options.confinement.confine(options.rights(computes: false))
    let terminal = Terminal(.output)
    let problems: [CompressError]
    if try PluginCheck.looksLikePlugin(options.script) {
      problems = try checkPlugin(terminal)
    } else {
      let sweep = try SweepPreview(options)
      if let sweep { terminal.write(sweep.text + "\n") }
      problems = try checkPipeline(sweep?.first ?? options.rehearsalOptions(), terminal)
    }
    guard problems.isEmpty else {
      let errors = Terminal(.errors)
      for problem in problems {
        errors.write(errors.told("problem: ", .red, .bold, text: problem.description.escapedBlock))
      }
      throw ExitCode(2)
    }
    terminal.say(terminal.styled("\n✓ ", .green) + "no problem found")
  }

  private func checkPlugin(_ terminal: Terminal) throws -> [CompressError] {
    if let setting = options.settings.first {
      throw CompressError("--set \(setting): a plugin has no params; what it is tried with is its options' defaults")
    }
    let check: PluginCheck
    do { check = try PluginCheck(options.sessionOptions(), threads: options.threads ?? 1) } catch let error
      as CompressError
    {
      // A wrong limit is no fault of the plugin's.
      if error.message.hasPrefix("--") { throw error }
      return [error]
    }
    terminal.write(PluginText(check.plugin).rendered(for: terminal))
    terminal.say(
      "\ntried on a small network with generated digits\(check.assumed.isEmpty ? "" : ", with " + check.assumed.joined(separator: ", "))"
    )
    if !check.curve.isEmpty { terminal.say("  \(Sparkline.text(check.curve))") }
    for result in check.results {
      terminal.write(
        terminal.wrapped("  \(result.what.escapedForTerminal): \(result.outcome.escapedBlock)", indent: 2))
    }
    for warning in check.warnings {
      terminal.write(terminal.told("warning: ", .yellow, text: warning.escapedBlock))
    }
    return check.problems
  }

  private func checkPipeline(_ session: ScriptSession.Options, _ terminal: Terminal) throws -> [CompressError] {
    let executor = try options.makeExecutor(progress: TerminalProgress())
    let session = try ScriptSession(session, executor: executor, print: { Terminal(.errors).writeLine($0) })
    do {
      let outcome = try session.run()
      terminal.write(OutcomeText(outcome, executor).rendered(for: terminal))
      if outcome.stages.isEmpty {
        terminal.say(terminal.styled("warning: ", .yellow) + "the script records no stage")
      }
      return []
    } catch let error as CompressError {
      return [error]
    }
  }
}
