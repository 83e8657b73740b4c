import ArgumentParser
import Diagnostics
import Files
import Foundation
import Pipeline
import Reports
import Scripting

/// `compress run SCRIPT`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a pipeline: compute what is missing, measure, compare.",
    discussion: """
      With --out, writes DIR/results.json, DIR/report.html (for any browser, offline), the native file of every variant \
      (DIR/models), and what the script saves. Finished stages are kept in $XDG_CACHE_HOME/compress; a second run \
      computes only what changed.
      """)

  @OptionGroup var options: ScriptOptions

  @Option(help: ArgumentHelp("Where results and models go.", valueName: "dir"))
  var out: String?

  func run() throws {
    let cancellation = Cancellation()
    let signals = StopSignals(cancellation)
    defer { signals.stop() }
    let progress = TerminalProgress()
    do { try run(progress, cancellation) } catch {
      progress.abandon()
      throw (error as? CompressError)?.kind == .cancelled ? Cancellation.error : error
    }
  }

  private func run(_ progress: TerminalProgress, _ cancellation: Cancellation) throws {
    // What cannot be written is told before anything is computed.
    if let out { try Folders.prepare(out) }
    let executor = try options.makeExecutor(progress: progress, cancellation: cancellation)
    try executor.prepareStore()
    var sessionOptions = try options.sessionOptions()
    sessionOptions.out = out
    let terminal = Terminal(.output)
    let session = try ScriptSession(sessionOptions, executor: executor, print: { terminal.writeLine($0) })
    defer { session.noteBrokenImages() }
    let interrupt = session.interrupt
    try cancellation.withHandler({ interrupt.cancel() }) {
      let outcome = try session.run()
      for stage in outcome.leaves { _ = try executor.result(of: stage) }
      guard let comparison = outcome.comparison else { return }
      let result = try Comparer(worker: Self.thisProgram, executor: executor, seed: options.seed)
        .run(comparison, keepModels: out.map { $0 + "/models" })
      terminal.write("\n" + ComparisonTable(result).rendered(for: terminal))
      guard let out else { return }
      let run = ResultsFile.Run(
        script: options.script, scriptDigest: outcome.digest,
        params: Dictionary(outcome.params.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }), seed: options.seed,
        threads: executor.context.pool.threads, version: Compress.version,
        command: repeatable(threads: executor.context.pool.threads))
      let results = ResultsFile(result, run: run)
      try results.write(to: "\(out)/results.json")
      let charts = ChartLibrary.installed()
      try HTMLReport(results, charts: charts).write(to: "\(out)/report.html")
      let hint = charts == nil ? " (tables only: charts need the package \(ChartLibrary.package))" : ""
      terminal.writeLine(terminal.styled("results, report.html\(hint) and models are in \(out)", .dim))
    }
  }

  /// This command line, with the default that depends on the machine written out.
  private func repeatable(threads: Int) -> [String] {
    ["compress"] + CommandLine.arguments.dropFirst() + (options.threads == nil ? ["--threads", String(threads)] : [])
  }

  /// The file this process was started from.
  private static var thisProgram: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }
}
