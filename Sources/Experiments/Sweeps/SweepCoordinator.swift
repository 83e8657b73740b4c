import Diagnostics
import Files
import Foundation
import Pipeline
import Reports
import Runs

/// Hears how a sweep goes on.
public protocol SweepObserver: AnyObject {
  func begin(_ definition: SweepDefinition, points: [SweepDefinition.Point])
  func started(_ point: SweepDefinition.Point)
  func ended(_ point: SweepDefinition.Point, _ outcome: RunRecord)
  /// Again and again while points are at work.
  func tick()
  func note(_ text: String)
}

/// Runs the points of a sweep: hands them to workers, takes what they found out, and records it.
///
/// It alone writes to the run store. All it knows is in the sweep's folder, so that another one can take its place.
public final class SweepCoordinator {
  public let folder: SweepFolder
  public let definition: SweepDefinition
  private let workers: any SweepWorkers
  private let store: RunStore
  private let logger: (any RunLogger)?
  private let version: String
  private let retriesFailed: Bool
  /// How many records MLflow did not take.
  public private(set) var unlogged = 0
  private let observer: any SweepObserver
  private let cancellation: Cancellation
  private let lock: FileLock
  private let sweep: Int64
  public private(set) var outcomes: [Int: RunRecord] = [:]
  private var losses: [Int: Int] = [:]
  private let charts = ChartLibrary.installed()
  private var lastWritten = ContinuousClock.now

  /// A worker that was lost this often takes its point with it.
  private static let mostLosses = 5
  private static let writingEvery = Duration.seconds(10)

  /// Begins a sweep in its folder, or goes on with it.
  ///
  /// - Parameters:
  ///   - version: of this program.
  ///   - resuming: whether a sweep that began in the folder is gone on with.
  ///   - retriesFailed: whether points that failed are run again.
  /// - Throws: `CompressError` when the folder holds another sweep, or another process works on this one.
  public init(
    _ wanted: SweepDefinition, in folder: SweepFolder, workers: any SweepWorkers, store: RunStore,
    logger: (any RunLogger)? = nil, version: String, resuming: Bool, retriesFailed: Bool, observer: any SweepObserver,
    cancellation: Cancellation
  ) throws {
    try Folders.prepare(folder.path)
    // Somebody else may have prepared it, down to the last name.
    let held = try folder.held()
    for name in ["points", "slurm"] where held.has(name) { try held.folder(name).checkPlain() }
    lock = try held.lock(".lock")
    guard lock.tryLock(.exclusive) else {
      throw CompressError("another process is at work on this sweep").at(file: folder.path)
    }
    if folder.hasDefinition {
      guard resuming else {
        throw CompressError("holds a sweep already", hint: "go on with it with --resume, or give another --out")
          .at(file: folder.path)
      }
      definition = try folder.definition()
      try definition.check(isResumedBy: wanted)
    } else {
      definition = wanted
      try folder.write(wanted)
    }
    self.folder = folder
    self.workers = workers
    self.store = store
    self.logger = logger
    self.version = version
    self.retriesFailed = retriesFailed
    self.observer = observer
    self.cancellation = cancellation
    let points = definition.points.map { point in
      var point = point
      for index in point.settings.indices {
        point.settings[index].value = Secrets.removed(from: point.settings[index].value)
      }
      return point
    }
    let text = String(decoding: try JSONEncoder().encode(points), as: UTF8.self)
    sweep = try store.record(
      sweep: definition.uid, folder: folder.path, definition: text, started: definition.started)
  }

  /// The sweep's number in the run store.
  public var number: Int64 { sweep }

