import Diagnostics
import Foundation
import LuaHost
import Pipeline
import Reports
import Runs
import Testing

@testable import Experiments

/// Workers that end at once, as the test has them leave their points.
private final class ScriptedWorkers: SweepWorkers {
  private var waiting: [Int] = []
  private(set) var begun: [Int] = []
  let leave: (Int) throws -> Void

  init(_ leave: @escaping (Int) throws -> Void = { _ in }) { self.leave = leave }

  var room: Int { 1 }
  var running: [Int] { waiting }

  func start(_ points: [SweepDefinition.Point]) throws {
    for point in points {
      try leave(point.number)
      waiting.append(point.number)
      begun.append(point.number)
    }
  }

  func ended() -> [(point: Int, ending: WorkerEnding)] {
    defer { waiting = [] }
    return waiting.map { ($0, .exited(3)) }
  }

  func stop() { waiting = [] }
}

private final class Notes: SweepObserver {
  var notes: [String] = []
  func begin(_ definition: SweepDefinition, points: [SweepDefinition.Point]) {}
  func started(_ point: SweepDefinition.Point) {}
  func ended(_ point: SweepDefinition.Point, _ outcome: RunRecord) {}
  func tick() {}
  func note(_ text: String) { notes.append(text) }
}

/// What becomes of a sweep's folder that somebody else prepared.
@Suite struct PreparedSweepTests {
  private let folder: TemporaryFolder
  private let sweep: SweepFolder
  private let definition: SweepDefinition
  private let notes = Notes()

  init() throws {
    folder = try TemporaryFolder()
    sweep = SweepFolder(folder.path + "/sweep")
    definition = SweepDefinition(
      script: "/p/lab.lua", scriptDigest: "ab", axes: ["a"], fixed: [],
      points: (1...2).map {
        SweepDefinition.Point(number: $0, settings: [SweepDefinition.Setting(name: "a", value: "\($0)")], seed: 0)
      },
      run: SweepDefinition.Run(
        data: nil, plugins: [], limits: LuaLimits(), dataMemory: 1 << 20, usesCache: true, keepsModels: true),
      threads: 1)
    try Data("untouched".utf8).write(to: URL(fileURLWithPath: secret))
  }

  private var secret: String { folder.path + "/secret" }

