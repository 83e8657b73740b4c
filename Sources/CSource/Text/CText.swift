/// Pieces of C made of what a model says. A model's text is foreign: none of it can leave its comment, its string or
/// its name, and none makes a trigraph, continues a line or begins another comment.
enum CText {
  /// Letters, digits and underscores of a name; nothing is left of others. Never empty, never one that C reserves.
  static func identifier(_ text: String) -> String {
    let plain = String(text.unicodeScalars.map { isWord($0) ? Character($0) : "_" }.prefix(60))
    guard let first = plain.unicodeScalars.first, isLetter(first) else {
      return "net" + (plain.isEmpty ? "" : "_" + plain)
    }
    return plain
  }

  /// Text for a comment, at most so many characters of it.
  static func comment(_ text: String, longest: Int = 80) -> String {
    let kept = text.unicodeScalars.prefix(longest).map {
      isWord($0) || " .,:+-/()[]=%".unicodeScalars.contains($0) ? Character($0) : "_"
    }
    // A comment within a comment is warned of; there is no asterisk, but one may stand before this text.
    return String(kept).replacing("//", with: "/_")
  }

  /// A string literal; what is not plain is written by its bytes.
  static func string(_ text: String) -> String {
    "\""
      + text.utf8.map { byte in
        let scalar = Unicode.Scalar(byte)
        if byte < 0x80, isWord(scalar) || scalar == " " || scalar == "-" || scalar == "." { return String(scalar) }
        let digits = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }.joined() + "\""
  }

  /// A float32, exactly.
  static func float(_ value: Float) -> String {
    if value.isNaN { return "__builtin_nanf(\"\")" }
    if value.isInfinite { return value < 0 ? "-__builtin_inff()" : "__builtin_inff()" }
    return "\(value)f"
  }

  static func grouped(_ number: Int) -> String {
    let digits = Array(String(abs(number)))
    let text = digits.enumerated().map { index, digit in
      index > 0 && (digits.count - index) % 3 == 0 ? ",\(digit)" : "\(digit)"
    }.joined()
    return (number < 0 ? "-" : "") + text
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }
  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    isLetter(scalar) || ("0"..."9").contains(scalar) || scalar == "_"
  }
}
