import Foundation
import Pipeline

/// A machine differs more from turn to turn than from run to run within one: of what a single process measured, however
/// often, no interval holds what the next one measures. So the turns' medians are the sample, on the scale of
/// logarithms, since a disturbed process is slower by a factor: Student's interval of their mean, by their own spread
/// (Kalibera and Jones, "Rigorous benchmarking in reasonable time", 2013). Drawing three turns again and again instead
/// would never leave the range of the three, which misses what is typical one time in four.
///
/// The interval from the runs within is joined to it: turns that agree to the clock's last tick are not known to that.
extension Interval {
  /// Turns of fewer runs, or one turn alone, have no interval.
  public static let fewestTurns = 2

  static func hasInterval(_ timing: Timing) -> Bool {
    timing.turns.count >= fewestTurns && timing.turns.allSatisfy { $0.samples.count >= fewestForMedian }
  }

  /// Of the median of one image, in milliseconds.
  ///
  /// - Returns: nil of one turn, or when a turn has too few runs.
  static func median(_ timing: Timing) -> Interval? {
    guard hasInterval(timing) else { return nil }
    return median(ofSorted: timing.samples.sorted())?.joined(to: geometricMean(timing.medians))
  }

  /// Student's interval of the mean of the logarithms.
  static func geometricMean(_ values: [Double]) -> Interval {
    let logarithms = values.map { log(max($0, 1e-9)) }, count = Double(values.count)
    let mean = logarithms.reduce(0, +) / count
    let variance = logarithms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    let half = student(values.count - 1) * (variance / count).squareRoot()
    return Interval(exp(mean - half), exp(mean + half))
  }

  func joined(to other: Interval) -> Interval { Interval(min(low, other.low), max(high, other.high)) }

  /// The quantile of Student's distribution that 95 % lie within, by degrees of freedom from 1; of 30 from there on.
  static func student(_ freedom: Int) -> Double { quantiles[min(max(freedom, 1), quantiles.count) - 1] }

  private static let quantiles = [
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448,
    2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484,
    2.0452, 2.0423,
  ]
}

/// Two variants that were timed in the same turns, so that each turn compares them on the machine as it was just then.
struct PairedTurns {
  /// How many times faster the second is: the geometric mean over the turns, of the first's median by the second's.
  let ratio: Double
  /// Nil of one turn, or when a turn has too few runs.
  let interval: Interval?

  init(_ first: Timing, _ second: Timing) {
    guard first.turns.count == second.turns.count else {
      ratio = first.p50 / max(second.p50, 1e-9)
      interval = nil
      return
    }
    let ratios = zip(first.medians, second.medians).map { max($0, 1e-9) / max($1, 1e-9) }
    ratio = exp(ratios.reduce(0) { $0 + log($1) } / Double(ratios.count))
    guard Interval.hasInterval(first), Interval.hasInterval(second) else {
      interval = nil
      return
    }
    let turns = Interval.geometricMean(ratios)
    interval = Self.within(first, second, ratio).map { $0.joined(to: turns) } ?? turns
  }

  /// What the runs within the turns leave open, where every turn were the same: the pooled medians' ratio, moved to the
  /// ratio of the turns.
  private static func within(_ first: Timing, _ second: Timing, _ ratio: Double) -> Interval? {
    // Each turn's runs by its own median, so that what differs between turns is not counted twice.
    func scaled(_ timing: Timing) -> [Double] {
      timing.turns.flatMap { turn in turn.samples.map { $0 / max(turn.statistics.p50, 1e-9) } }.sorted()
    }
    return Interval.medianRatio(ofSorted: scaled(first), over: scaled(second)).map {
      Interval(ratio * min($0.low, 1), ratio * max($0.high, 1))
    }
  }
}
