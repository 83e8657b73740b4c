#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What levels take in a packed file, in bits, as an estimate: the coder's models adapt, so a level takes about what
/// its share among the layer's levels says. (Contexts, of what is near in the tensor, make the file smaller, but hardly
/// change what is worth rounding where: on ResNet20 the same file and error came of it.)
public struct LevelRates: Sendable {
  /// By magnitude, the sign included.
  private let bits: [Float]

  /// - Parameter counts: how many levels have each magnitude, from 0 on.
  public init(counts: [Int]) {
    let total = Double(counts.reduce(0, +)) + 1
    let mean = counts.enumerated().reduce(0.0) { $0 + Double($1.offset) * Double($1.element) } / total
    // Rare levels are about as frequent as a geometric distribution of the same mean has them.
    let ratio = mean / (1 + mean) + 1e-3
    var expected = 1 - ratio
    bits = counts.enumerated().map { magnitude, count in
      let share = (Double(count) + 2 * expected + 1e-3 / 128) / (total + 2)
      expected *= ratio
      return Float((magnitude == 0 ? 0 : 1) - log2(share))
    }
  }

  /// - Parameter levels: whole numbers.
  public init(of levels: some Sequence<Float>, limit: Int) {
    var counts = [Int](repeating: 0, count: limit + 1)
    for level in levels { counts[min(Int(abs(level)), limit)] += 1 }
    self.init(counts: counts)
  }

  /// Of a whole number up to the limit.
  public subscript(level: Float) -> Float { bits[Int(abs(level))] }
}