  private func write(_ text: String, _ name: String) throws {
    let file = URL(fileURLWithPath: "\(sweep.path)/\(name)")
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  private func link(_ name: String, to target: String? = nil) throws {
    let path = "\(sweep.path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target ?? secret)
  }

  /// Goes on with it as `compress sweep --resume` does.
  private func resume(
    _ workers: ScriptedWorkers = ScriptedWorkers(), wanted: SweepDefinition? = nil
  ) throws -> SweepCoordinator {
    let coordinator = try SweepCoordinator(
      wanted ?? definition, in: sweep, workers: workers, store: RunStore(folder.path + "/data/runs.sqlite"),
      version: "0", resuming: true, retriesFailed: false, observer: notes, cancellation: Cancellation())
    try coordinator.run(definition.points)
    return coordinator
  }

  private func begin() throws {
    try FileManager.default.createDirectory(atPath: sweep.path, withIntermediateDirectories: true)
    try sweep.write(definition)
  }

  private func record(_ point: Int) -> RunRecord {
    var record = RunRecord(
      uid: "\(definition.uid)-\(point)", script: "/p/lab.lua", seed: 0, threads: 1, started: Date(),
      folder: "/etc", environment: machine)
    record.status = .done
    record.command = ["compress", "run"]
    return record
  }

  @Test(arguments: [
    ".lock", "sweep.json", "points", "points/0001", "points/0001/log.txt", "points/0001/.lock", "points/0001/job.json",
    "points/0001/outcome.json", "slurm", "slurm/jobs.json", "slurm/array-1.sh", "points/0002/models",
  ]) func aLinkEndsTheResumption(_ name: String) throws {
    try begin()
    try link(name, to: ["points", "points/0001", "slurm", "points/0002/models"].contains(name) ? folder.path : nil)
    let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    let error = try #require(throws: CompressError.self) { try resume() }
    #expect(error.description.contains("symbolic link"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "data" }.sorted() == before)
    #expect(try String(contentsOfFile: secret, encoding: .utf8) == "untouched")
  }

  @Test func linksThatAreReplacedAreNotFollowed() throws {
    try begin()
    for name in ["table.csv", "index.html"] { try link(name) }
    _ = try resume()
    #expect(try String(contentsOfFile: secret, encoding: .utf8) == "untouched")
    #expect(try String(contentsOfFile: sweep.tablePath, encoding: .utf8).hasPrefix("point,"))
  }

  @Test func artifactsAreFilesOfTheirPoint() throws {
    try begin()
    func artifact(_ path: String, _ text: String) -> RunRecord.Artifact {
      RunRecord.Artifact(path: path, bytes: text.utf8.count, sha256: Digest.of(text))
    }
    try write("good", "points/0001/good")
    try write("other", "points/0001/changed")
    try write("untouched", "points/0002/theirs")
    #expect(Foundation.link(secret, sweep.path + "/points/0001/hard") == 0)
    var record = record(1)
    record.artifacts = [
      artifact("good", "good"), artifact("changed", "what it was"), artifact("../../../secret", "untouched"),
      artifact(secret, "untouched"), artifact("hard", "untouched"), artifact("../0002/theirs", "untouched"),
      artifact("gone", ""), artifact("\u{D4E}/../good", "good"),
    ]
    try sweep.write(outcome: record, of: 1)
    let coordinator = try resume()
    #expect(coordinator.outcomes[1]?.artifacts.map(\.path) == ["good"])
    #expect(coordinator.outcomes[1]?.folder == sweep.folder(of: 1))
    #expect(notes.notes.count == 7 && notes.notes.allSatisfy { $0.contains("is left out") })
  }

  @Test func aBrokenOutcomeIsAFailedRow() throws {
    try begin()
    let texts = [
      "", "{", "[]", "null", "\u{89}CMPR\r\n", String(repeating: "[", count: 100_000),
      "{\"a\":" + String(repeating: "[0],", count: 100),
      String(decoding: try JSONEncoder().encode(sampleRun(1)), as: UTF8.self),
    ]
    for text in texts {
      try write(text, "points/0001/outcome.json")
      let coordinator = try resume()
      #expect(coordinator.outcomes[1]?.status == .failed)
      #expect(coordinator.outcomes[1]?.error?.hasPrefix("its outcome.json is broken") == true)
      #expect(coordinator.outcomes.count == 2)
    }
    // One whose worker leaves it so.
    try FileManager.default.removeItem(atPath: sweep.path + "/points")
    let workers = ScriptedWorkers { point in try write("\u{89}CMPR", "points/000\(point)/outcome.json") }
    let coordinator = try resume(workers)
    #expect(workers.begun == [1, 2] && coordinator.outcomes.values.count { $0.status == .failed } == 2)
    #expect(try String(contentsOfFile: sweep.tablePath, encoding: .utf8).split(separator: "\n").count == 3)
  }

  @Test func recordsOfOtherRunsAreNotReplaced() throws {
    try begin()
    let store = try RunStore(folder.path + "/data/runs.sqlite")
    let other = sampleRun(7)
    try store.record(other)
    var record = record(1)
    record.uid = other.uid
    try sweep.write(outcome: record, of: 1)
    _ = try resume()
    #expect(try store.run(other.uid).record.variants == other.variants)
  }

  @Test func definitionsThatCannotBe() throws {
    func refusal(_ change: (inout SweepDefinition) -> Void) throws -> String {
      var copy = definition
      change(&copy)
      try FileManager.default.createDirectory(atPath: sweep.path, withIntermediateDirectories: true)
      try sweep.write(copy)
      return try #require(throws: CompressError.self) { try resume() }.message
    }
    #expect(try refusal { $0.uid = "../../x" } == "is no sweep: its name is no name")
    #expect(try refusal { $0.threads = .max }.contains("threads"))
    #expect(try refusal { $0.run.limits.memoryBytes = 1 << 60 }.contains("of Lua memory"))
    #expect(try refusal { $0.run.dataMemory = -1 }.contains("of data memory"))
    #expect(try refusal { $0.points[1].number = 1 }.contains("a point is there twice"))
    #expect(try refusal { $0.points[1].number = .max }.contains("point 9223372036854775807"))
    #expect(try refusal { $0.started = Date(timeIntervalSince1970: 1e300) }.contains("at no time"))
    #expect(
      try refusal {
        $0.goal = SweepGoal(metric: .accuracy, limits: [], drop: nil, variant: nil, budget: nil, factor: 1)
      }
      .contains("one of 1 points goes on"))
    // Whoever goes on says again what it is, and hears what differs.
    #expect(
      try refusal { $0.run.data = "/etc" } == "cannot go on with this sweep: its runs have --data /etc (now none)")
    #expect(try refusal { $0.run.plugins = ["/x"] }.hasSuffix("its runs have --plugins /x (now none)"))
    let memory = definition.run.limits.memoryBytes >> 20
    #expect(
      try refusal { $0.run.limits.memoryBytes += 1 << 20 }.hasSuffix("--lua-memory \(memory + 1) (now \(memory))"))
    #expect(try refusal { $0.run.limits.memoryBytes += 1 }.hasSuffix("its runs have other limits for scripts"))
    #expect(try refusal { $0.script = "/else.lua" }.contains("it is a sweep of /else.lua (now "))
    // All that differs, each with what it was and is.
    let both = try refusal {
      $0.run.keepsModels.toggle(); $0.run.output?.savedFiles += 1; $0.threads += 1
    }
    #expect(
      both.contains("--no-models") && both.contains("--out-files 1001 (now 1000)") && both.contains("threads each"))
    #expect(
      try refusal {
        $0.goal = SweepGoal(metric: .gzipBytes, limits: [], drop: 0.005, variant: nil, budget: nil, factor: 3)
      }
      .hasSuffix("it searches for something else: --search gzip_bytes --drop 0.5 (now nothing)"))
  }

  @Test func recordsOfOlderVersionsAreRidOfSecrets() throws {
    try begin()
    let text = String(decoding: try JSONEncoder().encode(record(1)), as: UTF8.self)
    try write(
      text.replacingOccurrences(of: "\"run\"", with: "\"--mlflow\",\"http:\\/\\/me:word@host\""),
      "points/0001/outcome.json")
    let coordinator = try resume()
    #expect(coordinator.outcomes[1]?.command == ["compress", "--mlflow", "http://host"])
  }

  @Test func whatHoldsSecretsIsPrivate() throws {
    try begin()
    try sweep.write(job: definition.points[0])
    for path in [sweep.definitionPath, sweep.jobPath(of: 1)] {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
  }
}
