import Diagnostics
import Foundation
import GRDB
import Pipeline
import Reports
import Testing

@testable import Experiments
@testable import Runs

@Suite struct RunStoreTests {
  /// What was measured comes into a sweep's record, turn by turn, and out of its file again.
  @Test func aRecordHasWhatWasMeasured() throws {
    let timing = Timing(
      turns: [[0.3, 0.1, 0.2], [0.4, 0.6, 0.5]].enumerated().map {
        Timing.Turn(samples: $1, peakMemoryBytes: 1000 * ($0 + 1), load: nil)
      })
    var run = sampleRun(1)
    run.variants = [
      RunRecord.Variant(
        VariantResult(
          name: "int8", accuracy: 0.5, flips: 3, gained: 1, lost: 2, parameters: 10, nonzero: 9, macs: 8,
          nativeBytes: 7, gzipBytes: 6, timing: timing, history: [], layers: []))
    ]
    let again = try JSONDecoder().decode(RunRecord.self, from: JSONEncoder().encode(run))
    #expect(again == run)
    let variant = again.variants[0]
    #expect(variant.turnMedians == [0.2, 0.5])
    #expect(variant[.p50] == 0.3 && variant[.p90] == 0.6 && variant[.memory] == 2000 && variant[.gzipBytes] == 6)
    // Of an older version.
    let old = #"{"name":"int8","metrics":{"p50_ms":0.3}}"#
    let older = try JSONDecoder().decode(RunRecord.Variant.self, from: Data(old.utf8))
    #expect(older.turnMedians == nil && older[.p50] == 0.3)
  }

  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func store() throws -> RunStore { try RunStore(folder.path + "/data/runs.sqlite") }

  private func query(_ filters: String..., change: (inout RunQuery) -> Void = { _ in }) throws -> RunQuery {
    var query = RunQuery()
    query.filters = try filters.map(RunFilter.init)
    change(&query)
    return query
  }

  @Test func aRunComesBackAsItWas() throws {
    let run = sampleRun(1)
    let id = try store().record(run)
    let stored = try store().run("\(id)")
    #expect(stored.record == run)
    #expect(try store().run(String(run.uid.prefix(10))).record == run)
  }

  @Test func recordedAgainItIsReplacedAndKeepsItsNumber() throws {
    let store = try store()
    let first = try store.record(sampleRun(1)), second = try store.record(sampleRun(2))
    #expect(try store.record(sampleRun(1, accuracy: 0.5)) == first)
    #expect(second != first)
    #expect(try store.count(RunQuery()) == 2)
    #expect(try store.run("\(first)").record.variants[1][.accuracy] == 0.5)
  }

  @Test func failedRunsAreRowsWithTheirErrors() throws {
    let store = try store()
    var run = RunRecord(
      uid: "00ff", script: "bad.lua", params: ["x": .string("1")], seed: .max, threads: 1, started: Date(),
      environment: machine)
    run.status = .failed
    run.error = "bad.lua:3: no such thing"
    try store.record(run)
    let rows = try store.rows(try query("status=failed"))
    #expect(rows.count == 1)
    #expect(rows[0].error == run.error)
    #expect(rows[0].seed == .max)
    #expect(rows[0].variant == nil)
  }

  @Test func filtersSelect() throws {
    let store = try store()
    try store.record(
      (1...60).map { (sampleRun($0, sparsity: Double($0) / 100, accuracy: 0.9 + Double($0) / 1000), nil) })
    func count(_ filters: String...) throws -> Int {
      var query = RunQuery()
      query.filters = try filters.map(RunFilter.init)
      #expect(try store.rows(query).count == store.count(query))
      return try store.count(query)
    }
    #expect(try count() == 60)
    #expect(try count("sparsity>=0.3") == 31)
    #expect(try count("sparsity >= 0.3", "sparsity<0.4") == 10)
    #expect(try count("strategy=global") == 30)
    #expect(try count("strategy=glob*") == 30)
    #expect(try count("strategy!=*l") == 0)
    #expect(try count("deep=true") == 20)
    #expect(try count("accuracy>0.9505") == 10)
    #expect(try count("script=*lab*", "seed=2") == 12)
    #expect(try count("gzip<=14000", "accuracy>0.95") == 1)
    // A number is no text, and true is no number.
    #expect(try count("strategy=1") == 0)
    #expect(try count("deep=1") == 0)
    #expect(try count("param.sparsity=0.5") == 1)
  }

