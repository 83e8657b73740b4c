import Testing

@testable import Tensors

@Suite struct SingularValueTests {
  @Test func knownMatrices() throws {
    #expect(try Tensor([Float(3), 0, 0, -4], [2, 2]).singularValues().array(Float.self) == [4, 3])

    let values = try Tensor([Float(4), 11, 14, 8, 7, -2], [2, 3]).singularValues().array(Float.self)
    #expect(abs(values[0] - 18.973666) < 1e-5 && abs(values[1] - 9.486833) < 1e-5)
    #expect(try Tensor(zeros: [3, 2]).singularValues().array(Float.self) == [0, 0])
    #expect(try Tensor([Float(-7)], [1, 1]).singularValues().array(Float.self) == [7])
    #expect(try Tensor([Float(3), 4], [2, 1]).singularValues().array(Float.self) == [5])
    #expect(try Tensor(zeros: [2, 0, 3]).singularValues().shape == [2, 0])
  }

  /// Values that were put in come out: a diagonal between two orthogonal matrices (products of reflections).
  @Test(arguments: [(5, 5), (9, 4), (3, 17), (28, 28), (33, 40)])
  func valuesPutInComeOut(_ m: Int, _ n: Int) throws {
    var random = SeededRandom(seed: UInt64(m * 100 + n))
    let k = min(m, n)
    let expected = (0..<k).map { Float(k - $0) * ($0 == k - 1 ? 1e-3 : 1) }
    var rows = (0..<m).map { i in (0..<n).map { j in i == j ? Double(expected[i]) : 0 } }
    for _ in 0..<3 {
      let u = reflector(m, &random), v = reflector(n, &random)
      for j in 0..<n {
        let dot = (0..<m).reduce(0.0) { $0 + u[$1] * rows[$1][j] }
        for i in 0..<m { rows[i][j] -= 2 * dot * u[i] }
      }
      for i in 0..<m {
        let dot = (0..<n).reduce(0.0) { $0 + v[$1] * rows[i][$1] }
        for j in 0..<n { rows[i][j] -= 2 * dot * v[j] }
      }
    }
    let matrix = Tensor(rows.flatMap { $0 }.map { Float($0) }, [m, n])
    let values = try matrix.singularValues().array(Float.self)
    // The matrix itself was rounded to float32.
    for (value, expected) in zip(values, expected) { #expect(abs(value - expected) < 2e-6 * Float(k)) }
    let turned = try matrix.transposed().singularValues().array(Float.self)
    for (a, b) in zip(values, turned) { #expect(abs(a - b) < 1e-6 * Float(k)) }
  }

  private func reflector(_ n: Int, _ random: inout SeededRandom) -> [Double] {
    let v = (0..<n).map { _ in random.normal() }
    let norm = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return v.map { $0 / norm }
  }

  @Test(arguments: [0, 1, 2, 7, 12])
  func ranksOfProducts(_ rank: Int) throws {
    var random = SeededRandom(seed: 11)
    let matrices = try (0..<3).map { _ in
      // Small integers: the product is exact.
      let a = Tensor((0..<14 * rank).map { _ in Float(random.below(9)) - 4 }, [14, rank])
      let b = Tensor((0..<rank * 12).map { _ in Float(random.below(9)) - 4 }, [rank, 12])
      return try a.matmul(b).array(Float.self)
    }
    let ranks = try Tensor(matrices.flatMap { $0 }, [3, 1, 14, 12]).matrixRanks()
    #expect(ranks.shape == [3, 1] && ranks.array(Int64.self) == [Int64](repeating: Int64(rank), count: 3))
  }

  @Test func tolerance() throws {
    let diagonal = Tensor([Float(1), 0, 0, 0, 0.1, 0, 0, 0, 1e-9], [3, 3])
    #expect(try diagonal.matrixRanks().array(Int64.self) == [2])
    #expect(try diagonal.matrixRanks(tolerance: 0.5).array(Int64.self) == [1])
    #expect(try diagonal.matrixRanks(tolerance: 0).array(Int64.self) == [3])
  }

  @Test func mistakesAreNamed() throws {
    #expect(throws: (any Error).self) { try Tensor([Float(1), 2]).singularValues() }
    #expect(throws: (any Error).self) { try Tensor([Float(1), .nan], [1, 2]).matrixRanks() }
    #expect(throws: (any Error).self) { try Tensor([Float(1), 2], [1, 2]).matrixRanks(tolerance: -1) }
  }
}
