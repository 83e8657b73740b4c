import Kernels
import Network

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How often values of each size were seen: bins of equal width on both sides of zero. The width is a power of two and
/// doubles, two bins becoming one, when a value lies beyond: no value is counted twice or lost, and the result does not
/// depend on the order.
struct ValueHistogram {
  /// Bins on each side of zero.
  private static let half = 4096
  private static let leastExponent = -120

  private var counts = [UInt64](repeating: 0, count: 2 * half)
  /// Of the bins' width.
  private var exponent = leastExponent

  private var width: Float { Float(sign: .plus, exponent: exponent, significand: 1) }

  mutating func add(_ values: UnsafeBufferPointer<Float>, within range: ClosedRange<Float>, pool: ThreadPool) {
    let peak = max(-range.lowerBound, range.upperBound)
    var needed = exponent
    while Float(Self.half) * Float(sign: .plus, exponent: needed, significand: 1) <= peak { needed += 1 }
    if needed > exponent { widen(by: needed - exponent) }
    Distribution.count(values, width: width, into: &counts, pool: pool)
  }

  private mutating func widen(by steps: Int) {
    var wider = [UInt64](repeating: 0, count: counts.count)
    for (bin, count) in counts.enumerated() where count > 0 {
      wider[((bin - Self.half) >> min(steps, 32)) + Self.half] += count
    }
    counts = wider
    exponent += steps
  }

  /// How many values were added.
  var count: Int { Int(counts.reduce(0, +)) }

  /// How many bins hold a value.
  var hitBins: Int { counts.count { $0 > 0 } }

  // MARK: Ranges

  /// The range that holds this share of the values, half of the others on each side, to the accuracy of a bin.
  func middle(_ share: Double, of range: ClosedRange<Float>) -> ClosedRange<Float> {
    let total = counts.reduce(0, +)
    let outside = Double(total) * (1 - share) / 2
    /// How many bins from an end hold no more than what is to be left out.
    func skipped(_ counts: some Sequence<UInt64>) -> Int {
      var sum = 0.0, bins = 0
      for count in counts {
        sum += Double(count)
        if sum > outside { break }
        bins += 1
      }
      return bins
    }
    let low = Float(skipped(counts) - Self.half) * width
    let high = Float(Self.half - skipped(counts.reversed())) * width
    return max(range.lowerBound, low)...max(low, min(range.upperBound, high))
  }

  /// The mean squared error of rounding, each value taken for the middle of its bin.
  func error(_ encoding: ActivationEncoding) -> Double { error(encoding, seen) }

  private func error(_ encoding: ActivationEncoding, _ bins: [(value: Float, count: Double)]) -> Double {
    var sum = 0.0
    switch encoding {
    case .affine(let quantization):
      let inverse = 1 / quantization.scale, zero = Float(quantization.zeroPoint), limit = Float(quantization.limit)
      for bin in bins {
        let q = min(max((bin.value * inverse).roundedToEven + zero, 0), limit)
        let error = Double(bin.value - (q - zero) * quantization.scale)
        sum += error * error * bin.count
      }
    case .levels(let levels):
      for bin in bins {
        let error = Double(bin.value - levels.values[levels.index(of: bin.value)])
        sum += error * error * bin.count
      }
    }
    return sum
  }

  /// The range with the least mean squared error among shares of this one, first of both sides alike, then of each.
  func leastError(
    of range: ClosedRange<Float>, _ encoding: (ClosedRange<Float>) throws -> ActivationEncoding
  ) rethrows -> ClosedRange<Float> {
    let bins = seen
    var best = range
    var least = error(try encoding(range), bins)
    var shares = (low: 1.0, high: 1.0)
    func attempt(_ low: Double, _ high: Double) throws {
      let candidate = Float(Double(range.lowerBound) * low)...Float(Double(range.upperBound) * high)
      let error = error(try encoding(candidate), bins)
      if error < least { (best, least, shares) = (candidate, error, (low, high)) }
    }
    let steps = (1...72).map { 1 - Double($0) / 80 }  // down to a tenth
    for share in steps { try attempt(share, share) }
    guard range.lowerBound < 0, range.upperBound > 0 else { return best }
    let common = shares
    for share in steps { try attempt(min(1, common.low * (share + 0.5)), common.high) }
    let low = shares.low
    for share in steps { try attempt(low, min(1, common.high * (share + 0.5))) }
    return best
  }

