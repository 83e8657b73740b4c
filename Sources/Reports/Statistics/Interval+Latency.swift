import Foundation
import Tensors

extension Interval {
  /// The median between two order statistics: no assumption about the distribution, outliers welcome.
  ///
  /// Their ranks are the binomial distribution's, by its normal approximation, rounded outwards.
  ///
  /// - Parameter sorted: ascending, not empty.
  /// - Parameter deviations: of the normal distribution; 1.96 for 95 %.
  public static func median(ofSorted sorted: [Double], deviations: Double = Self.deviations) -> Interval {
    let n = Double(sorted.count), half = deviations * n.squareRoot() / 2
    let low = Int((n / 2 - half).rounded(.down)) - 1, high = Int((n / 2 + half).rounded(.up))
    return Interval(sorted[max(0, low)], sorted[min(sorted.count - 1, high)])
  }

  /// The ratio of two independent medians, from an interval of 97.5 % of each (Bonferroni), so at least 95 %.
  public static func medianRatio(ofSorted first: [Double], over second: [Double]) -> Interval {
    let deviations = 2.241402727604947
    let a = median(ofSorted: first, deviations: deviations), b = median(ofSorted: second, deviations: deviations)
    return Interval(a.low / max(b.high, 1e-9), a.high / max(b.low, 1e-9))
  }

  /// The middle 95 % of resampled values.
  public static func percentiles(_ values: [Double]) -> Interval {
    let sorted = values.sorted()
    let tail = Int((Double(sorted.count) * 0.025).rounded(.down))
    return Interval(sorted[tail], sorted[sorted.count - 1 - tail])
  }
}

/// Means of a series of runs, resampled in blocks.
///
/// Neighbouring runs share the machine's state (clock rate, other work), so resampling them one by one would
/// promise too much: the circular block bootstrap (Politis and Romano, in "Exploring the Limits of Bootstrap", 1992)
/// draws stretches of √n consecutive runs, the first following the last, so that no run is drawn less often than
/// another. The draws are seeded: the same samples give the same interval.
public struct BootstrappedMeans: Sendable {
  public static let resamples = 1000

  public let means: [Double]

  /// - Parameter stream: names the random stream, so that two series are drawn independently.
  /// - Precondition: `samples` is not empty.
  public init(_ samples: [Double], stream: String) {
    let block = max(1, Int(Double(samples.count).squareRoot().rounded()))
    let draws = (samples.count + block - 1) / block
    var sums = [0.0]
    sums.reserveCapacity(samples.count + block)
    for sample in samples + samples.prefix(block - 1) { sums.append(sums.last! + sample) }
    var random = SeededRandom(seed: 0).stream(stream)
    means = (0..<Self.resamples).map { _ in
      var sum = 0.0
      for _ in 0..<draws {
        let start = random.below(samples.count)
        sum += sums[start + block] - sums[start]
      }
      return sum / Double(draws * block)
    }
  }

  /// 95 % of the mean.
  public var interval: Interval { .percentiles(means) }

  /// 95 % of how many times larger this mean is than another, independent one.
  public func ratio(over other: BootstrappedMeans) -> Interval {
    .percentiles(zip(means, other.means).map { $0 / max($1, 1e-9) })
  }
}