  /// Runs the points that have not ended yet.
  ///
  /// - Throws: `CompressError`: `.cancelled` when asked to stop, `.system` when the machine refuses; what ended is
  ///   kept.
  public func run(_ points: [SweepDefinition.Point]) throws {
    observer.begin(definition, points: points)
    var waiting: [SweepDefinition.Point] = [], known: [RunRecord] = []
    for point in points {
      guard let outcome = outcome(of: point) else {
        waiting.append(point)
        continue
      }
      if retriesFailed, outcome.status == .failed {
        try folder.removeOutcome(of: point.number)
        waiting.append(point)
        continue
      }
      outcomes[point.number] = outcome
      known.append(outcome)
      observer.ended(point, outcome)
    }
    // They may be missing there: the coordinator before this one was killed, or it was another user's.
    try store.record(known.map { ($0, membership($0)) })
    for outcome in known { log(outcome) }
    // A cluster goes on without its coordinator.
    let atWork = Set(workers.running)
    for point in waiting where atWork.contains(point.number) { observer.started(point) }
    waiting.removeAll { atWork.contains($0.number) }
    let all = Dictionary(uniqueKeysWithValues: points.map { ($0.number, $0) })
    waiting.reverse()
    do {
      while !waiting.isEmpty || workers.running.contains(where: { all[$0] != nil }) {
        try cancellation.check()
        let next = Array(waiting.suffix(max(0, workers.room)).reversed())
        waiting.removeLast(next.count)
        for point in next {
          try folder.write(job: point)
          observer.started(point)
        }
        if !next.isEmpty { try workers.start(next) }
        for (number, ending) in try workers.ended() {
          // What a cluster still had at work for a later rung of a search is asked for then.
          guard let point = all[number] else { continue }
          guard let outcome = try outcome(of: point, ending) else {
            waiting.append(point)
            continue
          }
          outcomes[number] = outcome
          try store.record(outcome, in: membership(outcome))
          observer.ended(point, outcome)
          log(outcome)
          if ContinuousClock.now - lastWritten > Self.writingEvery { try writeTable() }
        }
        observer.tick()
        Thread.sleep(forTimeInterval: 0.03)
      }
    } catch {
      workers.stop()
      // Some may have come to their end all the same.
      for point in points where outcomes[point.number] == nil {
        guard let outcome = try? folder.outcome(of: point, in: definition) else { continue }
        outcomes[point.number] = outcome
        _ = try? store.record(outcome, in: membership(outcome))
      }
      try? writeTable()
      throw error
    }
    try writeTable()
  }

  /// A server that is away must not end a sweep: what it did not take can be logged by `--resume`.
  private func log(_ outcome: RunRecord) {
    guard let logger else { return }
    do { try logger.log(outcome, files: outcome.folder) } catch {
      unlogged += 1
      if unlogged == 1 { observer.note("not logged: \(error)") }
    }
  }

  private func membership(_ outcome: RunRecord) -> RunStore.Membership? {
    outcome.uid.split(separator: "-").last.flatMap { Int($0) }
      .map { RunStore.Membership(sweep: sweep, point: $0) }
  }

  /// What is written down of a point; nil when nothing is. What cannot be read is a failure of that point alone.
  private func outcome(of point: SweepDefinition.Point) -> RunRecord? {
    do {
      return try folder.outcome(of: point, in: definition) { observer.note($0) }
    } catch {
      return failure(of: point, "its outcome.json is broken: \((error as? CompressError)?.message ?? "\(error)")")
    }
  }

  /// What came of a point; nil when it is to be tried again.
  private func outcome(of point: SweepDefinition.Point, _ ending: WorkerEnding) throws -> RunRecord? {
    if let outcome = outcome(of: point) { return outcome }
    let reason: String
    switch ending {
    case .lost(let how):
      losses[point.number, default: 0] += 1
      guard losses[point.number]! >= Self.mostLosses else {
        observer.note("point \(point.number): its worker was lost (\(how)); it is tried again")
        return nil
      }
      reason = "its worker was lost \(Self.mostLosses) times, at last by \(how)"
    case .crashed(let signal): reason = "its worker ended with signal \(signal)"
    case .exited(let status):
      reason = lastError(of: point) ?? "its worker ended with exit status \(status)"
      // Every other point would fail of it as well.
      for full in [ENOSPC, EDQUOT] where reason.contains(String(cString: strerror(full))) {
        throw CompressError(reason, kind: .system, hint: "make room, then go on with --resume")
      }
    }
    let record = failure(of: point, reason)
    // On a full disk this throws, and the sweep stops rather than count every point as failed.
    try folder.write(outcome: record, of: point.number)
    return record
  }

  private func failure(of point: SweepDefinition.Point, _ reason: String) -> RunRecord {
    var record = RunRecord(
      uid: definition.uid(of: point), script: definition.script,
      params: Dictionary(
        (definition.fixed + point.settings).map { ($0.name, ParamValue.string($0.value)) }, uniquingKeysWith: { $1 }),
      seed: point.seed, threads: definition.threads, started: Date(), folder: folder.folder(of: point.number),
      command: definition.command(point, out: folder.folder(of: point.number)),
      environment: RunRecord.Environment(program: version))
    record.scriptDigest = definition.scriptDigest
    record.status = .failed
    record.error = reason
    return record
  }

  /// What the worker said at last.
  private func lastError(of point: SweepDefinition.Point) -> String? {
    let lines = folder.endOfLog(of: point.number, bytes: 4096).split(separator: "\n")
    return lines.last { $0.hasPrefix("error: ") }.map { String($0.dropFirst(7)) }
  }

  private func writeTable() throws {
    lastWritten = .now
    let held = try folder.held()
    try held.write(SweepTable(definition, outcomes).csv.utf8, to: "table.csv")
    try held.write(
      SweepReport(SweepResults(definition, outcomes), charts: charts).rendered().utf8, to: "index.html")
  }
}