  @Test func variantsAndOrder() throws {
    let store = try store()
    try store.record((1...5).map { (sampleRun($0, sparsity: 0.5, accuracy: 0.9 + Double($0 * 7 % 5) / 100), nil) })
    let best = try store.rows(
      query {
        $0.sort = "accuracy"; $0.limit = 2
      })
    #expect(best.compactMap { $0.variant?[.accuracy] } == [0.9 + 0.04, 0.9 + 0.03])
    let least = try store.rows(
      query {
        $0.sort = "accuracy"; $0.isAscending = true; $0.limit = 1
      })
    #expect(least[0].variant?[.accuracy] == 0.9)
    #expect(try store.rows(query { $0.variants = .named("baseline") }).allSatisfy { $0.variant?[.accuracy] == 0.973 })
    #expect(try store.rows(query { $0.variants = .named("nothing") }).isEmpty)
    #expect(try store.rows(query { $0.variants = .all }).count == 10)
    #expect(
      try store.rows(
        query {
          $0.sort = "strategy"; $0.limit = 1
        })[0].params["strategy"] == .string("local"))
    #expect(try store.rows(query()).map(\.id) == [5, 4, 3, 2, 1])
  }

  @Test func errorsNameWhatWasMeant() throws {
    let store = try store()
    try store.record(sampleRun(1))
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return ""
    }
    #expect(message { _ = try RunFilter("sparsity") }.contains("\"sparsity\" is no condition"))
    #expect(message { _ = try RunFilter("=0.5") }.contains("is no condition"))
    #expect(message { _ = try store.rows(query("sparsty>0.5")) }.contains("did you mean \"sparsity\"?"))
    #expect(message { _ = try store.rows(query { $0.sort = "acuracy" }) }.contains("did you mean \"accuracy\"?"))
    #expect(message { _ = try store.rows(query("accuracy>high")) }.contains("compared with a number"))
    #expect(message { _ = try store.run("77") }.contains("there is no run 77"))
    #expect(message { _ = try store.run("zz") }.contains("there is no run \"zz\""))
  }

  @Test func whatIsNoStoreIsRefused() throws {
    let path = folder.path + "/runs.sqlite"
    try Data("This is a text and no data base, long enough to be looked at as one.".utf8).write(
      to: URL(fileURLWithPath: path))
    let error = #expect(throws: CompressError.self) { try RunStore(path) }
    #expect(error?.file == path)
    #expect(error?.message == "is no run store")
  }

  /// SQLite keeps a text where a number should be.
  @Test(arguments: [
    ("UPDATE runs SET started = 'garbage'", "started"), ("UPDATE runs SET script = x'00FF'", "script"),
    ("UPDATE variants SET accuracy = 'abc'", "accuracy"), ("UPDATE runs SET seed = 'one'", "seed"),
    ("UPDATE stages SET seconds = 'long'", "seconds"),
  ])
  func valuesOfOtherTypesAreDamage(sql: String, column: String) throws {
    let store = try store(), id = try store.record(sampleRun(1))
    try store.database.write { try $0.execute(sql: sql) }
    let error = #expect(throws: CompressError.self) {
      _ = try store.run("\(id)")
      _ = try store.rows(RunQuery())
    }
    #expect(error?.message.contains("is damaged: \(column)") == true, "\(String(describing: error))")
  }

  @Test func labelsComeBackAndChange() throws {
    let store = try store()
    var run = sampleRun(1)
    run.labels = try RunRecord.Labels(name: "base", tags: ["b", "a", "b"], note: "first")
    let id = try store.record(run)
    #expect(try store.run("base").id == id && store.run("base").record.labels?.tags == ["a", "b"])
    try store.label("base") { try RunRecord.Labels(name: $0.name, tags: ["c"], note: nil) }
    #expect(try store.run("\(id)").record.labels == RunRecord.Labels(name: "base", tags: ["c"]))
    #expect(try store.rows(query("tag=c")).map(\.name) == ["base"] && store.rows(query("tag=a")).isEmpty)
    #expect(try store.rows(query("tag!=a")).count == 1 && store.rows(query("name=b*")).count == 1)
    _ = try store.record(sampleRun(2))
    try store.label("2") { _ in try RunRecord.Labels(name: "base") }
    let error = #expect(throws: CompressError.self) { try store.run("base") }
    #expect(error?.message.contains("2 runs have the name") == true)
    #expect(throws: CompressError.self) { try RunRecord.Labels(name: "17") }
    #expect(throws: CompressError.self) { try RunRecord.Labels(tags: ["a;b"]) }
    var tried = RunStore.Unwanted()
    tried.failed = true
    tried.olderThan = .distantFuture
    #expect(try store.collect(tried, isTried: true).runs == 2 && store.count(RunQuery()) == 2)
  }

  @Test func aNewerStoreIsRefused() throws {
    let store = try store()
    try store.database.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 tomorrow')") }
    let error = #expect(throws: CompressError.self) { try self.store() }
    #expect(error?.message.contains("newer version") == true)
  }

  @Test func itIsReadWhileOthersWrite() throws {
    let writer = try store(), reader = try store()
    try writer.database.write { db in
      try db.execute(sql: "INSERT INTO sweeps (uid, folder, definition, started) VALUES ('a', '', '', 0)")
      #expect(try reader.count(RunQuery()) == 0)
    }
  }

  @Test func manyOpenItAtOnce() async throws {
    let path = folder.path + "/many/runs.sqlite"
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 1...8 {
        group.addTask { try RunStore(path).record(sampleRun(number)) }
      }
      try await group.waitForAll()
    }
    #expect(try RunStore(path).count(RunQuery()) == 8)
  }

  @Test func collectingForgetsOnlyWhatItIsToldTo() throws {
    let store = try store()
    try store.record((1...4).map { (sampleRun($0), nil) })
    var failed = sampleRun(5)
    failed.status = .failed
    failed.folder = folder.path
    try store.record(failed)
    var unwanted = RunStore.Unwanted()
    #expect(try store.collect(unwanted).runs == 0)
    unwanted.olderThan = Date(timeIntervalSince1970: 1_700_000_002.5)
    #expect(try store.collect(unwanted).runs == 2)
    unwanted = RunStore.Unwanted()
    unwanted.withoutFolder = true
    #expect(try store.collect(unwanted).runs == 2)
    unwanted = RunStore.Unwanted()
    unwanted.failed = true
    #expect(try store.collect(unwanted).runs == 1)
    let left = try store.database.read { db in
      try ["params", "variants", "run_stages", "stages", "plugins", "artifacts", "environments"].map {
        try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)")
      }
    }
    #expect(left.allSatisfy { $0 == 0 }, "\(left)")
  }

  /// Whatever is in a name or an error comes back from CSV and JSON as it was.
  @Test func exportsReadBack() throws {
    let store = try store()
    var odd = sampleRun(1)
    odd.status = .failed
    odd.error = "line one\nline \"two\", and three"
    odd.params = ["name": .string("a,b"), "half": .number(0.5)]
    try store.record(odd)
    func export(_ format: RunExport.Format) throws -> String {
      var text = ""
      var export = RunExport(format, params: try store.paramNames()) { text += $0 }
      try export.begin()
      try store.forEachRow(query { $0.variants = .all }) { try export.add($0) }
      try export.end()
      return text
    }
    let csv = try export(.csv)
    #expect(csv.contains(",param.half,param.name,variant,accuracy,"))
    #expect(csv.contains(",\"line one\nline \"\"two\"\", and three\","))
    #expect(csv.contains(",0.5,\"a,b\",baseline,0.973,,12,20410,"))
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(export(.json).utf8)) as? [[String: Any]])
    #expect(rows.count == 2)
    #expect(rows[1]["error"] as? String == odd.error)
    #expect((rows[1]["metrics"] as? [String: Double])?["gzip_bytes"] == 12_000)
    #expect((rows[0]["params"] as? [String: Any])?["name"] as? String == "a,b")
  }

  /// Large stores answer; how fast is printed, not judged.
  @Test func manyRuns() throws {
    let count = isSoak ? 100_000 : 2_000
    let store = try store()
    for start in stride(from: 0, to: count, by: 1000) {
      try store.record(
        (start..<start + 1000).map {
          (sampleRun($0, sparsity: Double($0 % 100) / 100, accuracy: 0.9 + Double($0 % 977) / 1e4), nil)
        })
    }
    func timed<R>(_ what: String, _ body: () throws -> R) rethrows -> R {
      let start = ContinuousClock.now
      let result = try body()
      print("\(count) runs: \(what) in \((ContinuousClock.now - start) / .milliseconds(1)) ms")
      return result
    }
    let newest = try timed("listed") { try store.rows(query { $0.limit = 30 }) }
    #expect(newest.count == 30)
    #expect(try timed("counted") { try store.count(RunQuery()) } == count)
    let filtered = try timed("filtered") {
      try store.rows(
        query("sparsity>=0.9", "accuracy>0.99", "strategy=global") {
          $0.limit = 30; $0.sort = "gzip"
        })
    }
    let expected = (0..<count).count { $0 % 100 >= 90 && $0 % 977 > 900 && $0 % 2 == 0 }
    #expect(
      try timed("counted under a filter") {
        try store.count(query("sparsity>=0.9", "accuracy>0.99", "strategy=global"))
      } == expected)
    #expect(filtered.count == min(30, expected))
    let best = try timed("sorted") {
      try store.rows(
        query {
          $0.sort = "accuracy"; $0.limit = 10
        })
    }
    #expect(best.count == 10)
    let runs = try timed("compared") { try ["3", "\(count / 2)", "\(count)"].map(store.run) }
    let text = timed("written") {
      RunComparisonText(runs).rendered(for: Terminal(.output, isInteractive: false, hasColor: false))
    }
    #expect(text.contains("sparsity"))
  }
}
