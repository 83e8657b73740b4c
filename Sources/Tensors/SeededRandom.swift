import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A seeded stream of random numbers, the same on every machine.
///
/// xoshiro256** (Blackman and Vigna 2018), seeded through SplitMix64. Streams for different purposes
/// are split off by name, so that adding one draw somewhere never shifts another's numbers:
///
///     let root = SeededRandom(seed: 3)
///     var shuffle = root.stream("shuffle epoch 2")
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private let seed: UInt64
  private var state: (UInt64, UInt64, UInt64, UInt64)

  public init(seed: UInt64) {
    self.seed = seed
    var mixer = seed
    func next() -> UInt64 {
      mixer &+= 0x9E37_79B9_7F4A_7C15
      var z = mixer
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    state = (next(), next(), next(), next())
  }

  /// An independent stream; the same seed and name always give the same one.
  public func stream(_ name: String) -> SeededRandom {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ seed  // FNV-1a
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return SeededRandom(seed: hash)
  }

  public mutating func next() -> UInt64 {
    func rotl(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
    let result = rotl(state.1 &* 5, 7) &* 9
    let t = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= t
    state.3 = rotl(state.3, 45)
    return result
  }

  /// Uniform in [0, 1), 53 bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in the range.
  public mutating func uniform(_ range: Range<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// An integer in 0..<bound, unbiased (Lemire 2019).
  ///
  /// - Precondition: `bound` is positive.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0)
    let n = UInt64(bound)
    var product = next().multipliedFullWidth(by: n)
    if product.low < n {
      let threshold = (0 &- n) % n
      while product.low < threshold { product = next().multipliedFullWidth(by: n) }
    }
    return Int(product.high)
  }

  /// Standard normal, by the polar form of Box and Muller; one value a call.
  public mutating func normal() -> Double {
    while true {
      let u = uniform() * 2 - 1, v = uniform() * 2 - 1
      let s = u * u + v * v
      if s > 0, s < 1 { return u * (-2 * log(s) / s).squareRoot() }
    }
  }

  /// 0..<count in random order (Fisher and Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    // From the last backwards; stopped on request, the order is no longer random.
    for run in Cancellation.runs(max(count - 1, 0)) {
      for done in run {
        let i = count - 1 - done
        order.swapAt(i, below(i + 1))
      }
    }
    return order
  }
}

extension Tensor {
  /// Independent values, uniform from `low` to `high` (which rounding can reach).
  public init(uniform shape: Shape, _ low: Float, _ high: Float, using random: inout SeededRandom) {
    self.init(zeros: shape)
    withMutable(Float.self) { values in
      for run in Cancellation.runs(values.count) {
        for i in run { values[i] = low + (high - low) * Float(random.uniform()) }
      }
    }
  }

  /// Independent values, normal with the given mean and standard deviation.
  public init(normal shape: Shape, mean: Float = 0, deviation: Float = 1, using random: inout SeededRandom) {
    self.init(zeros: shape)
    withMutable(Float.self) { values in
      for run in Cancellation.runs(values.count) {
        for i in run { values[i] = mean + deviation * Float(random.normal()) }
      }
    }
  }

  /// Independent values, normal around 0 with the given standard deviation; those further away than `limit`
  /// deviations are drawn again.
  public init(normal shape: Shape, deviation: Float, truncatedAt limit: Double, using random: inout SeededRandom) {
    self.init(zeros: shape)
    withMutable(Float.self) { values in
      for run in Cancellation.runs(values.count) {
        for i in run {
          var value = random.normal()
          while abs(value) > limit { value = random.normal() }
          values[i] = deviation * Float(value)
        }
      }
    }
  }
}
