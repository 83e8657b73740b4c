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
  private let charts: ChartLibrary?
  private let keepsModels: Bool
  public private(set) var record: RunRecord

  /// - Parameters:
  ///   - worker: the program to start for measurements, as `Comparer` has it.
  ///   - version: of this program.
  ///   - command: the arguments that repeat the run.
  public init(
    _ options: ScriptSession.Options, executor: Executor, worker: BrokeredProgram, version: String, command: [String],
    uid: String = RunRecord.newID(), charts: ChartLibrary?, keepsModels: Bool = true
  ) {
    self.options = options
    self.executor = executor
    self.worker = worker
    self.charts = charts
    self.keepsModels = keepsModels
    record = RunRecord(
      uid: uid, script: options.script,
      // What was asked for, until the script says what all its params are.
      params: Dictionary(options.settings.map { ($0.name, ParamValue.string($0.value)) }, uniquingKeysWith: { $1 }),
      seed: options.seed, threads: executor.context.pool.threads, started: Date(),
      folder: options.out.map(Self.absolute), command: command, environment: RunRecord.Environment(program: version))
    record.scriptDigest = try? Digest.of(file: options.script)
  }

  /// - Returns: what was compared; nil when the script compares nothing.
  public func run(print: @escaping (String) -> Void) throws -> ComparisonOutcome? {
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

  private func perform(_ print: @escaping (String) -> Void) throws -> ComparisonOutcome? {
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
      for stage in outcome.leaves { _ = try executor.result(of: stage) }
      guard let comparison = outcome.comparison else {
        record.stages = try stages(of: outcome.leaves)
        return nil
      }
      let result = try Comparer(worker: worker, executor: executor, seed: options.seed)
        .run(comparison, keepModels: keepsModels ? options.out.map { $0 + "/models" } : nil)
      record.stages = try stages(of: comparison.variants.map(\.stage) + outcome.leaves)
      record.variants = result.variants.map(RunRecord.Variant.init)
      if let out = options.out { try write(result, outcome, to: out) }
      return result
    }
  }

  private func write(_ result: ComparisonOutcome, _ outcome: ScriptSession.Outcome, to out: String) throws {
    let run = ResultsFile.Run(
      script: options.script, scriptDigest: outcome.digest, params: Self.dictionary(outcome.params), seed: options.seed,
      threads: record.threads, version: record.environment.program, command: record.command)
    let results = ResultsFile(result, run: run)
    try results.write(to: "\(out)/results.json")
    try HTMLReport(results, charts: charts).write(to: "\(out)/report.html")
    let models = keepsModels ? result.variants.enumerated().map { "models/" + Comparer.modelFile($1.name, $0) } : []
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

  static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
