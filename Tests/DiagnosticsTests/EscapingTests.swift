import Diagnostics
import Testing

@Suite struct EscapingTests {
  @Test func controlCharactersBecomeVisible() {
    #expect("\u{1B}[31mred".escapedForTerminal == "\\u{1B}[31mred")
    #expect(
      "a\u{202E}b\u{2066}c\u{200B}d\u{7F}\u{9B}\u{FEFF}\r\u{0}".escapedForTerminal
        == "a\\u{202E}b\\u{2066}c\\u{200B}d\\u{7F}\\u{9B}\\u{FEFF}\\u{D}\\u{0}")
  }

  @Test func ordinaryTextIsLeftAlone() {
    for text in ["", "conv_1/weight", "Größe 数 🙂 é", "two\nlines\tand a tab"] {
      #expect(text.escapedForTerminal == text)
    }
  }
}

@Test func longTextIsCut() {
  #expect("abc".shortened(to: 3) == "abc")
  #expect("abcde".shortened(to: 3) == "abc… (2 characters more)")
}
