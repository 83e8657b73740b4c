import Compression
import Diagnostics
import Tensors
import Testing

@Suite struct PruningMasksTests {
  let a = Tensor([0.1, 0.2, 0.3, 0.4] as [Float], [2, 2])
  let b = Tensor([0.15, 5, 6, 7, 8, 0.05] as [Float])

  func masks(_ scope: PruningScope, _ sparsity: Double) throws -> [String: [UInt8]] {
    let scores = ["a": a, "b": b]
    return try PruningMasks.select([("a", a.shape), ("b", b.shape)], scope: scope, sparsity: sparsity) { scores[$0]! }
      .mapValues { $0.array() }
  }

  @Test func globalRanksAllLayersTogether() throws {
    #expect(try masks(.global, 0.5) == ["a": [0, 0, 0, 1], "b": [0, 1, 1, 1, 1, 0]])
  }

  @Test func localTakesTheSameShareOfEach() throws {
    #expect(try masks(.layer, 0.5) == ["a": [0, 0, 1, 1], "b": [0, 0, 1, 1, 1, 0]])
  }

  @Test(arguments: [0, 0.1, 0.33, 0.5, 0.999, 1]) func removesExactlyTheRoundedCount(_ sparsity: Double) throws {
    let removed = try masks(.global, sparsity).values.joined().count { $0 == 0 }
    #expect(removed == Int((10 * sparsity).rounded()))
  }

  @Test func tiesFallInTheOrderOfLayersAndIndices() throws {
    let ones = Tensor(repeating: 1, [3])
    let masks = try PruningMasks.select([("a", [3]), ("b", [3])], scope: .global, sparsity: 0.5) { _ in ones }
    #expect(masks["a"]!.array(UInt8.self) == [0, 0, 0])
    #expect(masks["b"]!.array(UInt8.self) == [1, 1, 1])
  }

  @Test func layersWithoutScoresAreNeitherPrunedNorCounted() throws {
    let masks = try PruningMasks.select([("a", a.shape), ("b", b.shape)], scope: .global, sparsity: 0.5) {
      $0 == "a" ? nil : b
    }
    #expect(masks["a"] == nil)
    #expect(masks["b"]!.array(UInt8.self).count { $0 == 0 } == 3)
  }

  /// Scores with many ties, asked for a few filters at a time, give the masks of whole layers.
  @Test(arguments: PruningScope.allCases, [1, 7, 20, 1000]) func partsGiveTheSameMasks(
    _ scope: PruningScope, _ elements: Int
  ) throws {
    var random = SeededRandom(seed: 3)
    let shapes: [(layer: String, shape: Shape)] = [
      ("a", [7, 2, 2, 3]), ("b", [5, 4]), ("c", [1, 9]), ("left", [4, 4]),
    ]
    let scores = Dictionary(
      uniqueKeysWithValues: shapes.map { name, shape in
        (name, Tensor((0..<shape.count).map { _ in Float(random.below(9)) - 4 }, shape))
      })
    for sparsity in [0, 0.3, 0.55, 1] {
      let whole = try PruningMasks.select(shapes, scope: scope, sparsity: sparsity) { $0 == "left" ? nil : scores[$0]! }
      let parts = try PruningMasks.select(shapes, scope: scope, sparsity: sparsity, elementsAtOnce: elements) {
        $0 == "left" ? nil : try scores[$0]!.sliced(axis: 0, $1)
      }
      #expect(whole.keys.sorted() == ["a", "b", "c"] && parts.keys.sorted() == whole.keys.sorted())
      for (layer, mask) in whole { #expect(mask.array(UInt8.self) == parts[layer]!.array(UInt8.self)) }
    }
    let error = #expect(throws: CompressError.self) {
      try PruningMasks.select([("b", [5, 4])], scope: scope, sparsity: 0.5, elementsAtOnce: 1) { layer, filters in
        filters.lowerBound == 3 ? nil : Tensor(zeros: [1, 4])
      }
    }
    #expect(error?.layer == "b" && error?.message.contains("such as 4, have none") == true)
  }

  @Test(arguments: [1.2, -0.1, .nan]) func refusesImpossibleSparsities(_ sparsity: Double) {
    #expect(throws: CompressError.self) { try masks(.global, sparsity) }
  }

  @Test func wrongScoresNameTheLayer() {
    let error = #expect(throws: CompressError.self) {
      try PruningMasks.select([("conv", [4])], scope: .global, sparsity: 0.5) { _ in Tensor(zeros: [5]) }
    }
    #expect(error?.layer == "conv")
    #expect(error?.message.contains("[5]") == true && error?.message.contains("[4]") == true)
    let nan = #expect(throws: CompressError.self) {
      try PruningMasks.select([("conv", [2])], scope: .layer, sparsity: 0.5) { _ in Tensor([1, .nan] as [Float]) }
    }
    #expect(nan?.layer == "conv")
  }
}
