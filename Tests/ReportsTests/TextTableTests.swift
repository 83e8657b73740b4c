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

  @Test func comparisonHasARowForEach() throws {
    let text = ComparisonTable(try Synthetic.outcome(names: ["one", "two", "three", "four"])).rendered(for: plain)
    for name in ["one", "two", "three", "four"] { #expect(text.contains("\n\(name) ")) }
    #expect(text.contains("1,000 images of digits.test"))
    #expect(text.contains("2 threads"))
    #expect(!text.contains("MACs"))
    var outcome = try Synthetic.outcome(names: ["one", "two"])
    outcome.variants[1].macs = outcome.variants[0].macs / 2
    #expect(ComparisonTable(outcome).rendered(for: plain).contains("MACs"))
  }
}
