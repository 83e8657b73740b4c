import Foundation
import Pipeline

/// A sentence about what the numbers say that is easily read past, or that flatters nobody.
struct Finding: Equatable {
  enum Tone: String { case bad, note }

  let tone: Tone
  let sentence: String

  static func all(_ results: ResultsFile) -> [Finding] {
    guard let first = results.variants.first else { return [] }
    let others = results.variants.dropFirst().compactMap { variant in
      variant.versusFirst.map { Pairing(variant: variant, first: first, difference: $0) }
    }
    let evaluated = max(results.comparison.evaluated, 1)
    return others.compactMap { lostAccuracy($0, evaluated) } + others.compactMap(idleZeros)
      + others.compactMap(slowIntegers)
      + [hiddenFlips(others, evaluated), unsteadiness(results.variants), tails(results.variants)].compactMap { $0 }
  }

  /// A variant beside the first.
  private struct Pairing {
    let variant, first: ResultsFile.Variant
    let difference: ResultsFile.Variant.Difference

    var name: String { ReportPage.quoted(variant.name) }
    var other: String { ReportPage.quoted(first.name) }
    var speed: String { Summary.speed(difference.fasterMedian, difference.fasterMedianInterval) }

    var zeros: Double { 1 - Double(variant.nonzero) / Double(max(variant.parameters, 1)) }
    var hasMoreZeros: Bool { zeros > 0.05 + 1 - Double(first.nonzero) / Double(max(first.parameters, 1)) }

    func flips(_ evaluated: Int) -> String { Formatting.percent(Double(variant.flips) / Double(evaluated)) }

    /// Whether both compute the same layers in the same numbers; nil where the file does not say.
    var hasSameWork: Bool? {
      func work(_ variant: ResultsFile.Variant) -> [String]? {
        variant.layers?.filter { $0.macs > 0 }.map { "\($0.name) \($0.arithmetic ?? "") \($0.macs)" }
      }
      guard let mine = work(variant), let theirs = work(first) else { return nil }
      return mine == theirs
    }
  }

  private static func lostAccuracy(_ pair: Pairing, _ evaluated: Int) -> Finding? {
    let difference = pair.difference
    guard difference.accuracyInterval.high < 0, difference.accuracy < -Summary.tolerance else { return nil }
    return Finding(
      tone: .bad,
      sentence: "\(pair.name) loses \(Formatting.points(-difference.accuracy, signed: false)) percentage points of "
        + "accuracy (95 %: \(Formatting.points(difference.accuracyInterval))); \(pair.flips(evaluated)) of its "
        + "predictions are not those of \(pair.other).")
  }

  /// The runtime is dense: zeros are multiplied like any other weight.
  private static func idleZeros(_ pair: Pairing) -> Finding? {
    guard pair.hasMoreZeros else { return nil }
    let share = Formatting.percent(pair.zeros, digits: 1)
    if pair.difference.fasterMedianInterval.low <= 1.02 {
      let isSlower = pair.difference.fasterMedianInterval.high < 1
      return Finding(
        tone: .note,
        sentence: "\(share) of the parameters of \(pair.name) are zero, but it is "
          + (isSlower ? pair.speed : "about as fast as \(pair.other)")
          + ": this runtime is dense and multiplies by zeros too. What zeros shrink is the compressed file.")
    }
    guard pair.hasSameWork == true else { return nil }
    return Finding(
      tone: .note,
      sentence: "\(pair.name) was measured \(pair.speed) than \(pair.other), but not because \(share) of its "
        + "parameters are zero: this runtime is dense and multiplies by zeros too. Both do the same work, so take that "
        + "difference as a measure of the machine's noise.")
  }

  private static func slowIntegers(_ pair: Pairing) -> Finding? {
    guard pair.hasSameWork == false, !pair.hasMoreZeros, pair.variant.macs == pair.first.macs else { return nil }
    guard pair.difference.fasterMedianInterval.high < 1 else { return nil }
    return Finding(
      tone: .bad,
      sentence: "\(pair.name) computes in other numbers than \(pair.other) and is \(pair.speed) on this machine: here "
        + "they cost more time than they save.")
  }

  /// As accurate, yet not the same model.
  private static func hiddenFlips(_ pairs: [Pairing], _ evaluated: Int) -> Finding? {
    let alike = pairs.filter { $0.difference.accuracyInterval.contains(0) && $0.variant.flips > 0 }
    guard let first = alike.first else { return nil }
    let names = list(alike.map { "\($0.name) (\($0.flips(evaluated)) of predictions changed)" })
    return Finding(
      tone: .note,
      sentence: "On this data, no difference in accuracy to \(first.other) can be told for \(names). A changed "
        + "prediction may be a mistake mended or a new one.")
  }

  /// Whether the machine changed its pace under way: the medians of the first and last third.
  private static func unsteadiness(_ variants: [ResultsFile.Variant]) -> Finding? {
    let drifts = variants.compactMap { variant -> String? in
      let samples = variant.latency.samples
      guard samples.count >= 30 else { return nil }
      let third = samples.count / 3
      let early = samples.prefix(third).sorted(), late = samples.suffix(third).sorted()
      let ratio = late[third / 2] / max(early[third / 2], 1e-9)
      let interval = Interval.medianRatio(ofSorted: late, over: early)
      guard !(0.95...1.05).contains(ratio), !interval.contains(1) else { return nil }
      return "\(ReportPage.quoted(variant.name)) (\(Formatting.factor(ratio)) the time)"
    }
    guard !drifts.isEmpty else { return nil }
    return Finding(
      tone: .note,
      sentence: "The machine was not steady: from the first third of the images to the last, the pace changed for "
        + "\(list(drifts)). Differences in speed of that size mean little; longer rests, or nothing else running, "
        + "make the comparison surer.")
  }

  /// Whether few slow runs govern the mean.
  private static func tails(_ variants: [ResultsFile.Variant]) -> Finding? {
    let governed = variants.filter { $0.latency.p50 > 0 && $0.latency.mean > 1.25 * $0.latency.p50 }
    guard !governed.isEmpty else { return nil }
    let names = list(
      governed.map { "\(ReportPage.quoted($0.name)) (slowest \(Formatting.duration($0.latency.max / 1e3)))" })
    return Finding(
      tone: .note,
      sentence: "A few slow runs govern the mean latency of \(names). Their medians say more about a typical image; "
        + "their means, about this machine at that hour.")
  }

  private static func list(_ items: [String]) -> String {
    items.count < 2 ? items.joined() : items.dropLast().joined(separator: ", ") + " and " + items.last!
  }
}
