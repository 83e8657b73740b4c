import ArgumentParser
import Confinement
import Diagnostics
import Files
import Foundation
import Pipeline
import Reports
import Scripting

/// `compress repl`.
struct ReplCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repl", abstract: "Try what scripts can say, line by line.",
    discussion: """
      Every line is run at once, and values are printed; Tab completes names, arrows bring back earlier lines, Ctrl-C \
      ends what a line does, Ctrl-D all of it. Takes the options of compress run that are not about results: --data, --plugins, --threads, --seed, --no-cache \
      and the limits. Files are read beside where it was started, and in --data.

      For example: compress repl --data ~/data
      """)

  @Argument(parsing: .captureForPassthrough, help: "Options of compress run.")
  var arguments: [String] = []

  /// There is no such file: names of files are those of the folder it was started in.
  private static let script = "./line.lua"

  func run() throws {
    guard !arguments.contains(where: { ["-h", "--help"].contains($0) }) else { throw CleanExit.helpRequest(self) }
    let options = try ScriptOptions.parse([Self.script] + arguments)
    let history = Folders.data.map { $0 + "/repl_history" }
    var rights = try options.rights(computes: true)
    rights.writable += [try Scratch.begin()] + Rights.runs
    LineEditor.begin(history: history)
    try Broker.seal()
    try options.confinement.confine(rights)

    let terminal = Terminal(.output), cancellation = Cancellation()
    let executor = try options.makeExecutor(progress: TerminalProgress(), cancellation: cancellation)
    try executor.prepareStore()
    let conversation = try Conversation(options.sessionOptions(), executor: executor, print: { terminal.writeLine($0) })
    LineEditor.complete(with: conversation.completions)
    // Ctrl-C ends what a line does, not the conversation.
    let interrupt = conversation.interrupt
    signal(SIGINT, SIG_IGN)
    let interrupts = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    interrupts.setEventHandler { interrupt.cancel() }
    // While a line is read libedit has a handler of its own, and puts back what it found: it is to find this one.
    let isRegistered = DispatchSemaphore(value: 0)
    interrupts.setRegistrationHandler { isRegistered.signal() }
    interrupts.resume()
    isRegistered.wait()
    defer { interrupts.cancel() }
    defer { LineEditor.end(history: history) }
    var text = ""
    while let line = LineEditor.line(text.isEmpty ? "> " : ">> ") {
      text += (text.isEmpty ? "" : "\n") + line
      // One that came while a line was typed is of no line.
      interrupt.reset()
      do {
        if case .incomplete = try conversation.say(text) { continue }
      } catch let error as CompressError {
        let errors = Terminal(.errors)
        errors.write(errors.told("error: ", .red, .bold, text: error.description.escapedBlock))
      }
      text = ""
    }
    terminal.writeLine()
  }
}
