import Confinement
import Diagnostics
import Files
import Foundation
import Kernels
import Pipeline
import Reports
import Runs
import Scripting

/// What a worker process does: one point of a sweep, from its job to its outcome.
public enum PointWorker {
  /// Runs a point, unless that was done already.
  ///
  /// An error of the point's own is its outcome; an error of the machine's is thrown, and the point may be tried again.
  ///
  /// - Parameters:
  ///   - worker: to be started for measurements.
  ///   - version: of this program.
  public static func run(
    _ number: Int, of folder: SweepFolder, worker: BrokeredProgram, version: String, progress: any ProgressSink,
    cancellation: Cancellation, print: @escaping (String) -> Void
  ) throws {
    let definition = try folder.definition(), point = try folder.job(number)
    let out = folder.folder(of: number)
    // One that a killed coordinator left may still be at it for a moment.
    let lock = try folder.held().lock(SweepFolder.name(of: number) + "/.lock")
    try lock.lock(.exclusive, waiting: cancellation.check)
    // One that cannot be read is made anew.
    guard (try? folder.outcome(of: point, in: definition)) == nil else { return }

    let budget = (definition.run.output ?? OutputLimits()).storedBytes
    let store = definition.run.usesCache ? try StageStore.ofUser(budget: budget) : nil
    let slot = try MeasuringSlot(in: try StageStore.ofUser().root + "/slots")
    try slot.enter(waiting: cancellation.check)
    defer { folder.removeProgress(of: number) }
    let context = StageContext(
      pool: try ThreadPool(threads: definition.threads),
      progress: PointProgress(number, in: folder, next: progress), cancellation: cancellation, slot: slot)
    let executor = Executor(context: context, store: store)
    try executor.prepareStore()
    let run = ScriptRun(
      definition.sessionOptions(point, out: out), executor: executor, worker: worker, version: version,
      command: definition.command(point, out: out), uid: definition.uid(of: point),
      charts: ChartLibrary.installed(),
      keepsModels: definition.run.keepsModels)
    do { _ = try run.run(print: print) } catch let error as CompressError {
      guard error.kind != .cancelled, error.kind != .system else { throw error }
      progress.note("error: \(error)")
    }
    try folder.write(outcome: run.record, of: number)
  }
}
