import Testing

@testable import Kernels

@Suite struct MatrixProductTests {
  /// Chains of fused multiply-adds in ascending order of k.
  static func naive(
    _ m: Int, _ n: Int, _ k: Int, _ a: [Float], _ b: [Float], _ c: [Float]?, _ ta: Bool, _ tb: Bool
  ) -> [Float] {
    (0..<m * n).map { index in
      let (i, j) = index.quotientAndRemainder(dividingBy: n)
      return (0..<k).reduce(c?[index] ?? 0) { sum, p in
        sum.addingProduct(ta ? a[p * m + i] : a[i * k + p], tb ? b[j * k + p] : b[p * n + j])
      }
    }
  }

  @Test(arguments: [(1, 1, 1), (3, 5, 7), (14, 32, 16), (15, 33, 37), (37, 1, 29), (2, 70, 1300), (61, 16, 9)])
  func equalsItsDefinition(_ m: Int, _ n: Int, _ k: Int) throws {
    var numbers = Numbers(UInt64(m * n * k))
    let a = Guarded(numbers.floats(m * k)), b = Guarded(numbers.floats(k * n)), former = numbers.floats(m * n)
    for (ta, tb, accumulate) in [(false, false, false), (true, false, false), (false, true, true), (true, true, true)] {
      let expected = Self.naive(m, n, k, a.array, b.array, accumulate ? former : nil, ta, tb)
      for isa in supportedSets {
        let product = MatrixProduct(m: m, n: n, k: k, transposeA: ta, transposeB: tb, isa: isa)
        for threads in [1, 3] {
          let pool = try ThreadPool(threads: threads, smallestWork: 0)
          let c = Guarded(former)
          let intact = withScratch(product.scratchBytes) {
            product.run(a: a.base, b: b.base, c: c.base, accumulate: accumulate, scratch: $0, pool: pool)
          }
          #expect(bits(c.array) == bits(expected), "\(isa), \(threads) threads, transposed \(ta) \(tb)")
          #expect(intact && c.isIntact)
        }
      }
    }
  }
}
