extension String {
  /// The string on one line: control characters (line ends, tabs and terminal escapes among them), bidirectional
  /// controls and what takes no room on the screen are made visible as `\u{1B}`. For names that come out of files and
  /// scripts, so that none of them looks like a line or a column of its own.
  public var escapedForTerminal: String { escaped(Self.isUnsafe) }

  /// As `escapedForTerminal`, but line ends and tabs stay: for text of several lines, such as what a script prints.
  public var escapedLines: String { escaped { $0.value != 0x0A && $0.value != 0x09 && Self.isUnsafe($0) } }

  /// As `escapedLines`, every line but the first set in: for errors and notes, whose lines come from several places, so
  /// that none of them looks like an error or a note of its own.
  public var escapedBlock: String {
    let text = escapedLines
    guard text.utf8.contains(0x0A) else { return text }
    let lines = text.splitByBytes(at: "\n")
    return lines[0] + lines.dropFirst().map { "\n" + ($0.hasPrefix("  ") ? $0 : "  " + $0) }.joined()
  }

  private func escaped(_ isUnsafe: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: isUnsafe) else { return self }
    var out = ""
    for scalar in unicodeScalars {
      if isUnsafe(scalar) {
        out += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// The string, or its beginning and how much was left out.
  public func shortened(to limit: Int) -> String {
    // Bytes are counted at once, characters one by one.
    guard utf8.count > limit else { return self }
    let length = unicodeScalars.count
    guard length > limit else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.prefix(limit))) + "… (\(length - limit) characters more)"
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7F { return scalar.value < 0x20 }
    // The eye sees what these do to the character before them.
    if (0xFE00...0xFE0F).contains(scalar.value) { return false }
    if scalar.properties.isDefaultIgnorableCodePoint { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }
}
