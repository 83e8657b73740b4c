import Diagnostics

/// Layer names or patterns of them: `*` stands for any run of characters, also none.
public struct LayerPatterns: Sendable {
  private let names: [String]
  private let patterns: [[Character]]

  public init(_ patterns: [String]) {
    names = patterns
    self.patterns = patterns.map(Array.init)
  }

  /// - Parameter option: what the patterns were given as, for the message.
  /// - Throws: `CompressError` with the nearest layer's name when a pattern matches none: what it was to spare would be
  ///   changed without a word.
  public func check(_ option: String, among layers: [String]) throws {
    for (name, pattern) in zip(names, patterns) where !layers.contains(where: { Self.matches(pattern, Array($0)) }) {
      throw CompressError(
        "\(option): no layer with weights matches \"\(name)\"" + Suggestion.text(for: name, among: layers))
    }
  }

  public func match(_ name: String) -> Bool {
    let name = Array(name)
    return patterns.contains { Self.matches($0, name) }
  }

  /// Linear in memory and at worst quadratic in time: only the last star is ever tried again.
  private static func matches(_ pattern: [Character], _ name: [Character]) -> Bool {
    var p = 0, n = 0
    var star: (p: Int, n: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == "*" {
        star = (p, n)
        p += 1
      } else if p < pattern.count, pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let last = star {
        star = (last.p, last.n + 1)
        (p, n) = (last.p + 1, last.n + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }
}
