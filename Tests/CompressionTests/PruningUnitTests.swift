import Compression
import Diagnostics
import Tensors
import Testing

@Suite struct PruningUnitTests {
  private func masks(
    _ scores: [Float], _ shape: Shape, _ unit: PruningUnit, _ sparsity: Double = 0.5
  ) throws -> [UInt8] {
    try PruningMasks.select([("l", shape)], unit: unit, scope: .global, sparsity: sparsity) { _ in
      Tensor(scores, shape)
    }["l"]!.array()
  }

  @Test func patternsKeepTheGreatestOfEveryRun() throws {
    #expect(try masks([1, 4, 2, 3, 9, 9, 9, 9], [2, 4], .pattern(keep: 2, of: 4)) == [0, 1, 0, 1, 1, 1, 0, 0])
    // A run of two at the end keeps one of them; filters do not share runs.
    #expect(
      try masks([1, 2, 3, 4, 6, 5, 0, 9, 0, 9, 9, 8], [2, 6], .pattern(keep: 2, of: 4))
        == [0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0])
    // The inputs of a convolution's filter lie one after the other.
    let mask = try masks((0..<2 * 9 * 4).map { Float($0 % 4) }, [2, 3, 3, 4], .pattern(keep: 1, of: 4))
    #expect(mask.indices.allSatisfy { mask[$0] == ($0 % 4 == 3 ? 1 : 0) })
  }

  @Test func blocksGoByTheirMean() throws {
    // 3x5 in blocks of 2x2: the edges are smaller, and their means are of what is there.
    let scores: [Float] = [
      1, 1, 9, 9, 2,
      1, 1, 9, 9, 2,
      5, 5, 0, 0, 7,
    ]
    #expect(
      try masks(scores, [3, 5], .block(rows: 2, columns: 2)) == [
        0, 0, 1, 1, 0,
        0, 0, 1, 1, 0,
        1, 1, 0, 0, 1,
      ])
  }

  @Test func mistakesAreNamed() {
    func message(_ unit: PruningUnit, _ scores: Tensor) -> String {
      do {
        _ = try PruningMasks.select([("l", [2, 2])], unit: unit, scope: .layer, sparsity: 0.5) { _ in scores }
      } catch { return "\(error)" }
      return ""
    }
    let fine = Tensor([1, 2, 3, 4] as [Float], [2, 2])
    #expect(message(.pattern(keep: 4, of: 4), fine) == "a pattern that keeps 4 of 4")
    #expect(message(.block(rows: 1, columns: 1), fine) == "a block of 1 by 1 weights")
    for unit in [PruningUnit.pattern(keep: 1, of: 2), .block(rows: 2, columns: 1)] {
      #expect(message(unit, Tensor([1, 2] as [Float])).contains("layer \"l\": scores of shape [2]"))
      #expect(message(unit, Tensor([1, .nan, 3, 4] as [Float], [2, 2])).contains("score 1 is NaN"))
    }
  }
}
