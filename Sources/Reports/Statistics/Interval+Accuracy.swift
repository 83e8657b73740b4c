import Foundation

extension Interval {
  /// Wilson's score interval of a proportion: stays within 0…1 and holds near its ends, where accuracies live.
  ///
  /// Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
  public static func wilson(_ successes: Int, of count: Int) -> Interval {
    guard count > 0 else { return Interval(0, 1) }
    let n = Double(count), share = Double(successes) / n, z2 = deviations * deviations
    let center = (share + z2 / (2 * n)) / (1 + z2 / n)
    let half = deviations / (1 + z2 / n) * (share * (1 - share) / n + z2 / (4 * n * n)).squareRoot()
    // The ends are exact where nothing or everything succeeded; rounding must not move them.
    return Interval(successes == 0 ? 0 : max(0, center - half), successes == count ? 1 : min(1, center + half))
  }

  /// The difference of two proportions over the same samples: `gained` succeed now and failed before, `lost` the
  /// reverse. Samples that agree say nothing about a difference, so it is far narrower than two separate
  /// intervals suggest.
  ///
  /// Agresti and Min, "Simple improved confidence intervals for comparing matched proportions", Statistics in
  /// Medicine 24 (2005): Wald's interval with half a sample added to each cell of the two-by-two table.
  public static func pairedDifference(gained: Int, lost: Int, of count: Int) -> Interval {
    let n = Double(count) + 2, b = Double(gained) + 0.5, c = Double(lost) + 0.5
    let difference = (b - c) / n
    let half = deviations * max(0, b + c - (b - c) * (b - c) / n).squareRoot() / n
    return Interval(max(-1, difference - half), min(1, difference + half))
  }
}
