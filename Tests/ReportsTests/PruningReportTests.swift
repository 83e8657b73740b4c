import Foundation
import Pipeline
import Testing

@testable import Analysis
@testable import Reports

@Suite struct PruningReportTests {
  private func outcome(_ layer: String = "conv") throws -> ComparisonOutcome {
    try Synthetic.pruned(try Synthetic.outcome(), layer: layer)
  }

  @Test func resultsHaveRoundsAndScans() throws {
    let folder = try TemporaryFolder(), path = folder.path + "/results.json"
    try Synthetic.results(outcome()).write(to: path)
    let json = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
    let course = try #require((json["pruning"] as? [[String: Any]])?.first)
    #expect(Set(course.keys) == ["variant", "rounds"])
    let round = try #require((course["rounds"] as? [[String: Any]])?.first)
    #expect(
      Set(round.keys) == ["name", "key", "accuracy", "parameters", "nonzero", "macs", "bytes", "layers"])
    let layer = try #require((round["layers"] as? [[String: Any]])?.first)
    #expect(Set(layer.keys) == ["name", "filters", "parameters", "nonzero", "macs", "bytes"])
    let scan = try #require((json["sensitivity"] as? [[String: Any]])?.first)
    #expect(Set(scan.keys) == ["label", "key", "result"])
    let again = try ResultsFile.read(path)
    #expect(again.pruning?.first?.rounds.map(\.filters) == [26, 22, 4])
    #expect(again.sensitivity?.first?.result.parts[1].name == "a+b+c")
  }

  @Test func theTerminalShowsRoundsAndTheLayersThatChange() throws {
    let text = CourseTable(try outcome().courses[0]).rendered(for: plain)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0].split(separator: " ").prefix(3) == ["round", "accuracy", "difference"])
    #expect(
      lines[3].split(separator: " ") == [
        "round", "1", "93.00", "%", "−2.00", "2,400", "2,160", "22", "120", "k", "9,600", "B",
      ])
    #expect(text.contains("filters of each layer"))
    #expect(lines.contains { $0.split(separator: " ") == ["conv", "16", "12", "4"] })
    // A layer that is gone in the end.
    #expect(lines.contains { $0.split(separator: " ") == ["dense", "10", "10", "–"] })
    var short = try outcome().courses[0]
    #expect(CourseTable(short).isWorthShowing)
    short.rounds.removeLast()
    #expect(!CourseTable(short).isWorthShowing)
  }

  @Test func aScanIsATable() throws {
    let text = SensitivityTable(try outcome().scans[0].result).rendered(for: plain)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(lines[0] == ["pruned", "alone", "-25", "%", "-50", "%", "importance"])
    #expect(lines[2] == ["conv", "80.00", "%", "40.00", "%", "20.00"])
    #expect(lines[3] == ["a", "and", "2", "more", "70.00", "%", "0.00", "%", "45.00"])
  }

  /// What is no accuracy is nowhere called one.
  @Test func aScanByAgreementIsOfCosines() throws {
    let scan = Sensitivity(
      measure: .agreement, baseline: 1, shares: [0.25, 0.5], parts: [.init(layers: ["conv"], scores: [0.99314, 0.5])])
    let text = SensitivityTable(scan).rendered(for: plain)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(lines[2] == ["conv", "0.9931", "0.5000", "0.2534"])
    #expect(text.contains("cosine") && !text.contains("ccuracy") && !text.contains("points"))
    var outcome = try outcome()
    outcome.scans = [SensitivityScan(label: "sensitivity", key: "scan", result: scan)]
    let results = Synthetic.results(outcome)
    let found = try #require(results.sensitivity?.first?.result)
    #expect(found.measure == "cosine" && found.parts[0].cosines == [0.99314, 0.5] && found.parts[0].accuracies == nil)
    let section = ReportPage.ScanSection(try #require(results.sensitivity?.first))
    #expect(section.scanRows[0].scanCells.map(\.shaded) == ["0.9931", "0.5000"] && section.scanBaseline == "1.0000")
    #expect(section.scanMeasure.hasPrefix("Cosine"))
  }

  @Test func thePageShowsBoth() throws {
    let results = Synthetic.results(try outcome())
    for charts in [nil, someLibrary] {
      let html = try HTMLReport(results, charts: charts).rendered(), page = PageReader(html)
      #expect(page.problem == nil)
      #expect(page.elements["canvas"] ?? 0 == (charts == nil ? 0 : 9))
      for said in ["round by round", "Filters, layer by layer", "Sensitivity of the layers", "a+b+c", "−25 %", "45.00"]
      {
        #expect(page.text.contains(said), "\(said)")
      }
      // Three quarters of the filters gone; half of the accuracy lost, and all of it.
      #expect(html.contains("<td class=\"t8\">4</td>"))
      #expect(html.contains("<td class=\"t5\">40.0 %</td>") && html.contains("<td class=\"t10\">0.0 %</td>"))
    }
    let without = try HTMLReport(Synthetic.results(try Synthetic.outcome()), charts: someLibrary).rendered()
    #expect(!without.contains("round by round") && !without.contains("Sensitivity of"))
  }

  @Test func namesOfLayersStayText() throws {
    let evil = "</script><script>alert(1)</script>"
    let html = try HTMLReport(Synthetic.results(try outcome(evil)), charts: someLibrary).rendered()
    let page = PageReader(html)
    #expect(page.problem == nil && page.elements["script"] == 3 && page.text.contains(evil))
    #expect(html.components(separatedBy: "</script").count - 1 == 3)
  }
}
