import Foundation
import Testing

/// Sweeps as a person runs them, and what is left of them when they are disturbed.
@Suite(.serialized) struct SweepTests {
  /// A second's work: one small training shared by all points, one of its own for each.
  private static let script = """
    local p = params {
      sparsity = { 0.8, min = 0, max = 1 },
      strategy = { "global_magnitude" },
      epochs   = { 1, min = 1 },
    }
    local digits   = dataset "digits"
    local training = digits.train:take(400)
    local baseline = train(zoo.lab_cnn(), { data = training, epochs = 2, batch = 64, optimizer = "adam" })
    local pruned   = prune(baseline, use(p.strategy) {}, {
      sparsity = p.sparsity, train = { data = training, epochs = p.epochs, batch = 64, optimizer = "adam" },
    })
    compare { on = digits.test:take(300), images = 5, { "baseline", baseline }, { "pruned", pruned } }
    """

  private let folder: TemporaryFolder
  private var out: String { folder.path + "/out" }

  init() throws {
    folder = try TemporaryFolder()
    try Data(Self.script.utf8).write(to: URL(fileURLWithPath: folder.path + "/lab.lua"))
  }

  private func arguments(_ more: [String] = [], in folder: TemporaryFolder? = nil) -> [String] {
    let path = (folder ?? self.folder).path
    return ["sweep", path + "/lab.lua", "--out", path + "/out", "--threads", "1"] + more
  }

  private static let grid = ["--grid", "sparsity=0.5,0.9", "--grid", "strategy=global_magnitude,local_magnitude"]

