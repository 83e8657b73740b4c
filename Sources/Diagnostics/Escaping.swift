extension String {
  /// The string with control characters (terminal escapes among them) and bidirectional overrides
  /// made visible as `\u{1B}`; for names that come out of files and scripts.
  public var escapedForTerminal: String {
    guard unicodeScalars.contains(where: Self.isUnsafe) else { return self }
    var out = ""
    for scalar in unicodeScalars {
      if Self.isUnsafe(scalar) {
        out += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// The string, or its beginning and how much was left out.
  public func shortened(to limit: Int) -> String {
    let length = unicodeScalars.count
    guard length > limit else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.prefix(limit))) + "… (\(length - limit) characters more)"
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0A, 0x09: false
    case 0..<0x20, 0x7F..<0xA0, 0x200B..<0x2010, 0x2028..<0x202F, 0x2066..<0x206A, 0xFEFF: true
    default: false
    }
  }
}
