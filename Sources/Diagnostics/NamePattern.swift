/// A name, or a pattern of names: `*` stands for any run of characters, also none.
public struct NamePattern: Sendable {
  public let text: String
  private let pattern: [Character]

  public init(_ text: String) {
    self.text = text
    pattern = Array(text)
  }

  /// Linear in memory and at worst quadratic in time: only the last star is ever tried again.
  public func matches(_ name: String) -> Bool {
    let name = Array(name)
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

  /// What a matching name becomes: `replacement`, where a `*` stands for what the pattern's first `*` stood for, as
  /// little as possible if it has several.
  public func applied(to name: String, giving replacement: String) -> String {
    guard let star = text.firstIndex(of: "*"), let place = replacement.firstIndex(of: "*") else { return replacement }
    let name = Array(name), after = NamePattern(String(text[text.index(after: star)...]))
    let start = text.distance(from: text.startIndex, to: star)
    let end = (start...name.count).first { after.matches(String(name[$0...])) } ?? name.count
    return replacement[..<place] + String(name[start..<end]) + replacement[replacement.index(after: place)...]
  }
}
