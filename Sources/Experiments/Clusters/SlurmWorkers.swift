import Diagnostics
import Files
import Foundation
import Reports

/// Points as tasks of Slurm job arrays, on a cluster whose nodes share the sweep's folder and this program.
///
/// What was submitted is written to `slurm/jobs.json`, so that a coordinator that takes over waits for tasks that are
/// still in the queue rather than submitting them again.
public final class SlurmWorkers: SweepWorkers {
  private struct Job: Codable {
    var id: String
    /// By task, from 0.
    var points: [Int]
  }

  private struct Task {
    let job: String
    let index: Int
    /// When it was found gone from the queue without an outcome: on a shared folder that may appear a little later.
    var missingSince: Date?
  }

  private let folder: SweepFolder
  private let programs: SlurmPrograms
  private var jobs: [Job] = []
  private var tasks: [Int: Task] = [:]
  private var lastAsked = Date.distantPast

  /// Arrays beyond Slurm's usual limit are refused.
  private static let longestArray = 1000
  /// Seconds between two questions to the queue.
  private static let asking = 2.0
  /// Seconds that an outcome may take to appear on another machine.
  private static let appearing = 10.0

  /// - Throws: `CompressError` when Slurm is not there.
  public init(_ folder: SweepFolder, _ programs: SlurmPrograms) throws {
    self.folder = folder
    self.programs = programs
    guard try programs.version.output().status == 0 else {
      throw CompressError(
        "--on slurm: there is no sbatch here", kind: .system, hint: "run this where jobs are submitted")
    }
    guard let data = try (try? folder.held())?.contents("slurm/jobs.json", limit: Self.longestList) else { return }
    jobs = try atFile(jobsPath) {
      try BoundedJSON.check(data, values: Self.mostValues)
      guard let jobs = try? JSONDecoder().decode([Job].self, from: Data(data)),
        // They become arguments: `--jobs=12,13` and nothing else.
        jobs.allSatisfy({ Self.isID($0.id) && $0.points.count <= Self.longestArray })
      else { throw CompressError("is no list of jobs", kind: .input) }
      return jobs
    }
    let queued = try queue(jobs.map(\.id))
    for job in jobs {
      for (index, point) in job.points.enumerated() where queued.contains("\(job.id)_\(index)") {
        tasks[point] = Task(job: job.id, index: index)
      }
    }
  }

  /// Bytes of the list of jobs, and values in it.
  private static let longestList = 16 << 20, mostValues = 1 << 20

  /// Whether it is the number of a job, as Slurm gives them.
  private static func isID(_ text: String) -> Bool {
    (1...18).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) }
  }

  private var jobsPath: String { "\(folder.path)/slurm/jobs.json" }

  public var room: Int { max(0, Self.longestArray - tasks.count) }
  public var running: [Int] { tasks.keys.sorted() }

  public func start(_ points: [SweepDefinition.Point]) throws {
    let held = try folder.held()
    try held.write(points.map { "\($0.number)\n" }.joined().utf8, to: "slurm/array-\(jobs.count + 1).points")
    let result = try programs.submit.output([String(points.count - 1), folder.path, String(jobs.count + 1)])
    // With several clusters: the number, then the cluster's name.
    let id = result.output.split(whereSeparator: { ";\n".contains($0) }).first.map(String.init) ?? ""
    guard result.status == 0, Self.isID(id) else {
      throw CompressError(
        "sbatch refused: \(result.errors.split(separator: "\n").first ?? "exit status \(result.status)")", kind: .system
      )
    }
    jobs.append(Job(id: id, points: points.map(\.number)))
    for (index, point) in points.enumerated() { tasks[point.number] = Task(job: id, index: index) }
    try held.write(try JSONEncoder().encode(jobs), to: "slurm/jobs.json")
  }

  public func ended() throws -> [(point: Int, ending: WorkerEnding)] {
    guard !tasks.isEmpty, Date().timeIntervalSince(lastAsked) > Self.asking else { return [] }
    lastAsked = Date()
    let queued = try queue(Set(tasks.values.map(\.job)).sorted())
    var ended: [(point: Int, ending: WorkerEnding)] = []
    for (point, task) in tasks.sorted(by: { $0.key < $1.key }) where !queued.contains("\(task.job)_\(task.index)") {
      if (try? folder.held())?.has(SweepFolder.name(of: point) + "/outcome.json") == true {
        ended.append((point, .exited(0)))
      } else if let since = task.missingSince, Date().timeIntervalSince(since) > Self.appearing {
        ended.append((point, .lost("task \(task.job)_\(task.index) is no longer in Slurm's queue")))
      } else {
        tasks[point]!.missingSince = task.missingSince ?? Date()
      }
    }
    for (point, _) in ended { tasks[point] = nil }
    return ended
  }

  /// The tasks of these jobs that wait or run, as `12_0`.
  private func queue(_ jobs: [String]) throws -> Set<String> {
    guard !jobs.isEmpty else { return [] }
    let result = try programs.queue.output([jobs.joined(separator: ",")])
    // Jobs that are over are forgotten after some minutes, and then unknown.
    if result.status != 0, result.errors.contains("Invalid job id") {
      return jobs.count == 1 ? [] : try jobs.reduce(into: []) { $0.formUnion(try queue([$1])) }
    }
    guard result.status == 0 else {
      throw CompressError(
        "squeue: \(result.errors.split(separator: "\n").first ?? "exit status \(result.status)")", kind: .system)
    }
    return Set(result.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
  }

  public func stop() {
    guard !tasks.isEmpty else { return }
    let ids = Set(tasks.values.map(\.job)).sorted()
    // A worker that is told to stops at its next step, and Slurm ends it after a while.
    for id in ids { _ = try? programs.cancel.output([id]) }
    let end = Date(timeIntervalSinceNow: 60)
    while Date() < end, let left = try? queue(ids), !left.isEmpty { Thread.sleep(forTimeInterval: 0.5) }
    tasks.removeAll()
  }
}
