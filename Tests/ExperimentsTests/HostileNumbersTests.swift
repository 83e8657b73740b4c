import Foundation
import Reports
import Runs
import Testing

@testable import Experiments

/// Numbers that no measurement gives and a record may hold all the same.
@Suite struct HostileNumbersTests {
  private let terminal = Terminal(.output, isInteractive: false, hasColor: false)
  private static let numbers = [
    1e300, -1e300, 0x1p63, -0x1p63, 0x1p53, -0.0, .leastNonzeroMagnitude, .nan, .infinity, -.infinity,
    .greatestFiniteMagnitude,
  ]

  private func run(_ number: Int, _ value: Double) -> RunRecord {
    var run = sampleRun(number)
    run.seconds = value.isFinite ? value : 0
    run.params = ["x": .number(value.isFinite ? value : 0)]
    run.started = Date(timeIntervalSince1970: value.isFinite ? value : 0)
    run.variants = ["a", "b"].map { name in
      RunRecord.Variant(name: name, metrics: Dictionary(uniqueKeysWithValues: Metric.allCases.map { ($0, value) }))
    }
    return run
  }

  @Test func everyViewOfARunIsTotal() throws {
    let folder = try TemporaryFolder()
    let store = try RunStore(folder.path + "/runs.sqlite")
    let ids = try Self.numbers.enumerated().map { try store.record(run($0 + 1, $1)) }
    let rows = try store.rows(RunQuery())
    #expect(rows.count == Self.numbers.count)
    let list = RunText.list(rows, for: terminal)
    #expect(list.contains("1e+300") && list.split(separator: "\n").allSatisfy { $0.count < 400 })
    let runs = try ids.map { try store.run(String($0)) }
    for run in runs { #expect(!RunText.details(run, for: terminal).isEmpty) }
    #expect(!RunComparisonText(runs).rendered(for: terminal).isEmpty)
    for format in [RunExport.Format.csv, .json] {
      var text = ""
      var export = RunExport(format, params: ["x"]) { text += $0 }
      try export.begin()
      for row in rows { try export.add(row) }
      try export.end()
      #expect(format == .csv || (try? JSONSerialization.jsonObject(with: Data(text.utf8))) != nil)
    }
  }

  @Test func everyViewOfASweepIsTotal() throws {
    let points = Self.numbers.indices.map {
      SweepDefinition.Point(
        number: $0 + 1, settings: [SweepDefinition.Setting(name: "x", value: "\($0 / 2)")], seed: UInt64($0 % 2))
    }
    let definition = SweepDefinition(
      script: "lab.lua", scriptDigest: "", axes: ["x"], fixed: [], points: points,
      run: SweepDefinition.Run(
        data: nil, plugins: [], limits: .init(), dataMemory: 1, usesCache: true, keepsModels: true), threads: 1)
    var outcomes: [Int: RunRecord] = [:]
    for (index, value) in Self.numbers.enumerated() {
      outcomes[index + 1] = run(index + 1, value)
      outcomes[index + 1]!.params = ["x": .number(Double(index / 2))]
      outcomes[index + 1]!.seed = UInt64(index % 2)
    }
    #expect(!SweepTable(definition, outcomes).csv.isEmpty)
    #expect(!SweepSummary(definition, outcomes).rendered(for: terminal).isEmpty)
    let library = try #require(ChartLibrary(source: "/* Chart.js v4.4.0 */ var Chart = 1;"))
    for charts in [nil, library] {
      #expect(try SweepReport(SweepResults(definition, outcomes), charts: charts).rendered().hasSuffix("</html>\n"))
    }
    let goal = SweepGoal(metric: .accuracy, limits: [], drop: 0.01, variant: nil, budget: nil, factor: 3)
    #expect(!SweepSearchText(goal, definition, outcomes, finals: points).rendered(for: terminal).isEmpty)
  }

  @Test func formulasAreText() {
    let cells = ["=1+1", "+1+1", "-1+cmd", "@sum", "\t=1", "＝1", "-5", "+1e3", "plain", "a=b", ""]
    #expect(
      CSV.line(cells) == "'=1+1,'+1+1,'-1+cmd,'@sum,'\t=1,'＝1,-5,+1e3,plain,a=b,\n")
    // What joins a separator to a reader is one to a spreadsheet.
    #expect(CSV.line(["a,\u{301}b", "\"\u{301}c", "\r=1"]) == "\"a,\u{301}b\",\"\"\"\u{301}c\",\"'\r=1\"\n")
  }
}
