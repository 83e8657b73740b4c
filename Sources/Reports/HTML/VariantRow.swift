import Pipeline

extension ReportPage {
  /// One row of the comparison.
  struct VariantRow {
    let name: String
    let series: String
    /// The class of cells that say nothing about the first variant.
    let blank: String
    let accuracy: String
    let accuracyRange: Figures
    /// Where there are no labels; empty where there are.
    let cosine: String
    /// How many samples it answers NaN to; empty where there are none.
    let undefined: String
    let difference, differenceRange, differenceTone: String
    let flips, flipCount: String
    let gzip, smaller, smallerTone: String
    /// Empty where it was not packed.
    let packed: String
    let native: Figures
    let nonzero, nonzeroShare: String
    let macs, macsShare: String
    let median: String
    let medianRange: Figures
    let tail, slow, slowest: String
    let fasterMedian, fasterMedianRange, fasterTone: String
    let memory: String

    init(_ results: ResultsFile, _ index: Int) {
      let variant = results.variants[index], first = results.variants[0]
      let latency = variant.timing
      name = shown(variant.name)
      series = ReportPage.series(index)
      accuracy = Formatting.percent(variant.accuracy)
      let range = variant.intervals.flatMap { $0.accuracy ?? $0.agreement }
      accuracyRange = Figures(range.map { Formatting.percents($0) } ?? "")
      cosine = variant.agreement.map { "cosine " + Formatting.cosine($0.cosine) } ?? ""
      let unknown = variant.undefined ?? 0
      undefined = unknown > 0 ? "NaN for \(Formatting.count(unknown))" : ""
      gzip = Formatting.bytes(variant.bytes.gzip)
      packed = variant.bytes.packed.map { Formatting.bytes($0) + " packed" } ?? ""
      native = Figures(Formatting.bytes(variant.bytes.native))
      nonzero = Formatting.count(variant.left)
      nonzeroShare = Formatting.percent(Double(variant.left) / Double(max(variant.prunable, 1)), digits: 1)
      macs = Formatting.scaled(variant.macs)
      macsShare = Formatting.factor(Double(variant.macs) / Double(max(first.macs, 1)))
      median = Formatting.duration(latency.p50 / 1e3)
      medianRange = Figures(variant.intervals?.p50.map { Formatting.milliseconds($0) } ?? "")
      tail = Formatting.duration(latency.p99 / 1e3)
      let slowRuns = SlowRuns(latency)
      slow = Formatting.count(slowRuns.count)
      slowest = Formatting.duration(slowRuns.slowest / 1e3)
      memory = Formatting.bytes(variant.timing.peakMemoryBytes)

      let isFirst = index == 0
      blank = isFirst ? "blank" : ""
      let ratio = Double(first.bytes.gzip) / Double(max(variant.bytes.gzip, 1))
      smaller = isFirst ? "" : Formatting.factor(ratio, digits: 1) + " smaller"
      smallerTone = isFirst ? "" : Verdict(timesSmaller: ratio).rawValue
      flips = isFirst ? "" : Formatting.percent(Double(variant.flips) / Double(max(results.comparison.evaluated, 1)))
      flipCount = isFirst ? "" : Formatting.count(variant.flips)
      let versus = variant.versusFirst
      let inAccuracy = versus?.inAccuracy
      difference = inAccuracy.map { Formatting.points($0.change) } ?? ""
      differenceRange = inAccuracy.map { Formatting.points($0.interval) } ?? ""
      differenceTone = inAccuracy.map { Verdict($0.interval).rawValue } ?? ""
      fasterMedian = versus.map { Formatting.factor($0.fasterMedian) } ?? ""
      fasterTone = Verdict(timesFaster: versus?.fasterMedianInterval)?.rawValue ?? ""
      fasterMedianRange = versus?.fasterMedianInterval.map { Formatting.factors($0) } ?? ""
    }
  }

  /// Small print that may be broken into lines, but not between the last number and its unit.
  struct Figures {
    let start, end: String

    init(_ text: String) {
      let words = text.split(separator: " ", omittingEmptySubsequences: false), rest = words.dropLast(2)
      start = rest.map { $0 + " " }.joined()
      end = words.suffix(2).joined(separator: " ")
    }
  }

  /// The CSS class of a variant's colour.
  static func series(_ index: Int) -> String { "s\(ChartData.color(index))" }
}