  /// `table.csv` without the folder's name and without what was timed: the columns from `seconds` on.
  private func table(_ folder: TemporaryFolder) throws -> [String] {
    let text = try String(contentsOfFile: folder.path + "/out/table.csv", encoding: .utf8)
    return text.replacingOccurrences(of: folder.path, with: "").split(separator: "\n").map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).dropLast(6).joined(separator: ",")
    }
  }

  /// A point's outcome as JSON.
  private func outcome(_ number: Int, in folder: TemporaryFolder? = nil) throws -> [String: Any] {
    let path = String(format: "%@/out/points/%04d/outcome.json", (folder ?? self.folder).path, number)
    return try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
  }

  private func trainings(_ count: Int, computed: Bool = true) throws -> Int {
    try (1...count).flatMap { try outcome($0)["stages"] as? [[String: Any]] ?? [] }
      .count { $0["kind"] as? String == "train" && $0["computed"] as? Bool == computed }
  }

  @Test func everyPointHasAFolderARowAndARecordAndSharesTheBaseline() throws {
    let outcome = try compress(arguments(Self.grid + ["--jobs", "2"]), cache: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count { $0.hasPrefix("✓ ") } == 4, "\(outcome.errors)")
    #expect(try table(folder).count == 1 + 4 * 2)
    for number in 1...4 {
      for file in ["results.json", "report.html", "log.txt", "models/2-pruned.cmpr"] {
        #expect(FileManager.default.fileExists(atPath: String(format: "%@/points/%04d/%@", out, number, file)))
      }
    }
    // The one baseline was trained once, whichever worker was first.
    #expect(try trainings(4) == 1)
    #expect(try trainings(4, computed: false) == 3)
    let page = try String(contentsOfFile: out + "/index.html", encoding: .utf8)
    #expect(page.contains("points/0004/report.html"))
    let list = try compress(["runs", "list", "--sweep", "1", "--where", "sparsity=0.9"], cache: folder)
    #expect(list.output.contains("2 runs in"), "\(list.output)\(list.errors)")
  }

  @Test func seedsAreSummedUp() throws {
    let outcome = try compress(arguments(["--grid", "sparsity=0.5", "--seeds", "2"]), cache: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("over seeds") && outcome.output.contains(" ± "), "\(outcome.output)")
    #expect(try String(contentsOfFile: out + "/index.html", encoding: .utf8).contains("<h2>Over seeds</h2>"))
    #expect(try trainings(2) == 2)
  }

  @Test func aPointThatFailsIsARowAndIsLeftAloneUnlessAskedFor() throws {
    let grid = ["--grid", "strategy=global_magnitude,no_such_thing"]
    let outcome = try compress(arguments(grid), cache: folder)
    #expect(outcome.status == 5, "\(outcome.errors)")
    #expect(outcome.errors.contains("✗ 2/2"))
    let rows = try table(folder)
    #expect(rows[3].contains("failed") && rows[3].contains("no plugin \"\"no_such_thing\"\""), "\(rows)")
    let failed = try compress(["runs", "list", "--where", "status=failed"], cache: folder)
    #expect(failed.output.contains("1 run in"), "\(failed.output)")

    let first = try self.outcome(2)["started"] as? Double
    #expect(try compress(arguments(grid + ["--resume"]), cache: folder).status == 5)
    #expect(try self.outcome(2)["started"] as? Double == first)
    #expect(try compress(arguments(grid + ["--resume", "--retry-failed"]), cache: folder).status == 5)
    #expect(try self.outcome(2)["started"] as? Double != first)
    #expect(try table(folder) == rows)
  }

  @Test func aSweepIsNotTakenForAnother() throws {
    let one = ["--grid", "sparsity=0.5"]
    #expect(try compress(arguments(one), cache: folder).status == 0)
    func problem(_ more: [String]) throws -> String {
      let outcome = try compress(arguments(more), cache: folder)
      #expect(outcome.status == 2)
      return outcome.errors
    }
    #expect(try problem(one).contains("holds a sweep already"))
    #expect(try problem(["--grid", "sparsity=0.6", "--resume"]).contains("other points"))
    #expect(try problem(one + ["--set", "epochs=2", "--resume"]).contains("other params"))
    #expect(try problem(["--grid", "sparsty=0.6"]).contains("did you mean \"sparsity\"?"))
    try Data((Self.script + "\n").utf8).write(to: URL(fileURLWithPath: folder.path + "/lab.lua"))
    #expect(try problem(one + ["--resume"]).contains("the script has changed"))
  }

  @Test func twoSweepsAtOnceShareAStore() throws {
    let other = [
      "sweep", folder.path + "/lab.lua", "--out", folder.path + "/other", "--threads", "1", "--grid",
      "sparsity=0.5,0.6",
    ]
    let runs = try [Running(arguments(Self.grid), cache: folder), Running(other, cache: folder)]
    for run in runs {
      let outcome = try run.wait()
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let list = try compress(["runs", "list"], cache: folder)
    #expect(list.output.contains("6 runs in"), "\(list.output)")
  }

  /// Processes that work for this folder's sweep, the coordinator apart; each has a broker, its child, which has the same
  /// command line.
  private func processes(_ folder: TemporaryFolder) -> [Int32] {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
    return processes.filter { id in
      guard let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return false }
      return String(decoding: line, as: UTF8.self).contains("point\0\(folder.path)/out\0")
    }
  }

  /// The same without the brokers: a worker that lost its own cannot measure, and says so.
  private func workers(_ folder: TemporaryFolder) -> [Int32] {
    let all = processes(folder)
    return all.filter { id in
      let status = (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)) ?? ""
      let line = status.split(separator: "\n").first { $0.hasPrefix("PPid:") }
      guard let parent = line?.split(whereSeparator: \.isWhitespace).last.flatMap({ Int32($0) }) else { return false }
      return !all.contains(parent)
    }
  }

  /// Kills the coordinator or a worker at random moments, goes on with `--resume`, and ends with the undisturbed table.
  @Test func killedAtAnyMomentTheTableIsTheSame() throws {
    let sweep = Self.grid + ["--seeds", isSoak ? "5" : "1", "--jobs", "2"]
    let start = ContinuousClock.now
    let undisturbed = try compress(arguments(sweep), cache: folder)
    #expect(undisturbed.status == 0, "\(undisturbed.errors)")
    let life = (ContinuousClock.now - start) / .seconds(1)
    let expected = try table(folder)

    var random = Seeded(state: 7), coordinators = 0, killed = 0
    let wanted = isSoak ? 100 : 4
    while killed < wanted {
      let disturbed = try TemporaryFolder()
      try Data(Self.script.utf8).write(to: URL(fileURLWithPath: disturbed.path + "/lab.lua"))
      var isDone = false, known: [Int: Double] = [:]
      while !isDone {
        let running = try Running(arguments(sweep + ["--resume"], in: disturbed), cache: disturbed)
        var killsCoordinator = false
        if killed < wanted {
          Thread.sleep(forTimeInterval: Double.random(in: 0...life * 0.6, using: &random))
          killsCoordinator = Bool.random(using: &random)
          let victim = killsCoordinator ? nil : workers(disturbed).randomElement(using: &random)
          if let victim, kill(victim, SIGKILL) == 0 { killed += 1 }
          if killsCoordinator { running.send(SIGKILL) }
        }
        let outcome = try running.wait()
        if outcome.status == 256 + SIGKILL {
          killed += 1
          coordinators += 1
        } else {
          #expect(outcome.status == 0, "\(outcome.errors)")
          isDone = true
        }
        // What ended once is not run again.
        for number in 1...(isSoak ? 20 : 4) {
          guard let begin = try? self.outcome(number, in: disturbed)["started"] as? Double else { continue }
          #expect(known[number, default: begin] == begin, "point \(number) was repeated")
          known[number] = begin
        }
      }
      #expect(try table(disturbed) == expected)
      let patience = ContinuousClock.now + .seconds(5)
      while !processes(disturbed).isEmpty, ContinuousClock.now < patience { Thread.sleep(forTimeInterval: 0.05) }
      #expect(processes(disturbed) == [], "workers outlive their coordinator")
      let list = try compress(["runs", "export", "--csv", "--all-variants"], cache: disturbed)
      #expect(list.output.split(separator: "\n").count == expected.count, "every row is in the run store once")
    }
    print("\(killed) killed, \(coordinators) of them coordinators")
  }

  @Test func stoppedItSaysHowToGoOn() throws {
    let running = try Running(arguments(Self.grid + ["--set", "epochs=30"]), cache: folder)
    let patience = ContinuousClock.now + .seconds(20)
    while workers(folder).isEmpty, ContinuousClock.now < patience { Thread.sleep(forTimeInterval: 0.01) }
    for worker in workers(folder) { kill(worker, SIGINT) }
    running.send(SIGINT)
    let outcome = try running.wait()
    #expect(outcome.status == 130, "\(outcome.errors)")
    #expect(outcome.errors.contains("with --resume goes on"), "\(outcome.errors)")
    #expect(workers(folder) == [])
  }
}
