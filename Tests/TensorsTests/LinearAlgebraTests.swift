import Testing

@testable import Tensors

@Suite struct LinearAlgebraTests {
  @Test(arguments: [(1, 1, 1), (2, 3, 4), (5, 7, 300), (3, 0, 2), (0, 4, 2), (4, 9, 257), (7, 4, 0)])
  func products(_ m: Int, _ k: Int, _ n: Int) throws {
    var random = SeededRandom(seed: 8)
    let a = Tensor(normal: [m, k], using: &random), b = Tensor(normal: [k, n], using: &random)
    let x = a.array(Float.self), y = b.array(Float.self)
    var expected = [Float](repeating: 0, count: m * n)
    for i in 0..<m { for j in 0..<n { for d in 0..<k { expected[i * n + j] += x[i * k + d] * y[d * n + j] } } }
    #expect(try a.matmul(b).shape == [m, n])
    #expect(try a.matmul(b).array() == expected)  // the order of additions is promised
    let turned = try b.transposed().contiguous().transposed()
    #expect(try a.transposed().contiguous().transposed().matmul(turned).array() == expected)
  }

  @Test func mismatches() throws {
    #expect(
      message { _ = try Tensor(zeros: [2, 3]).matmul(Tensor(zeros: [2, 3])) }
        == "cannot multiply shapes [2, 3] and [2, 3] as matrices")
    #expect(throws: (any Error).self) { try Tensor(zeros: [3]).matmul(Tensor(zeros: [3, 1])) }
    #expect(
      try Tensor([1, 2] as [Float]).outer(Tensor([3, 4, 5] as [Float])).array() == [3, 4, 5, 6, 8, 10] as [Float])
    #expect(throws: (any Error).self) { try Tensor(zeros: [2, 2]).outer(Tensor(zeros: [2])) }
  }
}
