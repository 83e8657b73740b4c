import Foundation
import Pipeline

/// A sentence about what the numbers say that is easily read past, or that flatters nobody. The terminal shows them
/// under its table, the report among the first things.
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
    return results.variants.compactMap { undefined($0, evaluated) } + warnings(results.variants)
      + others.compactMap { lostAccuracy($0, evaluated) }
      + [
        otherOutputs(results), idleOutputs(results), idleZeros(results.variants), otherNumbers(others),
        hiddenFlips(others, evaluated),
        otherWork(results), disagreement(results), unsteadiness(results.variants),
      ].compactMap { $0 }
  }

  /// A variant beside the first.
  private struct Pairing {
    let variant, first: ResultsFile.Variant
    let difference: ResultsFile.Variant.Difference

    var name: String { ReportPage.quoted(variant.name) }
    var other: String { ReportPage.quoted(first.name) }

    func flips(_ evaluated: Int) -> String { Formatting.percent(Double(variant.flips) / Double(evaluated)) }

    /// Whether both compute the same layers in the same numbers; nil where the file does not say.
    var hasSameWork: Bool? {
      func work(_ variant: ResultsFile.Variant) -> [String]? {
        variant.layers?.filter { $0.macs > 0 }.map {
          "\($0.name) \($0.arithmetic ?? "") \($0.macs)" + ($0.leavesZerosOut ? " \($0.nonzero)" : "")
        }
      }
      guard let mine = work(variant), let theirs = work(first) else { return nil }
      return mine == theirs
    }
  }

  private static func undefined(_ variant: ResultsFile.Variant, _ evaluated: Int) -> Finding? {
    guard let count = variant.undefined, count > 0 else { return nil }
    return Finding(
      tone: .bad,
      sentence: "\(ReportPage.quoted(variant.name)) answers NaN to \(Formatting.count(count)) of "
        + "\(Formatting.count(evaluated)) samples; they count as wrong.")
  }

  /// What stages warned of, each stage once, with the variants that came out of it.
  private static func warnings(_ variants: [ResultsFile.Variant]) -> [Finding] {
    var seen = Set<String>()
    return variants.flatMap(\.stages).filter { seen.insert($0.key).inserted }.flatMap { step in
      (step.record.warnings ?? []).map { warning in
        let owners = variants.filter { $0.stages.contains { $0.key == step.key } }.map { ReportPage.quoted($0.name) }
        return Finding(
          tone: .bad,
          sentence: "\(ReportPage.shown(step.label)): \(ReportPage.shown(warning)) "
            + "(\(owners.count == variants.count && owners.count > 1 ? "all variants" : "in \(list(owners))")).")
      }
    }
  }

  private static func lostAccuracy(_ pair: Pairing, _ evaluated: Int) -> Finding? {
    guard let difference = pair.difference.inAccuracy, difference.interval.high < 0,
      difference.change < -Summary.tolerance
    else { return nil }
    return Finding(
      tone: .bad,
      sentence: "\(pair.name) loses \(Formatting.points(-difference.change, signed: false)) percentage points of "
        + "accuracy (95 %: \(Formatting.points(difference.interval))); \(pair.flips(evaluated)) of its "
        + "predictions are not those of \(pair.other).")
  }

  /// Outputs that are not those of the variant that is the measure for want of labels.
  private static func otherOutputs(_ results: ResultsFile) -> Finding? {
    let far = results.variants.compactMap { variant in
      variant.agreement.flatMap { $0.cosine < ResultsFile.Variant.Agreement.far ? (variant.name, $0.cosine) : nil }
    }
    guard let first = results.variants.first, !far.isEmpty else { return nil }
    let names = list(far.map { "\(ReportPage.quoted($0.0)) (cosine \(Formatting.cosine($0.1)))" })
    return Finding(
      tone: .bad, sentence: "The outputs of \(names) are not those of \(ReportPage.quoted(first.name)) any more.")
  }

  /// Outputs that no label asks for: a network made for other data, or data read with the wrong number of classes.
  private static func idleOutputs(_ results: ResultsFile) -> Finding? {
    guard let classes = results.comparison.classes, classes > 0 else { return nil }
    let wider = results.variants.filter { ($0.outputs ?? 0) > classes }
    guard let first = wider.first, let outputs = first.outputs else { return nil }
    let names =
      wider.count == results.variants.count
      ? "The models have"
      : list(wider.map { ReportPage.quoted($0.name) })
        + (wider.count == 1 ? " has" : " have")
    return Finding(
      tone: .note,
      sentence: "\(names) \(outputs) outputs for the \(classes) \(classes == 1 ? "class" : "classes") of "
        + "\(ReportPage.shown(results.comparison.data)): a sample that goes to one of the others is wrong, whatever it "
        + "is."
    )
  }

  /// Where zeros save time: in layers whose kernels leave them out. In the others they are multiplied like any other weight,
  /// and explain no time, be it short or long.
  private static func idleZeros(_ variants: [ResultsFile.Variant]) -> Finding? {
    func timeSaved(_ variant: ResultsFile.Variant) -> String {
      let timed = (variant.layers ?? []).filter { $0.milliseconds != nil && $0.denseMilliseconds != nil }
      guard !timed.isEmpty else { return "" }
      let own = timed.reduce(0) { $0 + $1.milliseconds! }, dense = timed.reduce(0) { $0 + $1.denseMilliseconds! }
      return
        " (\(Formatting.duration(own / 1e3)) where every weight multiplied takes \(Formatting.duration(dense / 1e3)))"
    }
    func zeros(_ variant: ResultsFile.Variant) -> Double {
      1 - Double(variant.left) / Double(max(variant.prunable, 1))
    }
    let sparse = variants.filter { zeros($0) > 0.05 + zeros(variants[0]) }
    guard !sparse.isEmpty else { return nil }
    let names = list(sparse.map { "\(Formatting.percent(zeros($0), digits: 1)) of \(ReportPage.quoted($0.name))" })
    func layers(_ variant: ResultsFile.Variant, _ isCounted: (ResultsFile.Layer) -> Bool) -> Int {
      (variant.layers ?? []).count { $0.weights ?? 0 > 0 && isCounted($0) }
    }
    let saving = sparse.filter { layers($0) { $0.leavesZerosOut } > 0 }
    guard !saving.isEmpty else {
      return Finding(
        tone: .note,
        sentence: "Of the weights \(names) are zero. The kernels of these layers multiply by zeros too, since to leave "
          + "them out would take longer: they shrink the compressed file, and explain no difference in time, neither way."
      )
    }
    let places = list(
      saving.map { variant in
        "\(layers(variant) { $0.leavesZerosOut }) of the \(layers(variant) { _ in true }) layers of "
          + ReportPage.quoted(variant.name) + timeSaved(variant)
      })
    return Finding(
      tone: .note,
      sentence:
        "Of the weights \(names) are zero. Kernels leave them out, and save time, in \(places); in the others they "
        + "multiply by zeros too, since to leave them out would take longer.")
  }

  /// Work in other numbers that took longer.
  private static func otherNumbers(_ pairs: [Pairing]) -> Finding? {
    let slower = pairs.filter { pair in
      guard let interval = pair.difference.fasterMedianInterval else { return false }
      return pair.hasSameWork == false && pair.variant.macs == pair.first.macs && interval.high < 1
    }
    guard let first = slower.first else { return nil }
    let names = list(
      slower.map { "\($0.name) (\(Formatting.factor(1 / max($0.difference.fasterMedian, 1e-9))) the time)" })
    return Finding(
      tone: .note,
      sentence: "In other numbers than those of \(first.other), the same multiply-accumulates took longer in this run: "
        + "\(names).")
  }

  /// As accurate, yet not the same model.
  private static func hiddenFlips(_ pairs: [Pairing], _ evaluated: Int) -> Finding? {
    let alike = pairs.filter {
      $0.difference.accuracyInterval?.contains(0) == true && $0.variant.flips > 0
    }
    guard let first = alike.first else { return nil }
    let names = list(alike.map { "\($0.name) (\($0.flips(evaluated)) of predictions changed)" })
    return Finding(
      tone: .note,
      sentence: "On this data, no difference in accuracy to \(first.other) can be told for \(names). A changed "
        + "prediction may be a mistake mended or a new one.")
  }

  /// What else computed while the clock ran.
  private static func otherWork(_ results: ResultsFile) -> Finding? {
    let work = OtherWork(results)
    guard !work.remarks.isEmpty else { return nil }
    let count = work.preemptions
    return Finding(
      tone: .note,
      sentence: "Other work ran on this machine while the variants were timed: \(list(work.remarks)); a thread that "
        + "measured was made to wait \(Formatting.count(count)) \(count == 1 ? "time" : "times"). Times are longer and "
        + "less sure than on a machine of one’s own.")
  }

  /// How far the medians of two turns of a variant may be apart before it is said.
  private static let mostApart = 1.1

  /// Turns that say different things of the same model.
  private static func disagreement(_ results: ResultsFile) -> Finding? {
    let apart = results.variants.compactMap { variant -> String? in
      let medians = variant.timing.medians
      guard medians.count > 1, let least = medians.min(), let most = medians.max(), most > least * mostApart else {
        return nil
      }
      let times = list(medians.prefix(6).map { Formatting.duration($0 / 1e3) } + (medians.count > 6 ? ["more"] : []))
      let share = Formatting.percent(most / max(least, 1e-9) - 1, digits: 0)
      return "turns of \(ReportPage.quoted(variant.name)) differ by \(share) (\(times))"
    }
    guard let first = apart.first else { return nil }
    let reason =
      OtherWork(results).remarks.isEmpty
      ? "Nothing else was seen to compute on this machine: its pace changes by itself, or by its host"
      : "Other work ran on this machine"
    return Finding(
      tone: .note,
      sentence: list([first.prefix(1).uppercased() + first.dropFirst()] + apart.dropFirst()) + ". \(reason); the "
        + "intervals of times hold it.")
  }

  /// Whether the machine changed its pace within the one turn there is: the medians of the first and last third.
  private static func unsteadiness(_ variants: [ResultsFile.Variant]) -> Finding? {
    let drifts = variants.compactMap { variant -> String? in
      let samples = variant.timing.samples
      guard variant.timing.turns.count == 1, samples.count >= 30 else { return nil }
      let third = samples.count / 3
      let early = samples.prefix(third).sorted(), late = samples.suffix(third).sorted()
      let ratio = late[third / 2] / max(early[third / 2], 1e-9)
      guard let interval = Interval.medianRatio(ofSorted: late, over: early) else { return nil }
      guard !(0.95...1.05).contains(ratio), !interval.contains(1) else { return nil }
      return "\(ReportPage.quoted(variant.name)) (\(Formatting.factor(ratio)) the time)"
    }
    guard !drifts.isEmpty else { return nil }
    return Finding(
      tone: .note,
      sentence: "The machine was not steady: from the first third of the images to the last, the pace changed for "
        + "\(list(drifts)). Differences in speed of that size mean little; several turns, or nothing else running, "
        + "make the comparison surer.")
  }

  private static func list(_ items: [String]) -> String {
    items.count < 2 ? items.joined() : items.dropLast().joined(separator: ", ") + " and " + items.last!
  }
}
