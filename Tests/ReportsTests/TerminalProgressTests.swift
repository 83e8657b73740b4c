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

  /// The loss is what people wait for: the bar makes room for it, then the label.
  @Test func whatFitsIsWhatMatters() {
    func line(_ room: Int, label: String = "train lab_cnn for many epochs") -> String {
      TerminalProgress.line(label, "  30 %  0:10 left  loss 0.1234, accuracy 91.20 %", share: 0.3, within: room)
    }
    #expect(line(110).contains(TerminalProgress.bar(0.3, width: 20)) && line(110).hasSuffix("accuracy 91.20 %"))
    #expect(line(90).contains(TerminalProgress.bar(0.3, width: 10)) && line(90).count == 90, "\(line(90))")
    #expect(!line(80).contains("▕") && line(80).hasPrefix("train lab_cnn for many epochs  30 %"))
    #expect(line(70).hasPrefix("train lab_cnn for man…  30 %") && line(70).hasSuffix("accuracy 91.20 %"))
    #expect(line(40).count == 40 && line(40).hasPrefix("train lab_cnn f…  30 %"), "\(line(40))")
  }

  @Test func stylesNeedColor() {
    #expect(plain.styled("x", .bold) == "x")
    #expect(colored.styled("x", .bold, .red) == "\u{1B}[1;31mx\u{1B}[0m")
    #expect(colored.styled("x") == "x")
  }
}
