import Foundation
import Pipeline
import Runtime
import Testing

@testable import Reports

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What an XML parser sees of a page once the scripts' text is taken out: tags balanced, references known.
final class PageReader: NSObject, XMLParserDelegate {
  private(set) var elements: [String: Int] = [:]
  private(set) var attributes: Set<String> = []
  private(set) var text = ""
  private(set) var problem: String?

  init(_ html: String) {
    super.init()
    let bare = html.replacing(#/(<script[^>]*>)[\s\S]*?<\/script>/#) { "\($0.output.1)</script>" }
      .replacing("<!DOCTYPE html>", with: "")
    let parser = XMLParser(data: Data(bare.utf8))
    parser.delegate = self
    if !parser.parse() { problem = "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "?")" }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes given: [String: String]
  ) {
    elements[name, default: 0] += 1
    attributes.formUnion(given.keys)
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}

@Suite struct HTMLReportTests {
  /// Small print is broken into lines where it has to be, but not between a number and its unit.
  @Test func numbersStayBesideTheirUnits() throws {
    let html = try HTMLReport(Synthetic.results(try Synthetic.outcome()), charts: nil).rendered()
    #expect(html.contains("<small>93.47 to <span class=\"whole\">96.19 %</span></small>"))
    #expect(html.contains(".whole { white-space: nowrap; }"))
    #expect(!html.contains(#/<small>[0-9.]+ to [0-9.]+ (%|µs|ms)/#))
  }

  static let hostile = [
    "<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "<!-- <script>", "\" onload=\"alert(1)",
    "a & b's",
    "{{{script}}}", "\u{2028}\u{202E}\u{1B}[31m", "\\u003C/script\\u003E",
  ]

  func embeddedData(_ html: String) throws -> [String: Any] {
    let match = try #require(html.firstMatch(of: #/<script type="application\/json" id="data">(.*?)<\/script>/#))
    return try #require(try JSONSerialization.jsonObject(with: Data(match.output.1.utf8)) as? [String: Any])
  }

  @Test func isWellFormedWithAndWithoutCharts() throws {
    let results = Synthetic.results(try Synthetic.outcome())
    for charts in [nil, someLibrary] {
      let page = PageReader(try HTMLReport(results, charts: charts).rendered())
      #expect(page.problem == nil)
      for name in ["baseline", "int8", "pruned"] { #expect(page.text.contains(name)) }
      for said in ["digits.test", "Some CPU", "avx2", "conv2d", "train net", "quantize says"] {
        #expect(page.text.contains(said), "\(said)")
      }
      #expect(page.text.contains("compress run pipelines/some.lua --seed 7 --out 'out dir'"))
      #expect(page.elements["canvas"] ?? 0 == (charts == nil ? 0 : 7))
      #expect(page.elements["script"] ?? 0 == (charts == nil ? 0 : 3))
      #expect(page.text.contains(ChartLibrary.package) == (charts == nil))
    }
  }

  @Test func textFromOutsideStaysText() throws {
    let outcome = try Synthetic.outcome(names: Self.hostile)
    for evil in Self.hostile {
      let results = Synthetic.results(outcome, script: evil, params: [evil: .string(evil)])
      for charts in [nil, someLibrary] {
        let html = try HTMLReport(results, charts: charts).rendered()
        let page = PageReader(html)
        #expect(page.problem == nil)
        #expect(page.elements["img"] == nil)
        #expect(page.attributes.allSatisfy { !$0.hasPrefix("on") })
        #expect(page.elements["script"] ?? 0 == (charts == nil ? 0 : 3))
        #expect(html.components(separatedBy: "</script").count - 1 == (charts == nil ? 0 : 3))
        for raw in ["<!--", "\u{2028}", "\u{1B}", "\u{202E}"] { #expect(!html.contains(raw)) }
        #expect(page.text.contains(#"\u{2028}\u{202E}\u{1B}[31m"#))
        #expect(page.text.contains("<img src=x onerror=alert(1)>"))
        #expect(page.text.contains("{{{script}}}"))
      }
    }
    let data = try embeddedData(try HTMLReport(Synthetic.results(outcome), charts: someLibrary).rendered())
    let names = try #require(data["variants"] as? [[String: Any]]).compactMap { $0["name"] as? String }
    #expect(names.prefix(6) == Self.hostile.prefix(6))
  }

  @Test func admitsItsOwnScriptsOnlyAndNoRequests() throws {
    let html = try HTMLReport(Synthetic.results(try Synthetic.outcome()), charts: someLibrary).rendered()
    let policy = try #require(html.firstMatch(of: #/Content-Security-Policy" content="([^"]*)"/#)).output.1
      .replacing("&#39;", with: "'")
    #expect(policy.hasPrefix("default-src 'none'"))
    for script in [someLibrary.source, reportScript] {
      #expect(html.contains("<script>\(script)</script>"))
      #expect(policy.contains(ScriptText.policySource(script)))
    }
    #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("url("))
    // `openssl dgst -sha256 -binary | base64` of the same text.
    #expect(
      ScriptText.policySource("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='")
  }

  @Test func isTheSameForTheSameResults() throws {
    let results = Synthetic.results(try Synthetic.outcome())
    let report = HTMLReport(results, charts: someLibrary)
    #expect(try report.rendered() == report.rendered())
    let folder = try TemporaryFolder()
    try results.write(to: folder.path + "/results.json")
    let again = try ResultsFile.read(folder.path + "/results.json")
    #expect(try HTMLReport(again, charts: nil).rendered() == HTMLReport(results, charts: nil).rendered())
  }

  @Test func oneVariantNeedsNoDifferences() throws {
    let results = Synthetic.results(try Synthetic.outcome(names: ["alone"], samples: 1))
    let page = PageReader(try HTMLReport(results, charts: nil).rendered())
    #expect(page.problem == nil)
    #expect(page.text.contains("“alone” gets 95.00\u{A0}% right"))
    #expect(!page.text.contains("Flips"))
  }

  @Test func filesWithoutTheNewerKeysStillReport() throws {
    var results = Synthetic.results(try Synthetic.outcome())
    for index in results.variants.indices {
      results.variants[index].layers = nil
      results.variants[index].intervals = nil
      results.variants[index].versusFirst = nil
    }
    results.run.command = nil
    let page = PageReader(try HTMLReport(results, charts: someLibrary).rendered())
    #expect(page.problem == nil)
    #expect(page.elements["canvas"] == 5)
    #expect(!page.text.contains("To repeat it"))
  }

  @Test func manyRunsAreThinnedForDrawing() throws {
    var samples = [Double](repeating: 1, count: 100_000)
    samples[54_321] = 99
    samples[77_777] = 0.25
    let drawn = ChartData.thinned(samples)
    #expect(drawn.count <= 2 * ChartData.limit)
    #expect(zip(drawn, drawn.dropFirst()).contains { $0 == (54_322, 99) })
    #expect(zip(drawn, drawn.dropFirst()).contains { $0 == (77_778, 0.25) })
    let numbers = stride(from: 0, to: drawn.count, by: 2).map { drawn[$0] }
    #expect(numbers == numbers.sorted())
    #expect(ChartData.thinned([3, 1, 2]) == [1, 3, 2, 1, 3, 2])

    let few = ChartData(Synthetic.results(try Synthetic.outcome(samples: 4000)))
    #expect(few.drawn == "Every run is drawn.")
    let many = ChartData(Synthetic.results(try Synthetic.outcome(samples: 4001)))
    #expect(many.drawn.contains("stretch of 3"))
  }

  @Test func distributionEndsAtAllOfThem() {
    #expect(ChartData.distribution([2, 1]) == [1, 50, 2, 100])
    let long = ChartData.distribution((0..<10_000).map(Double.init))
    #expect(long.count == 800)
    #expect(long.suffix(2) == [9999, 100])
    #expect(ChartData.distribution([]) == [])
  }
}

@Suite struct FindingTests {
  func findings(_ change: (inout ComparisonOutcome) -> Void = { _ in }) throws -> [String] {
    var outcome = try Synthetic.outcome()
    change(&outcome)
    return Finding.all(Synthetic.results(outcome)).map(\.sentence)
  }

  /// Zeros explain no time, be it short or long; and what is shorter is not called noise either.
  @Test(arguments: [0.8, 1, 1.3]) func zerosExplainNoTime(factor: Double) throws {
    let said = try findings { outcome in
      outcome.variants[2].timing = outcome.variants[2].timing.mapTimes { $2 * factor }
    }
    #expect(said.contains { $0.hasPrefix("Of the weights 80.0 % of “pruned” are zero.") && $0.contains("neither way") })
    #expect(!said.contains { $0.contains("noise") || $0.contains("faster") || $0.contains("slower") })
  }

  @Test func whereZerosSaveTimeIsSaid() throws {
    let said = try findings { outcome in
      for index in outcome.variants[2].layers.indices where outcome.variants[2].layers[index].weights ?? 0 > 0 {
        outcome.variants[2].layers[index].kernel = "f32_sparse"
        outcome.variants[2].layers[index].zerosSaved = ZerosSaved(
          layer: outcome.variants[2].layers[index].name, milliseconds: 0.25, denseMilliseconds: 1)
        break
      }
    }
    let weighted = try Synthetic.outcome().variants[2].layers.count { $0.weights ?? 0 > 0 }
    #expect(
      said.contains { $0.contains("Kernels leave them out, and save time, in 1 of the \(weighted) layers of “pruned”") }
    )
    #expect(said.contains { $0.contains("250.0 µs where every weight multiplied takes 1.00 ms") }, "\(said)")
  }

  @Test func lostAccuracyIsSaid() throws {
    #expect(try findings().contains { $0.contains("“pruned” loses 2.00 percentage points") })
    let same = try findings { outcome in
      outcome.variants[2].accuracy = outcome.variants[0].accuracy
      outcome.variants[2].gained = outcome.variants[2].lost
    }
    #expect(
      same.contains {
        $0.contains("no difference in accuracy to “baseline”")
          && $0.contains("“pruned” (4.00 % of predictions changed)")
      })
  }

  @Test func slowIntegersAreSaid() throws {
    let slow = try findings { outcome in
      outcome.variants[1].timing = outcome.variants[1].timing.mapTimes { $2 * 3 }
    }
    #expect(
      slow.contains {
        $0.hasPrefix("In other numbers than those of “baseline”") && $0.contains("“int8” (1.57× the time)")
      })
  }

  @Test func anUnsteadyMachineIsSaid() throws {
    #expect(try !findings().contains { $0.contains("was not steady") })
    let drifting = try findings { outcome in
      let timing = outcome.variants[0].timing.inOneTurn, count = timing.samples.count
      outcome.variants[0].timing = timing.mapTimes { $2 * ($1 > count / 2 ? 1.5 : 1) }
    }
    #expect(drifting.contains { $0.contains("not steady") && $0.contains("“baseline” (1.5") })
  }
}

@Suite struct ChartLibraryTests {
  @Test func knowsItsVersions() throws {
    #expect(someLibrary.version == "3.9.1")
    #expect(ChartLibrary(source: "/*! Chart.js v4.4.0 */ x")?.version == "4.4.0")
    #expect(ChartLibrary(source: "/*! Chart.js v2.9.4 */ x") == nil)
    #expect(ChartLibrary(source: "alert(1)") == nil)
    #expect(ChartLibrary(source: "/*! Chart.js v3.9.1 */ '</SCRIPT>'") == nil)
    #expect(ChartLibrary(source: "/*! Chart.js v3.9.1 */ '<!--'") == nil)
    #expect(ChartLibrary(source: "/*! Chart.js v3.9.1 */\r\nx")?.source == "/*! Chart.js v3.9.1 */\nx")
  }

  @Test func isTheFirstUsableFile() throws {
    let folder = try TemporaryFolder()
    #expect(ChartLibrary.installed(at: [folder.path + "/none.js"]) == nil)
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: folder.path + "/a.js"))
    try Data(someLibrary.source.utf8).write(to: URL(fileURLWithPath: folder.path + "/b.js"))
    #expect(ChartLibrary.installed(at: ["none", "a", "b"].map { "\(folder.path)/\($0).js" })?.version == "3.9.1")
  }
}

@Suite struct ShellTextTests {
  @Test(arguments: [
    (["compress", "run", "a/b.lua"], "compress run a/b.lua"), (["it's"], #"'it'\''s'"#), ([""], "''"),
    (["--set", "x=1;rm"], "--set 'x=1;rm'"), (["$HOME", "naïve"], "'$HOME' 'naïve'"),
  ])
  func quotesWhatAShellWouldTakeApart(arguments: [String], line: String) {
    #expect(ShellText.line(arguments) == line)
  }
}
