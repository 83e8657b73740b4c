/// "did you mean …": the candidate nearest to a mistyped name.
public enum Suggestion {
  /// Bytes of a name.
  private static let longest = 256

  /// The candidate within a third of the name's length (at least one edit, at most three), or nil.
  public static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
    // Names that nobody would mistype for another cost nothing, however long or many they are.
    guard name.utf8.count <= longest else { return nil }
    let limit = min(3, max(1, name.count / 3))
    return
      candidates.prefix(mostCompared)
      .filter { $0.utf8.count <= longest }
      .map { (name: $0, distance: editDistance(name.lowercased(), $0.lowercased())) }
      .filter { $0.distance <= limit }
      .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?
      .name
  }

  /// Candidates looked at, and named: a file may have any number of them.
  private static let mostCompared = 10_000, mostNamed = 40

  /// A sentence to append to an error: ` (did you mean "x"?)`, or the list of what there is.
  public static func text(for name: String, among candidates: some Collection<String>) -> String {
    func shown(_ name: String) -> String { name.escapedForTerminal.shortened(to: 80) }
    let compared = candidates.prefix(mostCompared)
    if let best = nearest(to: name, among: compared) { return " (did you mean \"\(shown(best))\"?)" }
    guard !candidates.isEmpty else { return "" }
    let named = compared.sorted().prefix(mostNamed).map(shown).joined(separator: ", ")
    let more = candidates.count > mostNamed ? " and \(candidates.count - mostNamed) more" : ""
    return " (there are: \(named)\(more))"
  }

  /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost one.
  static func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a.prefix(64)), b = Array(b.prefix(64))
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var beforeLast = [Int](), last = Array(0...b.count)
    for i in 1...a.count {
      var row = [i] + Array(repeating: 0, count: b.count)
      for j in 1...b.count {
        let same = a[i - 1] == b[j - 1]
        row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { row[j] = min(row[j], beforeLast[j - 2] + 1) }
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
