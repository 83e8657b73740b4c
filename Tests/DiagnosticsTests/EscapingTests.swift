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
    for text in ["", "conv_1/weight", "Größe 数 🙂 é", "❤\u{FE0F}"] { #expect(text.escapedForTerminal == text) }
    #expect("two\nlines\tand a tab".escapedLines == "two\nlines\tand a tab")
  }
}

@Suite struct NamesOnOneLineTests {
  @Test func aNameIsOneLine() {
    #expect("a\nb\tc\r\nd".escapedForTerminal == "a\\u{A}b\\u{9}c\\u{D}\\u{A}d")
    let error = CompressError("is odd").at(layer: "a\nerror: forged").at(file: "f\n✓ done")
    #expect(!error.description.contains("\n"))
  }

  @Test func linesOfAnErrorAreSetIn() {
    #expect("a\n  hint: b\nerror: c\u{1B}".escapedBlock == "a\n  hint: b\n  error: c\\u{1B}")
    #expect("one line".escapedBlock == "one line")
  }

  @Test func whatCannotBeSeenIsShown() {
    for scalar: Unicode.Scalar in [
      "\u{AD}", "\u{61C}", "\u{180E}", "\u{2060}", "\u{2067}", "\u{206A}", "\u{3164}", "\u{FFA0}", "\u{FFF9}",
      "\u{E0041}", "\u{0600}", "\u{034F}", "\u{85}",
    ] {
      let text = "a\(scalar)b"
      #expect(text.escapedForTerminal == "a\\u{\(String(scalar.value, radix: 16, uppercase: true))}b")
      #expect(text.escapedLines == text.escapedForTerminal)
    }
  }
}

@Suite struct BytewiseTests {
  /// U+0D4E joins what follows, U+0301 what comes before: to a reader there is no slash of its own.
  @Test func separatorsThatLookLikePartsOfALetter() {
    #expect("\u{D4E}/../x".splitByBytes(at: "/") == ["\u{D4E}", "..", "x"])
    #expect("a/\u{301}b".splitByBytes(at: "/") == ["a", "\u{301}b"])
    #expect("\u{D4E}/".containsByte("/") && !"ab".containsByte("/"))
    #expect("\u{D4E}<b>\"\u{301}".replacingScalars(["<": "[", "\"": "'"]) == "\u{D4E}[b>'\u{301}")
  }
}

@Suite struct SecretsTests {
  @Test(arguments: [
    ("http://me:word@host:80/p", "http://host:80/p"), ("--mlflow=https://me:word@host", "--mlflow=https://host"),
    ("http://token@host", "http://host"), ("http://host/?key=abc&b=c", "http://host/?key=…&b=…"),
    ("http://host/p#abc", "http://host/p#…"), ("http://me:a@b@host/x", "http://host/x"),
    ("http://me:a/b@host/x", "http://host/x"), ("http://me:a?b=c@host", "http://host"),
    ("http://me:a://b@host", "http://host"), ("http://h1,http://me:word@h2", "http://h1,http://h2"),
    ("see http://me:word@host, or \"ftp://a:b@c\".", "see http://host, or \"ftp://c\"."),
    ("http://me:wo\u{301}rd@\u{301}host", "http://\u{301}host"), ("HTTP://me:word@host", "HTTP://host"),
    ("http://host/a@b", "http://host/a@b"), ("http://[::1]:80/a", "http://[::1]:80/a"),
    ("a=b@c", "a=b@c"), ("no address", "no address"), ("x://", "x://"), ("://", "://"), ("", ""),
  ]) func areTakenOut(_ text: String, _ expected: String) {
    #expect(Secrets.removed(from: text) == expected)
    #expect(Secrets.removed(from: expected) == expected)
  }
}

@Suite struct ClampingTests {
  @Test func everyNumberHasANearestInteger() {
    #expect(Int(saturating: 1e300) == .max && Int(saturating: -1e300) == .min && Int(saturating: Double.nan) == 0)
    #expect(Int(saturating: 0x1p63) == .max && Int(saturating: -0x1p63) == .min && Int(saturating: -0.0) == 0)
    #expect(Int(saturating: Double.infinity) == .max && Int(saturating: 2.9) == 2)
  }
}

@Test func longTextIsCut() {
  #expect("abc".shortened(to: 3) == "abc")
  #expect("abcde".shortened(to: 3) == "abc… (2 characters more)")
}
