#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import Diagnostics

/// One of the two output streams, and what it can show.
public struct Terminal: Sendable {
  public enum Stream: Sendable { case output, errors }

  public let stream: Stream
  /// Somebody is watching: progress may redraw its line.
  public let isInteractive: Bool
  public let hasColor: Bool
  private let fixedWidth: Int?

  /// Colour is used on a terminal unless `NO_COLOR` is set or `TERM` is `dumb`.
  public init(_ stream: Stream) {
    self.stream = stream
    isInteractive = isatty(stream == .output ? STDOUT_FILENO : STDERR_FILENO) == 1
    let term = getenv("TERM").map { String(cString: $0) } ?? "dumb"
    hasColor = isInteractive && getenv("NO_COLOR") == nil && term != "dumb"
    fixedWidth = nil
  }

  /// - Parameter width: columns; nil: those of the stream.
  public init(_ stream: Stream, isInteractive: Bool, hasColor: Bool, width: Int? = nil) {
    self.stream = stream
    fixedWidth = width
    self.isInteractive = isInteractive
    self.hasColor = hasColor
  }

  /// Columns, 100 where that is unknown.
  public var width: Int {
    if let fixedWidth { return fixedWidth }
    var size = winsize()
    let result = ioctl(stream == .output ? STDOUT_FILENO : STDERR_FILENO, UInt(TIOCGWINSZ), &size)
    return result == 0 && size.ws_col > 0 ? Int(size.ws_col) : 100
  }

  /// Writes through to the system at once, everything that would steer the terminal made visible; the styles of
  /// `styled` alone come through. A reader that went away is not an error: nobody is left to tell.
  public func write(_ text: String) { writeVerbatim(Self.inert(text)) }

  /// Writes the bytes as they are: what other programs read, and the program's own moves of the cursor.
  public func writeVerbatim(_ text: String) {
    let descriptor = stream == .output ? STDOUT_FILENO : STDERR_FILENO
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Self.write(descriptor, $0) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }

  public func writeLine(_ text: String = "") { write(text + "\n") }

  private static let styles = Set(Style.allCases.map(\.rawValue) + ["0"])

  /// The `[31;1m` that a text begins with, when all of it is styles that `styled` sets.
  private static func style(_ text: Substring) -> Substring? {
    guard text.hasPrefix("["), let end = text.firstIndex(of: "m") else { return nil }
    let codes = text[..<end].dropFirst().split(separator: ";", omittingEmptySubsequences: false)
    return codes.allSatisfy { styles.contains(String($0)) } ? text[...end] : nil
  }

  /// The text with all escapes visible but those that set one of the styles.
  static func inert(_ text: String) -> String {
    let parts = text.split(separator: "\u{1B}", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return text.escapedLines }
    return parts[0].description.escapedLines
      + parts.dropFirst().map { part in
        guard let style = style(part) else { return "\u{1B}\(part)".escapedLines }
        return "\u{1B}\(style)" + part.dropFirst(style.count).description.escapedLines
      }.joined()
  }

  public enum Style: String, Sendable, CaseIterable {
    case bold = "1", dim = "2", red = "31", green = "32", yellow = "33", cyan = "36"
  }

  /// Text in lines that fit, of each of its own lines the second and all others behind an indent; as it is where
  /// nobody watches.
  ///
  /// - Parameters:
  ///   - indent: columns, on top of those that the line itself begins with.
  ///   - lead: columns of the first line that are taken already.
  ///   - ending: of lines that go on.
  public func wrapped(_ text: String, indent: Int = 0, lead: Int = 0, ending: String = "") -> String {
    guard isInteractive else { return text + "\n" }
    let limit = max(40, width) - 1
    var lines: [String] = []
    for (number, paragraph) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let margin = paragraph.prefix { $0 == " " }, taken = number == 0 ? lead : 0
      var line = String(margin), isBegun = false, room = limit - taken
      for word in paragraph.dropFirst(margin.count).words {
        if isBegun, line.columns + 1 + word.columns + ending.count > room {
          lines.append(line.droppingSpaces + ending)
          line = margin + String(repeating: " ", count: indent) + word
          room = limit
        } else {
          line += (isBegun ? " " : "") + word
        }
        isBegun = true
      }
      lines.append(line)
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// Writes a sentence in lines that fit, and a line's end.
  public func say(_ text: String) { write(wrapped(text, indent: 2)) }

  /// A word in a style that says what follows, then the text in lines that fit, behind the word.
  ///
  /// - Parameter indent: columns that stand before the word already.
  public func told(_ word: String, _ styles: Style..., text: String, indent: Int = 0) -> String {
    var lead = word
    for style in styles { lead = styled(lead, style) }
    return lead + wrapped(text, indent: indent + 2, lead: indent + word.count)
  }

  /// The text in a style, or plain where there is no colour.
  public func styled(_ text: String, _ styles: Style...) -> String {
    guard hasColor, !styles.isEmpty else { return text }
    return "\u{1B}[\(styles.map(\.rawValue).joined(separator: ";"))m\(text)\u{1B}[0m"
  }
}

extension String {
  /// Without the spaces at its end.
  fileprivate var droppingSpaces: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}

extension StringProtocol {
  /// What lines may be broken between: a number stays beside its unit. Where there are more spaces than one, some are
  /// empty.
  var words: [String] {
    let units: Set = ["%", "B", "kB", "MB", "GB", "µs", "ms", "s", "dB"]
    return split(separator: " ", omittingEmptySubsequences: false).reduce(into: []) { words, word in
      let unit = word.prefix { $0.isLetter || $0 == "%" }
      if units.contains(String(unit)), words.last?.last?.isNumber == true {
        words[words.count - 1] += " " + word
      } else {
        words.append(String(word))
      }
    }
  }

  /// Characters that are seen: styles take no room.
  fileprivate var columns: Int {
    var count = 0, isStyle = false
    for character in self {
      if character == "\u{1B}" {
        isStyle = true
      } else if isStyle {
        isStyle = character != "m"
      } else {
        count += 1
      }
    }
    return count
  }
}
