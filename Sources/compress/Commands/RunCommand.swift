import ArgumentParser
import Confinement
import Devices
import Diagnostics
import Experiments
import Files
import Foundation
import Pipeline
import Reports
import Runs

/// `compress run SCRIPT`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a pipeline: compute what is missing, measure, compare.",
    discussion: """
      With --out, writes DIR/results.json, DIR/report.html (for any browser, offline), the native file of every variant \
      (DIR/models), and what the script saves. Finished stages are kept in $XDG_CACHE_HOME/compress; a second run \
      computes only what changed. What was run is recorded: compress runs list.
      """)

  @OptionGroup var options: ScriptOptions

  @Option(help: ArgumentHelp("Where results and models go.", valueName: "dir"), completion: .directory)
  var out: String?

  @Option(help: ArgumentHelp("Also log the run to the MLflow server at this address.", valueName: "url"))
  var mlflow: String?

  @Option(help: "What the run is called: compress runs show NAME.")
  var name: String?

  @Option(
    name: .customLong("tag"), parsing: .singleValue,
    help: ArgumentHelp("A tag of the run: compress runs list --where tag=TAG.", valueName: "tag"))
  var tags: [String] = []

  @Option(help: ArgumentHelp("What is to be remembered of the run.", valueName: "text"))
  var note: String?

  @OptionGroup(title: "Another machine") var device: DeviceOptions

  @Flag(help: "No progress and no tables: only what the script prints, warnings and errors.")
  var quiet = false

  func run() throws {
    let labels = try RunRecord.Labels(name: name, tags: tags, note: note)
    // What cannot be written is told before anything is computed.
    var rights = try options.rights(writing: [out].compactMap { $0 }, computes: true)
    let scratch = try Scratch.begin()
    rights.writable += [scratch] + Rights.runs
    let worker = try Programs.measure(models: out, scratch: scratch, options.confinement)
    let logging = try mlflow.map { try Programs.log(to: $0, files: out, options.confinement) }
    let remote = try device.known()
    if remote != nil { rights.readable += RunnerProgram.all }
    try Broker.seal()
    try options.confinement.confine(rights)

    let cancellation = Cancellation()
    let signals = StopSignals(cancellation)
    defer { signals.stop() }
    let progress = TerminalProgress(isQuiet: quiet)
    do { try run(worker, remote, logging, labels, progress, cancellation) } catch {
      progress.abandon()
      throw (error as? CompressError)?.kind == .cancelled ? Cancellation.error : error
    }
  }

  private func run(
    _ worker: BrokeredProgram, _ remote: RemoteDevice?, _ logging: BrokeredProgram?, _ labels: RunRecord.Labels,
    _ progress: TerminalProgress, _ cancellation: Cancellation
  ) throws {
    let executor = try options.makeExecutor(progress: progress, cancellation: cancellation)
    try executor.prepareStore()
    var sessionOptions = try options.sessionOptions()
    sessionOptions.out = out
    let logger = try logging.map { program in
      try LoggingProcess(
        program, experiment: URL(fileURLWithPath: options.script).deletingPathExtension().lastPathComponent)
    }
    let terminal = Terminal(.output), charts = ChartLibrary.installed()
    let run = ScriptRun(
      sessionOptions, executor: executor, worker: worker,
      remote: remote.map { Comparer.Remote($0, threads: options.threads) }, version: Compress.version,
      command: repeatable(threads: executor.context.pool.threads), charts: charts)
    run.labels = labels.isEmpty ? nil : labels
    defer { if run.isWorthRecording { record(run.record, logger, progress) } }
    guard let results = try run.run(print: { terminal.writeLine($0) }) else { return }
    if quiet {
      let errors = Terminal(.errors)
      return errors.write(ComparisonTable(results).findings(for: errors))
    }
    terminal.write("\n" + ComparisonTable(results).rendered(for: terminal))
    for table in (results.pruning ?? []).map({ CourseTable($0, isByAgreement: results.isByAgreement) })
    where table.isWorthShowing {
      terminal.write("\n" + table.rendered(for: terminal))
    }
    guard let out else { return }
    let hint = charts == nil ? " (tables only: charts need the package \(ChartLibrary.package))" : ""
    terminal.say(terminal.styled("results, report.html\(hint) and models are in \(out.escapedForTerminal)", .dim))
  }

  /// A run is worth its results, whether or not it can be recorded.
  private func record(_ record: RunRecord, _ logger: LoggingProcess?, _ progress: TerminalProgress) {
    do { try RunStore.ofUser().record(record) } catch {
      progress.abandon()
      progress.note("this run is not recorded: \(error)")
    }
    do { try logger?.log(record, files: record.folder) } catch {
      progress.abandon()
      progress.note("this run is not logged: \(error)")
    }
  }

  /// This command line, with the default that depends on the machine written out.
  private func repeatable(threads: Int) -> [String] {
    ["compress"] + CommandLine.arguments.dropFirst() + (options.threads == nil ? ["--threads", String(threads)] : [])
  }
}
