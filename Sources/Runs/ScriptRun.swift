import Confinement
import Diagnostics
import Files
import Foundation
import Pipeline
import Reports
import Scripting

/// One run of one script from its text to its results: what `compress run` does, and each worker of a sweep.
///
/// It computes what is missing, measures and compares, and with a folder writes results.json, report.html and the
/// models. Whatever happens, `record` then says how it went.
public final class ScriptRun {
  private let options: ScriptSession.Options
  private let executor: Executor
  private let worker: BrokeredProgram
  private let remote: Comparer.Remote?
  private let charts: ChartLibrary?
  private let keepsModels: Bool
  public private(set) var record: RunRecord
  /// What whoever runs it says of it.
  public var labels: RunRecord.Labels? {
    get { record.labels }
    set { record.labels = newValue }
  }

  /// - Parameters:
  ///   - worker: the program to start for measurements, as `Comparer` has it; so is `remote`.
  ///   - version: of this program.
  ///   - command: the arguments that repeat the run.
  public init(
    _ options: ScriptSession.Options, executor: Executor, worker: BrokeredProgram, remote: Comparer.Remote? = nil,
    version: String, command: [String], uid: String = RunRecord.newID(), charts: ChartLibrary?, keepsModels: Bool = true
  ) {
    self.options = options
    self.executor = executor
    self.worker = worker
    self.remote = remote
    self.charts = charts
    self.keepsModels = keepsModels
    record = RunRecord(
      uid: uid, script: options.script,
      // What was asked for, until the script says what all its params are.
      params: Dictionary(options.settings.map { ($0.name, ParamValue.string($0.value)) }, uniquingKeysWith: { $1 }),
      seed: options.seed, threads: executor.context.pool.threads, started: Date(),
      folder: options.out.map(Folders.absolute), command: command, environment: RunRecord.Environment(program: version))
    record.scriptDigest = try? Digest.of(file: options.script)
  }

  /// Whether there is anything to remember of it: a script that fails before any stage was computed is a slip of the
  /// pen, not an experiment.
  public var isWorthRecording: Bool { record.status == .done || executor.hasWorked }

  /// - Returns: what was compared; nil when the script compares nothing.
  public func run(print: @escaping (String) -> Void) throws -> ResultsFile? {
    let start = ContinuousClock.now
    defer { record.seconds = (ContinuousClock.now - start) / .seconds(1) }
    do {
      let result = try perform(print)
      record.status = .done
      return result
    } catch {
      let failure = error as? CompressError
      record.status = failure?.kind == .cancelled ? .stopped : .failed
      record.error = failure?.description ?? "\(error)"
      throw error
    }
  }

  private func perform(_ print: @escaping (String) -> Void) throws -> ResultsFile? {
    let session = try ScriptSession(options, executor: executor, print: print)
    defer {
      session.noteBrokenImages()
      if let params = session.declaredParams { record.params = Self.dictionary(params) }
      record.plugins = session.usedPlugins
    }
    let interrupt = session.interrupt
    return try executor.context.cancellation.withHandler({ interrupt.cancel() }) {
      let outcome = try session.run()
      record.scriptDigest = outcome.digest
      tellAbandoned(outcome)
      for stage in outcome.leaves { _ = try executor.result(of: stage) }
      guard let comparison = outcome.comparison else {
        record.stages = try stages(of: outcome.leaves)
        try executor.tellWarnings(of: outcome.leaves)
        tellWhatIsMissing(outcome)
        return nil
      }
      for variant in comparison.variants { _ = try executor.result(of: variant.stage) }
      // Before the clocks run: some of it may be a reason to stop.
      try executor.tellWarnings(of: outcome.leaves + comparison.variants.map(\.stage))
      let result = try Comparer(worker: worker, executor: executor, seed: options.seed, remote: remote)
        .run(comparison, keepModels: keepsModels ? options.out.map { $0 + "/models" } : nil)
      record.stages = try stages(of: comparison.variants.map(\.stage) + outcome.leaves)
      record.variants = result.variants.map(RunRecord.Variant.init)
      let run = ResultsFile.Run(
        script: options.script, scriptDigest: outcome.digest, params: Self.dictionary(outcome.params),
        seed: options.seed, threads: record.threads, version: record.environment.program, command: record.command)
      let results = ResultsFile(result, run: run)
      if let out = options.out { try write(results, result.variants.flatMap(\.files), to: out) }
      return results
    }
  }

  /// What was asked for once, failed, and is not asked for any more.
  private func tellAbandoned(_ outcome: ScriptSession.Outcome) {
    for stage in outcome.abandoned where !outcome.isCompared(stage) {
      let line = stage.origin.map { " (line \($0.line))" } ?? ""
      executor.context.progress.note("not computed, since the script went on without it: \(stage.work.label)\(line)")
    }
  }

  /// Of a script that leaves nothing behind that somebody could look at.
  private func tellWhatIsMissing(_ outcome: ScriptSession.Outcome) {
    let progress = executor.context.progress
    if !outcome.hasOutput {
      let count = outcome.leaves.count
      progress.note(
        "the script compares, prints and saves nothing"
          + (count == 0
            ? ""
            : "; \(count == 1 ? "its model is" : "its \(count) models are") computed, and nobody sees what came of it"))
    }
    if let out = options.out, Folders.isFile("\(out)/results.json") {
      progress.note("\(out)/results.json is of an earlier run: this script compares nothing")
    }
  }

  private func write(_ results: ResultsFile, _ files: [String], to out: String) throws {
    try results.write(to: "\(out)/results.json")
    try HTMLReport(results, charts: charts).write(to: "\(out)/report.html")
    let names = keepsModels ? files : []
    try Comparer.removeModels(in: "\(out)/models", but: names)
    let models = names.map { "models/" + $0 }
    record.artifacts = try (["results.json", "report.html"] + models).map { name in
      RunRecord.Artifact(
        path: name, bytes: try Folders.size(ofFile: "\(out)/\(name)"), sha256: try Digest.of(file: "\(out)/\(name)"))
    }
  }

  /// Every stage the given ones need, each once, inputs first.
  private func stages(of goals: [Stage]) throws -> [RunRecord.Stage] {
    var seen = Set<String>()
    return try goals.flatMap(\.lineage).filter { seen.insert($0.key.digest).inserted }.map { stage in
      RunRecord.Stage(
        key: stage.key.digest, kind: stage.work.kind, label: stage.work.label,
        seconds: try executor.record(of: stage).seconds, isComputed: executor.hasComputed(stage))
    }
  }

  private static func dictionary(_ params: [(name: String, value: ParamValue)]) -> [String: ParamValue] {
    Dictionary(params.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
  }
}
