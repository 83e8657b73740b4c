import Diagnostics
import Pipeline
import Testing

@Suite struct KeyTests {
  @Test func recipesDifferWheneverTheirContentDoes() {
    let recipes: [Recipe] = [
      nil, true, false, 0, 1, 1.0, 0.0, "", "1", [], [[]], ["a", "b"], ["ab"], [["a"], "b"], ["a": 1], ["a": 1.0],
      ["a": ["b": 1]], ["b": ["a": 1]], .map([:]), .uncacheable(reason: ""), "m0;", ["l0;"],
    ]
    #expect(Set(recipes.map(\.canonicalBytes)).count == recipes.count)
  }

  @Test func mapsAreOrderedByKey() {
    let a: Recipe = ["x": 1, "y": 2, "z": 3], b: Recipe = ["z": 3, "y": 2, "x": 1]
    #expect(a.canonicalBytes == b.canonicalBytes)
  }

  @Test func keysDependOnKindRecipeAndInputs() {
    let base = StageKey(stage: "train", recipe: ["epochs": 1], inputs: [])
    #expect(base == StageKey(stage: "train", recipe: ["epochs": 1], inputs: []))
    #expect(base != StageKey(stage: "prune", recipe: ["epochs": 1], inputs: []))
    #expect(base != StageKey(stage: "train", recipe: ["epochs": 2], inputs: []))
    #expect(base != StageKey(stage: "train", recipe: ["epochs": 1], inputs: [base]))
    #expect(base.digest.count == 64)
  }

  @Test func whatCannotBeRepeatedTaintsAllThatFollows() {
    let odd = StageKey(stage: "train", recipe: ["rate": .uncacheable(reason: "it captures a table")], inputs: [])
    let next = StageKey(stage: "prune", recipe: [:], inputs: [odd])
    #expect(next.uncacheableReason == "it captures a table")
  }

  @Test func digestIsSHA256() {
    #expect(Digest.of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
