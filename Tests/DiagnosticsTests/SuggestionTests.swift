import Testing

@testable import Diagnostics

@Suite struct SuggestionTests {
  @Test func distances() {
    let cases = [
      ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3), ("ca", "abc", 3), ("abcd", "", 4),
    ]
    for (a, b, distance) in cases {
      #expect(Suggestion.editDistance(a, b) == distance)
      #expect(Suggestion.editDistance(b, a) == distance)
    }
  }

  @Test func theNearestNameWithinReach() {
    let names = ["sparsity", "schedule", "epochs", "epsilon"]
    #expect(Suggestion.nearest(to: "sparcity", among: names) == "sparsity")
    #expect(Suggestion.nearest(to: "SHEDULE", among: names) == "schedule")
    #expect(Suggestion.nearest(to: "epoch", among: names) == "epochs")
    #expect(Suggestion.nearest(to: "momentum", among: names) == nil)
    #expect(Suggestion.nearest(to: "ab", among: ["cd", "xb", "aa"]) == "aa")  // equally near: the first by name
    #expect(Suggestion.nearest(to: "x", among: [] as [String]) == nil)
  }

  @Test func sentences() {
    #expect(Suggestion.text(for: "adm", among: ["sgd", "adam"]) == " (did you mean \"adam\"?)")
    #expect(Suggestion.text(for: "rmsprop", among: ["sgd", "adam"]) == " (there are: adam, sgd)")
    #expect(Suggestion.text(for: "x", among: [] as [String]) == "")
  }

  @Test func manyAndLongNamesAreFewAndShort() {
    let names = (0..<5000).map { "name\u{1B}[2J\n\($0)" + String(repeating: "x", count: 500) }
    let text = Suggestion.text(for: "y", among: names)
    #expect(text.utf8.count < 10_000 && !text.contains("\u{1B}") && !text.contains("\n"))
    #expect(text.hasSuffix(" and 4960 more)"))
  }
}
