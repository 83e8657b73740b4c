import Diagnostics
import Tensors

extension Dataset {
  /// The first `n` samples.
  ///
  /// - Throws: `CompressError` when there are fewer.
  public func taking(_ n: Int) throws -> any Dataset { try slice(from: 0, to: n) }

  /// All but the first `n` samples.
  ///
  /// - Throws: `CompressError` when there are fewer.
  public func dropping(_ n: Int) throws -> any Dataset { try slice(from: n, to: count) }

  /// Samples `start` up to, not including, `end`, counted from 0.
  ///
  /// - Throws: `CompressError` when the slice reaches outside.
  public func slice(from start: Int, to end: Int) throws -> any Dataset {
    guard start >= 0, start <= end, end <= count else {
      throw CompressError("samples \(start &+ 1) to \(end) wanted of \"\(name)\", which has \(count)")
    }
    return start == 0 && end == count ? self : try Subset(self, start..<end, step: "\(start)..<\(end)")
  }

  /// All samples in random order.
  ///
  /// - Throws: `CompressError` when the samples were chosen in too many steps before.
  public func shuffled(seed: UInt64) throws -> any Dataset {
    var random = SeededRandom(seed: seed).stream("shuffled data set")
    let order = random.permutation(count)
    try Cancellation.checkCurrent()  // an order that was not all drawn is no random one
    return try Subset(self, order: order, step: "shuffled, seed \(seed)")
  }

  /// `n` different samples chosen at random: the first `n` of `shuffled(seed:)`.
  ///
  /// - Throws: `CompressError` when there are fewer.
  public func sampled(_ n: Int, seed: UInt64) throws -> any Dataset { try shuffled(seed: seed).taking(n) }

  /// Two parts without a sample in common: `fraction` of the samples, chosen at random, and the others.
  ///
  /// - Throws: `CompressError` unless `fraction` is in 0…1.
  public func split(_ fraction: Double, seed: UInt64) throws -> (any Dataset, any Dataset) {
    guard (0...1).contains(fraction) else {
      throw CompressError("a split takes a fraction from 0 to 1, not \(fraction)")
    }
    let first = Int((Double(count) * fraction).rounded())
    let all = try shuffled(seed: seed)
    return (try all.taking(first), try all.dropping(first))
  }
}
