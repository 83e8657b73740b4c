import Testing

@testable import Tensors

@Suite struct DecompositionTests {
  private func check(_ matrix: Tensor) throws {
    let (u, values, v) = try matrix.singularValueDecomposition()
    let (m, n) = (matrix.shape[0], matrix.shape[1]), r = min(m, n)
    #expect(u.shape == [m, r] && v.shape == [r, n] && values.count == r)
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 >= $1 } && values.allSatisfy { $0 >= 0 })
    let scale = max(Float(values[0]), 1e-30)
    let again = try u.applying(.mul, Tensor(values.map { Float($0) })).matmul(v).array(Float.self)
    for (a, b) in zip(again, matrix.array(Float.self)) { #expect(abs(a - b) <= 1e-5 * scale) }
    let known = try matrix.singularValues().array(Float.self)
    for (a, b) in zip(values, known) { #expect(abs(Float(a) - b) <= 2e-6 * scale) }
    // The side that was solved for is orthonormal whatever the rank; the other as far as values are more than rounding.
    let rank = values.count { Float($0) > 1e-4 * scale }
    for (side, rows) in [(try u.transposed().contiguous(), rank), (v, rank)] {
      let products = try side.matmul(side.transposed())
      for i in 0..<rows {
        for j in 0..<rows { #expect(abs(products.array(Float.self)[i * r + j] - (i == j ? 1 : 0)) < 1e-4) }
      }
    }
  }

  @Test(arguments: [(1, 1), (1, 6), (6, 1), (2, 2), (5, 5), (9, 4), (3, 17), (28, 28), (33, 40), (64, 10)])
  func productsGiveTheMatrix(_ m: Int, _ n: Int) throws {
    var random = SeededRandom(seed: UInt64(m * 100 + n))
    try check(Tensor(normal: [m, n], using: &random))
  }

  @Test(arguments: [1, 3, 7]) func lowRanks(_ rank: Int) throws {
    var random = SeededRandom(seed: 4)
    let a = Tensor(normal: [20, rank], using: &random), b = Tensor(normal: [rank, 13], using: &random)
    let matrix = try a.matmul(b)
    try check(matrix)
    let values = try matrix.singularValueDecomposition().values
    #expect(values[rank - 1] > 0.1 && values[rank] < 1e-5 * values[0])
  }

  @Test func specialMatrices() throws {
    try check(Tensor([Float(3), 0, 0, -4], [2, 2]))
    try check(Tensor(repeating: 0.5, [7, 5]))
    try check(Tensor((0..<36).map { Float($0 % 7 == 0 ? 1e-6 : 0) }, [6, 6]))
    let zero = try Tensor(zeros: [3, 2]).singularValueDecomposition()
    #expect(zero.values == [0, 0] && zero.v.array(Float.self).allSatisfy(\.isFinite))
  }

  @Test func mistakesAreNamed() throws {
    #expect(throws: (any Error).self) { try Tensor([Float(1), 2]).singularValueDecomposition() }
    #expect(throws: (any Error).self) { try Tensor(zeros: [0, 3]).singularValueDecomposition() }
    #expect(
      message { _ = try Tensor([Float(1), .nan], [1, 2]).singularValueDecomposition() }.contains("element 2 is nan"))
  }
}
