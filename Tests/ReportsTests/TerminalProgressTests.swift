import Testing

@testable import Reports

@Suite struct TerminalProgressTests {
  @Test(arguments: [
    (0.0, "▕    ▏"), (0.25, "▕█   ▏"), (1.0 / 32, "▕▏   ▏"), (0.5 + 7.0 / 32, "▕██▉ ▏"),
    (0.999, "▕███▉▏"), (1.0, "▕████▏"),
  ])
  func barsMoveByEighths(share: Double, bar: String) {
    #expect(TerminalProgress.bar(share, width: 4) == bar)
  }

  @Test func barsKeepTheirWidth() {
    for share in stride(from: 0.0, through: 1.0, by: 0.003) {
      #expect(TerminalProgress.bar(share, width: 20).count == 22)
    }
  }

  @Test func stylesNeedColor() {
    #expect(plain.styled("x", .bold) == "x")
    #expect(colored.styled("x", .bold, .red) == "\u{1B}[1;31mx\u{1B}[0m")
    #expect(colored.styled("x") == "x")
  }
}
