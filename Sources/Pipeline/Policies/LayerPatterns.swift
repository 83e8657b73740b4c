import Diagnostics

/// Layer names or patterns of them: `*` stands for any run of characters, also none.
public struct LayerPatterns: Sendable {
  private let patterns: [NamePattern]

  public init(_ patterns: [String]) { self.patterns = patterns.map(NamePattern.init) }

  /// - Parameter option: what the patterns were given as, for the message.
  /// - Throws: `CompressError` with the nearest layer's name when a pattern matches none: what it was to spare would be
  ///   changed without a word.
  public func check(_ option: String, among layers: [String]) throws {
    for pattern in patterns where !layers.contains(where: pattern.matches) {
      throw CompressError(
        "\(option): no layer with weights matches \"\(pattern.text)\""
          + Suggestion.text(for: pattern.text, among: layers))
    }
  }

  public func match(_ name: String) -> Bool { patterns.contains { $0.matches(name) } }
}
