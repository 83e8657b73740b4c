import Foundation
import Pipeline
import Testing

@testable import Reports

/// Names that are one thing to a reader and another to a browser, a shell or a terminal.
@Suite struct HostileTextTests {
  /// U+0D4E joins the `<` behind it, and accents join what is before them: neither is a `Character` of its own.
  static let names = [
    "\u{D4E}<script>alert(1)</script>", "x\"\u{301} onmouseover=\"alert(1)",
    "\u{D4E}</script><script>alert(1)</script>",
    "&\u{301}lt;", "'\u{301} onclick='alert(1)", "\u{600}<img src=x onerror=alert(1)>",
  ]

  @Test func pagesGoByWhatBrowsersSee() throws {
    var results = Synthetic.results(try Synthetic.outcome(names: Self.names))
    results.run.script = "\u{D4E}<b>/lab.lua"
    results.run.params = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, ParamValue.string($0)) })
    for index in results.variants.indices {
      results.variants[index].layers?.indices.forEach { results.variants[index].layers![$0].name = Self.names[index] }
    }
    for charts in [nil, someLibrary] {
      let html = try HTMLReport(results, charts: charts).rendered(), bytes = Array(html.utf8)
      func count(_ text: String) -> Int {
        let wanted = Array(text.utf8)
        return bytes.indices.count { bytes[$0...].starts(with: wanted) }
      }
      #expect(count("<script") == (charts == nil ? 0 : 3) && count("</script") == (charts == nil ? 0 : 3))
      #expect(count("<img") == 0 && count("<b>/lab") == 0)
      // In the charts' data they are texts of JSON.
      #expect(charts != nil || count("\"\u{301} onmouseover") == 0 && count("'\u{301} onclick") == 0)
      let page = PageReader(html)
      #expect(page.problem == nil && !page.attributes.contains("onmouseover"))
    }
  }

  @Test func sweepsGoByWhatBrowsersSee() throws {
    let points = Self.names.enumerated().map { index, name in
      SweepResults.Point(
        number: index + 1, values: [.string(name)], seed: 0,
        variants: [
          SweepResults.Variant(name: name, accuracy: 0.5, gzipBytes: 1, macs: index, nonzero: 1, median: 1)
        ], error: name, report: nil)
    }
    let results = SweepResults(
      script: Self.names[0], axes: [Self.names[1]], points: points, total: 9, threads: 1,
      machine: ResultsFile.Machine(cpu: Self.names[2], cores: 1, isa: Self.names[3]))
    for charts in [nil, someLibrary] {
      let html = Array(try SweepReport(results, charts: charts).rendered().utf8)
      func count(_ text: String) -> Int { html.indices.count { html[$0...].starts(with: Array(text.utf8)) } }
      // That which sorts tables, and those of charts.
      let scripts = charts == nil ? 1 : 4
      #expect(count("<script") == scripts && count("</script") == scripts && count("<img") == 0)
      #expect(charts != nil || count("\"\u{301} onmouseover") == 0)
    }
  }

  @Test func aQuotationMarkEndsNoArgument() {
    #expect(ShellText.line(["a'\u{301}; rm b"]) == "'a'\\''\u{301}; rm b'")
  }

  @Test func aNameIsOneRowOfATable() {
    var table = TextTable([("a\nb\u{1B}", .left), ("c", .right)])
    table.add([TextTable.Cell("x\n✓ forged\u{202E}\u{200B}"), TextTable.Cell(String(repeating: "y", count: 5000))])
    let lines = table.rendered(for: plain).split(separator: "\n")
    #expect(lines.count == 3 && lines.allSatisfy { $0.count < 400 && !$0.contains("\u{1B}") })
    #expect(lines[2].contains(#"x\u{A}✓ forged\u{202E}\u{200B}"#))
  }

  @Test func onlyOurOwnStylesSteerATerminal() {
    let styled = colored.styled("bold", .bold)
    #expect(Terminal.inert(styled + "\n") == styled + "\n")
    // Several styles at once, as errors have them, are not what a text may say else.
    let error = colored.styled("error: ", .red, .bold)
    #expect(error == "\u{1B}[31;1merror: \u{1B}[0m" && Terminal.inert(error) == error)
    for steering in ["[31;5m", "[;m", "[m", "[31;m", "[1;31", "[38;5;1m", "[31 m"] {
      #expect(Terminal.inert("\u{1B}\(steering)x") == #"\u{1B}"# + steering + "x", "\(steering)")
    }
    #expect(
      Terminal.inert("\u{1B}[2J\u{1B}[31mred\u{1B}]0;t\u{7}\r")
        == #"\u{1B}[2J"# + "\u{1B}[31mred" + #"\u{1B}]0;t\u{7}\u{D}"#)
  }

  @Test func everyNumberHasAText() {
    let values = [1e300, -1e300, .nan, .infinity, -.infinity, -0.0, 0x1p63, -0x1p63, Double.leastNonzeroMagnitude]
    for value in values {
      for text in [
        Formatting.count(value), Formatting.bytes(value), Formatting.scaled(value), Formatting.percent(value),
        Formatting.duration(value), Formatting.clock(value), Formatting.factor(value), Formatting.points(value),
        Formatting.significant(value), Formatting.percents(Interval(value, value)), ParamValue.number(value).text,
        Formatting.factors(Interval(value, value)), Formatting.milliseconds(Interval(value, value)),
        TerminalProgress.bar(value, width: 5),
      ] { #expect(!text.isEmpty && text.count < 60, "\(value): \(text)") }
    }
    #expect(Sparkline.text([-.greatestFiniteMagnitude, .greatestFiniteMagnitude, .nan, 0]).count == 4)
    #expect(Formatting.count(1234.0) == "1,234" && Formatting.bytes(85_096.0) == "85,096 B")
  }
}
