import Pipeline
import Testing

@testable import Reports

@Suite struct TextTableTests {
  @Test func alignsNamesLeftAndNumbersRight() {
    var table = TextTable([("variant", .left), ("size", .right)])
    table.add(["a", "1 B"])
    table.addRule()
    table.add(["longer name", "12,345 B"])
    #expect(
      table.rendered(for: plain) == """
        variant          size
        ─────────────────────
        a                 1 B
        ─────────────────────
        longer name  12,345 B

        """)
  }

  @Test func lastColumnHasNoTrailingSpace() {
    var table = TextTable([("n", .right), ("note", .left)])
    table.add(["1", "x"])
    table.add(["22", "a long note"])
    #expect(table.rendered(for: plain).split(separator: "\n").allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test func aTableWithoutRowsHasItsHead() {
    #expect(TextTable([("a", .left)]).rendered(for: plain) == "a\n─\n")
  }

  @Test func stylesTakeNoWidth() {
    var table = TextTable([("a", .left), ("b", .right)])
    table.add([TextTable.Cell("x", .bold, .red), TextTable.Cell("1")])
    table.add([TextTable.Cell("yy"), TextTable.Cell("2")])
    let stripped = table.rendered(for: colored).replacing(#/\x{1B}\[[0-9;]*m/#, with: "")
    #expect(stripped == table.rendered(for: plain))
    #expect(table.rendered(for: colored).contains("\u{1B}[1m"))
    #expect(!table.rendered(for: plain).contains("\u{1B}"))
  }

  @Test func textFromOutsideCannotSteerTheTerminal() {
    var table = TextTable([("a", .left)])
    table.add([TextTable.Cell("\u{1B}[2Jx")])
    #expect(table.rendered(for: plain).contains(#"\u{1B}[2Jx"#))
  }

  /// What is broken into lines stands in the last table alone, which it may fill; the others keep one line a row.
  @Test func aBrokenTextIsBrokenWhereItStands() {
    var table = TextTable([("step", .left)] + (1...5).map { ("column \($0)", .right) } + [("kernel", .left)])
    let text = "f32_patches: windows of three by three, gathered into rows as they are wanted"
    table.add([TextTable.Cell("conv1")] + (1...5).map { TextTable.Cell("\($0 * 1111)") } + [TextTable.Cell(text)])
    let lines = table.rendered(for: Terminal(.output, isInteractive: true, hasColor: false, width: 60))
      .split(separator: "\n").map(String.init)
    #expect(lines.count == 7, "\(lines)")
    #expect(lines.allSatisfy { $0.count <= 60 } && lines[5].count > 45)
    #expect(lines[5...].map { $0.trimmingPrefix("conv1").drop { $0 == " " } }.joined(separator: " ") == text)
  }

  /// At 80 columns a table of 100 becomes two, each with the names.
  @Test func aNarrowTerminalGetsItInParts() {
    var table = TextTable([("variant", .left)] + (1...9).map { ("column \($0)", .right) })
    table.add([TextTable.Cell("baseline")] + (1...9).map { TextTable.Cell("\($0 * 1111)") })
    func lines(_ width: Int) -> [String] {
      table.rendered(for: Terminal(.output, isInteractive: true, hasColor: false, width: width))
        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(lines(80).allSatisfy { $0.count <= 80 })
    #expect(lines(80).count { $0.hasPrefix("variant ") } == 2 && lines(80).count { $0.hasPrefix("baseline ") } == 2)
    #expect(lines(80).joined().contains("column 9") && lines(80).joined().contains("9999"))
    #expect(lines(120).count { $0.hasPrefix("variant ") } == 1)
    #expect(table.rendered(for: plain).split(separator: "\n").count == 3, "in one piece when piped")
    #expect(lines(5).count { $0.hasPrefix("variant ") } == 9, "a column each where nothing fits")
  }

  /// What may be cut is cut first, then columns go in the order they were given, and are named.
  @Test func columnsThatMatterLeastAreLeftOut() {
    var table = TextTable([
      TextTable.Column("variant", .left, cutTo: 8), TextTable.Column("accuracy", .right),
      TextTable.Column("slow", .right, leftOut: 2), TextTable.Column("memory", .right, leftOut: 1),
      TextTable.Column("", .left, leftOut: 3),
    ])
    table.add(["pruned and int8", "97.66 %", "12", "37.75 MB", "note"])
    func lines(_ width: Int) -> [String] {
      table.rendered(for: Terminal(.output, isInteractive: true, hasColor: false, width: width))
        .split(separator: "\n").map(String.init)
    }
    #expect(lines(60) == table.rendered(for: plain).split(separator: "\n").map(String.init), "all of it where it fits")
    #expect(lines(42)[2] == "pruned an…   97.66 %    12  37.75 MB  note", "\(lines(42))")
    #expect(lines(42).count == 3, "nothing is left out")
    #expect(
      lines(35)[0].hasPrefix("variant        accuracy  slow") && lines(35)[2] == "pruned and i…   97.66 %    12  note")
    #expect(lines(35).last == "no room in 35 columns for: memory", "\(lines(35))")
    #expect(lines(18)[2] == "pruned …   97.66 %" && lines(18).last == "no room in 18 columns for: slow, memory")
  }
}