  /// The part of the range, scaled down on one side, the other, or both alike, in which levels of equal width lose
  /// least of the distribution: what lies outside counts for the outermost bins before, and each level's values are
  /// spread over its bins that were hit after. The bin of zero, which is exact in any case, counts as much as its
  /// neighbours.
  func leastDivergence(levels: Int, of range: ClosedRange<Float>) -> ClosedRange<Float> {
    let low = min(range.lowerBound, 0), high = max(range.upperBound, 0)
    let first = Int((low / width).rounded(.down)) + Self.half, last = Int((high / width).rounded(.down)) + Self.half
    guard last - first >= levels else { return range }
    var smoothed = counts.map { Double($0) }
    let zero = Self.half
    let neighbours = [zero - 1, zero + 1].filter { (first...last).contains($0) }
    smoothed[zero] = neighbours.isEmpty ? 0 : neighbours.reduce(0) { $0 + smoothed[$1] } / Double(neighbours.count)
    let reference = smoothed

    func divergence(_ begin: Int, _ end: Int) -> Double {  // bins begin..<end stay
      let size = end - begin
      let below = reference[first..<begin].reduce(0, +), above = reference[end..<(last + 1)].reduce(0, +)
      let kept = reference[begin..<end].reduce(0, +), mass = kept + below + above
      func all(_ bin: Int) -> Double {
        reference[bin] + (bin == begin ? below : 0) + (bin == end - 1 ? above : 0)
      }
      var sum = 0.0
      for level in 0..<levels {
        let bins = begin + level * size / levels..<begin + (level + 1) * size / levels
        var total = 0.0, hit = 0.0
        for bin in bins where all(bin) > 0 {
          total += reference[bin]
          hit += 1
        }
        guard hit > 0 else { continue }
        // What is clipped may end where nothing else is: that counts as half a value.
        let q = max(total, 0.5) / hit / kept
        for bin in bins where all(bin) > 0 {
          let p = all(bin) / mass
          sum += p * log(p / q)
        }
      }
      return sum
    }
    var best = (begin: first, end: last + 1, divergence: divergence(first, last + 1))
    func attempt(_ begin: Int, _ end: Int) {
      guard end - begin >= levels else { return }
      let found = divergence(begin, end)
      if found < best.divergence { best = (begin, end, found) }
    }
    func bins(_ count: Int, _ share: Double) -> Int { Int((Double(count) * share).rounded()) }
    let steps = (1...112).map { 1 - Double($0) / 128 }
    for share in steps { attempt(first, zero + bins(last + 1 - zero, share)) }
    let end = best.end
    for share in steps { attempt(zero - bins(zero - first, share), end) }
    for share in steps { attempt(zero - bins(zero - first, share), zero + bins(last + 1 - zero, share)) }
    return max(low, Float(best.begin - zero) * width)...min(high, Float(best.end - zero) * width)
  }

  /// The bins that were hit: their middles, and how often.
  private var seen: [(value: Float, count: Double)] {
    counts.enumerated().compactMap { bin, count in
      count == 0 ? nil : ((Float(bin - Self.half) + 0.5) * width, Double(count))
    }
  }
}

extension Float {
  /// The nearest integer within `-limit...limit`, which Int8 holds; what is no number becomes 0.
  @inline(__always)
  func nearestInteger(limit: Float) -> Int8 { isNaN ? 0 : Int8(min(max(roundedToEven, -limit), limit)) }

  /// To the nearest integer, ties to even, without a call into the C library.
  @inline(__always)
  var roundedToEven: Float {
    let distance = magnitude < 0x1p23 ? (magnitude + 0x1p23) - 0x1p23 : magnitude
    return self < 0 ? -distance : distance
  }
}
