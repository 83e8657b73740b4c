import ArgumentParser
import Confinement
import Diagnostics
import Formats
import Foundation
import Reports

/// The program: parses the command line, runs the command, turns errors into one message and an exit status.
@main
struct Compress: ParsableCommand {
  static let version = programVersion

  static let configuration = CommandConfiguration(
    commandName: "compress",
    abstract: "Makes neural networks small and fast, and proves it.",
    discussion: """
      A Lua script says what to do with a model; plugins decide what to prune, how to quantize and when. \
      Start with: compress run pipelines/quickstart.lua

      Exit status: 0 done; 2 the script, an option or a file needs mending; 3 the machine refused (disk, \
      memory, permissions); 4 a limit of the sandbox was reached; 5 points of a sweep failed; \
      64 wrong usage; 130 stopped by Ctrl-C.
      """,
    version: version,
    subcommands: [
      RunCommand.self, WatchCommand.self, SweepCommand.self, RunsCommand.self, PlanCommand.self, CheckCommand.self,
      NewCommand.self,
      PluginsCommand.self, InspectCommand.self, PredictCommand.self, EvaluateCommand.self, CompareCommand.self,
      ConvertCommand.self, PackCommand.self, UnpackCommand.self, BenchCommand.self, ConformanceCommand.self, DataCommand.self,
      CacheCommand.self, ReplCommand.self, DoctorCommand.self, MetaCommand.self, MeasureCommand.self, PointCommand.self,
      LogRunsCommand.self,
    ])

  /// The file this process was started from.
  static var program: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }

  /// Characters; names in a message are as long as whoever chose them liked.
  private static let longestMessage = 1000

  /// Commands that start processes, or need a folder for files in passing; those that read models start one for HDF5.
  private static let brokered = [
    "run", "sweep", "point", "bench", "runs", "inspect", "compare", "plan", "check", "convert", "pack", "unpack", "predict", "evaluate",
    "repl",
  ]

  /// Lets the stack of the main thread, which scripts run on, grow to 100 MiB. Lua names what failed in a chain of indices
  /// (a.b.c…) by calling itself for each of them; the longest script there may be has room for it.
  private static func deepenStack() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 100 << 20))
    _ = setrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit)
  }

  /// A word that is no command is most often one that is spelt otherwise; the parser would call it an unexpected argument.
  private static func checkCommand(_ word: String?) throws {
    let names = configuration.subcommands.map { $0._commandName }
    guard let word, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return }
    let shown = configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
    throw ValidationError(
      "there is no command \"\(word.escapedForTerminal)\"" + Suggestion.text(for: word, among: shown))
  }

  static func main() {
    // A process that stopped reading is an error to be told, not a reason to die.
    signal(SIGPIPE, SIG_IGN)
    deepenStack()
    do {
      // Before there is anything in this process that could be turned against it.
      if brokered.contains(CommandLine.arguments.dropFirst().first ?? "") {
        try Broker.begin()
        try HDF5Program.addToBroker()
      }
      try checkCommand(CommandLine.arguments.dropFirst().first)
      var command = try parseAsRoot()
      try command.run()
      Broker.end()
    } catch let error as CompressError {
      let terminal = Terminal(.errors)
      terminal.write(
        terminal.told(
          "error: ", .red, .bold, text: error.description.escapedBlock.shortened(to: Self.longestMessage)))
      Broker.end()
      Foundation.exit(error.exitStatus)
    } catch {
      Broker.end()
      leave(error)
    }
  }

  /// What the parser says, and its status: help, which is no error, or what is wrong with the command line.
  private static func leave(_ error: any Error) -> Never {
    let status = exitCode(for: error), text = fullMessage(for: error)
    let terminal = Terminal(status.isSuccess ? .output : .errors)
    // It breaks what it explains, but no usage and no message.
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let begins = ["USAGE:", "Usage:", "Error:", "Help:"].first { line.hasPrefix($0) }
      if let begins { terminal.write(terminal.wrapped(String(line), indent: begins.count + 1)) } else {
        terminal.writeLine(String(line))
      }
    }
    Foundation.exit(status.rawValue)
  }
}
