import Foundation

extension Interval {
  /// Fewer samples than these have no interval of their median: no two of their order statistics enclose it with the
  /// confidence that is promised, of one median and of the ratio of two.
  public static let fewestForMedian = 7

  /// The median between two order statistics: no assumption about the distribution, outliers welcome.
  ///
  /// Their ranks are the binomial distribution's, by its normal approximation, rounded outwards.
  ///
  /// - Parameter sorted: ascending.
  /// - Parameter deviations: of the normal distribution; 1.96 for 95 %.
  /// - Returns: nil when there are fewer than `fewestForMedian`.
  public static func median(ofSorted sorted: [Double], deviations: Double = Self.deviations) -> Interval? {
    guard sorted.count >= fewestForMedian else { return nil }
    let n = Double(sorted.count), half = deviations * n.squareRoot() / 2
    let low = Int((n / 2 - half).rounded(.down)) - 1, high = Int((n / 2 + half).rounded(.up))
    return Interval(sorted[max(0, low)], sorted[min(sorted.count - 1, high)])
  }

  /// 97.5 % lie within so many standard deviations: of two medians each has that much (Bonferroni).
  static let deviationsOfTwo = 2.241402727604947

  /// The ratio of two independent medians, from an interval of 97.5 % of each, so at least 95 %.
  ///
  /// - Returns: nil when there are too few of either.
  public static func medianRatio(ofSorted first: [Double], over second: [Double]) -> Interval? {
    guard let a = median(ofSorted: first, deviations: deviationsOfTwo),
      let b = median(ofSorted: second, deviations: deviationsOfTwo)
    else { return nil }
    return Interval(a.low / max(b.high, 1e-9), a.high / max(b.low, 1e-9))
  }
}