@Suite struct ComparisonTableTests {
  func rendered(_ outcome: ComparisonOutcome, for terminal: Terminal = plain) -> String {
    ComparisonTable(Synthetic.results(outcome)).rendered(for: terminal)
  }

  @Test func hasARowForEach() throws {
    let text = rendered(try Synthetic.outcome(names: ["one", "two", "three", "four"]))
    for name in ["one", "two", "three", "four"] { #expect(text.components(separatedBy: "\n\(name) ").count == 3) }
    #expect(text.contains("1,000 samples of digits.test"))
    #expect(text.contains("2 threads"))
    #expect(!text.contains("MACs") && !text.contains("NaN") && !text.contains("±"))
    var outcome = try Synthetic.outcome(names: ["one", "two"])
    outcome.variants[1].macs = outcome.variants[0].macs / 2
    #expect(rendered(outcome).contains("MACs"))
  }

  /// Medians with their intervals, as the report has them.
  @Test func theFiguresAreTheReports() throws {
    let results = Synthetic.results(try Synthetic.outcome()), text = ComparisonTable(results).rendered(for: plain)
    let page = PageReader(try HTMLReport(results, charts: nil).rendered()).text
    for variant in results.variants {
      let interval = Formatting.milliseconds(try #require(variant.intervals?.p50))
      #expect(text.contains("(\(interval))") && page.contains(interval))
      guard let versus = variant.versusFirst else { continue }
      for figure in [
        Formatting.points(try #require(versus.accuracyInterval)),
        Formatting.factors(try #require(versus.fasterMedianInterval)),
      ] { #expect(text.contains("(\(figure))") && page.contains(figure), "\(figure)") }
    }
    for finding in Finding.all(results) {
      #expect(text.contains("• \(finding.sentence)\n") && page.contains(finding.sentence))
    }
  }

  /// +0.10 points of which the interval contains none has no colour; a time has one where its interval, over turns,
  /// excludes none.
  @Test func colourNeedsAnIntervalThatExcludesNone() throws {
    var outcome = try Synthetic.outcome()
    outcome.variants[1].accuracy = outcome.variants[0].accuracy + 0.001
    (outcome.variants[1].gained, outcome.variants[1].lost) = (11, 10)
    (outcome.variants[2].gained, outcome.variants[2].lost) = (2, 40)
    let green = "\u{1B}[32m", red = "\u{1B}[31m", dim = "\u{1B}[2m"
    let wide = Terminal(.output, isInteractive: true, hasColor: true, width: 200)
    let text = rendered(outcome, for: wide)
    #expect(text.contains(dim + "+0.10 (") && text.contains(red + "−2.00 ("))
    #expect(text.contains(green + "3.5×") && text.contains(green + "4.3×"))
    // Int8 takes half the time; the pruned one as long as the first.
    let time = try #require(text.components(separatedBy: "\n\n").dropFirst().first)
    #expect(time.contains(green + "1.91× (") && time.contains(dim + "1.00× (") && !time.contains(red), "\(time)")
    let html = try HTMLReport(Synthetic.results(outcome), charts: nil).rendered()
    #expect(html.contains("<span class=\"same\">+0.10") && html.contains("<span class=\"bad\">−2.00"))
    #expect(html.contains("<small class=\"good\">3.5× smaller") && html.contains("<span class=\"good\">1.91×"))
    #expect(html.contains("<span class=\"same\">1.00×"))
    // As one process would have timed it, half the time or not.
    for index in outcome.variants.indices { outcome.variants[index].timing = outcome.variants[index].timing.inOneTurn }
    let single = try #require(rendered(outcome, for: wide).components(separatedBy: "\n\n").dropFirst().first)
    #expect(single.contains("1.91×") && !single.contains(green) && !single.contains(red))
    let page = try HTMLReport(Synthetic.results(outcome), charts: nil).rendered()
    #expect(page.contains("<span class=\"\">1.91×"))
  }

  @Test func oneImageIsNoComparisonOfTimes() throws {
    let results = Synthetic.results(try Synthetic.outcome(samples: 1))
    let text = ComparisonTable(results).rendered(for: plain)
    #expect(text.contains("timed in one turn: times have no interval") && text.contains(" 1.00 ms  "), "\(text)")
    let page = PageReader(try HTMLReport(results, charts: nil).rendered()).text
    #expect(page.contains("Timed in one turn: times have no interval"))
    #expect(results.variants.allSatisfy { $0.intervals?.p50 == nil && $0.versusFirst?.fasterMedianInterval == nil })
    #expect(
      !ComparisonTable(Synthetic.results(try Synthetic.outcome(samples: 14))).rendered(for: plain).contains(
        "have no interval"))
  }

  @Test func aRowSaysNaNForHowManySamples() throws {
    var outcome = try Synthetic.outcome()
    outcome.variants[1].undefined = 34
    let text = rendered(outcome)
    let heads = text.split(separator: "\n")[0].split(separator: " ").map(String.init)
    #expect(heads.prefix(3) == ["variant", "accuracy", "NaN"])
    #expect(text.split(separator: "\n")[3].split(separator: " ").prefix(4) == ["int8", "94.00", "%", "34"])
    #expect(text.contains("“int8” answers NaN to 34 of 1,000 samples; they count as wrong."))
    let page = PageReader(try HTMLReport(Synthetic.results(outcome), charts: nil).rendered())
    #expect(page.problem == nil && page.text.contains("NaN for 34") && page.text.contains("answers NaN to 34 of 1,000"))
  }

  @Test func warningsOfStagesAndIdleOutputsAreFindings() throws {
    var outcome = try Synthetic.outcome()
    outcome.classes = 3
    for index in outcome.variants.indices {
      outcome.variants[index].outputs = 10
      outcome.variants[index].history[0].record.warn("all 72 weights of \"conv\" are zero")
    }
    outcome.variants[2].history[1].record.warn("something")
    let sentences = Finding.all(Synthetic.results(outcome)).map(\.sentence)
    #expect(sentences.contains("train net: all 72 weights of \"conv\" are zero (all variants)."))
    #expect(sentences.contains("quantize net: something (in “pruned”)."))
    #expect(sentences.contains { $0.hasPrefix("The models have 10 outputs for the 3 classes of digits.test") })
    outcome.classes = 10
    #expect(!Finding.all(Synthetic.results(outcome)).contains { $0.sentence.contains("outputs") })
  }
}

@Suite struct WrappedTextTests {
  private func terminal(_ width: Int, hasColor: Bool = false) -> Terminal {
    Terminal(.output, isInteractive: true, hasColor: hasColor, width: width)
  }

  @Test func sentencesFitBehindWhatLeads() {
    let text = "one two three four five six seven eight nine ten eleven"
    let lines = terminal(40).told("note: ", text: text).split(separator: "\n").map(String.init)
    #expect(lines == ["note: one two three four five six seven", "  eight nine ten eleven"])
    #expect(lines.allSatisfy { $0.count < 40 })
    let plain = Terminal(.output, isInteractive: false, hasColor: false)
    #expect(plain.told("note: ", text: text) == "note: \(text)\n")
  }

  /// Lines of the text stay lines, with what they begin with; colours take no room; a command stays one for a shell.
  @Test func linesStayLines() {
    let text = "first line that is rather longer than it may be\n  second"
    #expect(
      terminal(40).wrapped(text, indent: 2) == "first line that is rather longer than\n  it may be\n  second\n")
    let colored = terminal(40, hasColor: true)
    let styled = colored.styled("bold", .bold) + " one two three four five six seven"
    #expect(colored.wrapped(styled) == styled + "\n")
    let command = terminal(40).wrapped("compress run script.lua --set name=value --seed 3", indent: 4, ending: " \\")
    #expect(command == "compress run script.lua --set \\\n    name=value --seed 3\n")
    #expect(
      terminal(40).wrapped("something that takes as long as 80.2 %), and 3.5 ms") ==
        "something that takes as long as\n80.2 %), and 3.5 ms\n")
    let path = String(repeating: "x", count: 60)
    #expect(terminal(40).wrapped("in \(path)", indent: 2) == "in\n  \(path)\n")
  }
}
