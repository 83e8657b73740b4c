import Pipeline

extension ReportPage {
  /// One row of the comparison.
  struct VariantRow {
    let name: String
    let series: String
    /// The class of cells that say nothing about the first variant.
    let blank: String
    let accuracy, accuracyRange: String
    let difference, differenceRange, differenceTone: String
    let flips, flipCount: String
    let gzip, native, smaller: String
    let nonzero, nonzeroShare: String
    let macs, macsShare: String
    let mean, meanRange: String
    let median, medianRange: String
    let tail, slowest: String
    let fasterMean, fasterMeanRange, fasterMeanTone: String
    let fasterMedian, fasterMedianRange, fasterMedianTone: String
    let memory: String

    init(_ results: ResultsFile, _ index: Int) {
      let variant = results.variants[index], first = results.variants[0]
      let latency = variant.latency
      name = shown(variant.name)
      series = ReportPage.series(index)
      accuracy = Formatting.percent(variant.accuracy)
      accuracyRange = variant.intervals.map { Formatting.percents($0.accuracy) } ?? ""
      gzip = Formatting.bytes(variant.bytes.gzip)
      native = Formatting.bytes(variant.bytes.native)
      nonzero = Formatting.count(variant.nonzero)
      nonzeroShare = Formatting.percent(Double(variant.nonzero) / Double(max(variant.parameters, 1)), digits: 1)
      macs = Formatting.scaled(variant.macs)
      macsShare = Formatting.factor(Double(variant.macs) / Double(max(first.macs, 1)))
      mean = Formatting.duration(latency.mean / 1e3)
      meanRange = variant.intervals.map { Formatting.milliseconds($0.mean) } ?? ""
      median = Formatting.duration(latency.p50 / 1e3)
      medianRange = variant.intervals.map { Formatting.milliseconds($0.p50) } ?? ""
      tail = Formatting.duration(latency.p99 / 1e3)
      slowest = Formatting.duration(latency.max / 1e3)
      memory = Formatting.bytes(variant.peakMemoryBytes)

      let isFirst = index == 0
      blank = isFirst ? "blank" : ""
      let ratio = Double(first.bytes.gzip) / Double(max(variant.bytes.gzip, 1))
      smaller = isFirst ? "" : Formatting.factor(ratio, digits: 1) + " smaller"
      flips = isFirst ? "" : Formatting.percent(Double(variant.flips) / Double(max(results.comparison.evaluated, 1)))
      flipCount = isFirst ? "" : Formatting.count(variant.flips)
      let versus = variant.versusFirst
      difference = versus.map { Formatting.points($0.accuracy) } ?? ""
      differenceRange = versus.map { Formatting.points($0.accuracyInterval) } ?? ""
      differenceTone = versus.map { Self.tone($0.accuracyInterval, around: 0) } ?? ""
      fasterMean = versus.map { Formatting.factor($0.fasterMean) } ?? ""
      fasterMeanRange = versus.map { Formatting.factors($0.fasterMeanInterval) } ?? ""
      fasterMeanTone = versus.map { Self.tone($0.fasterMeanInterval, around: 1) } ?? ""
      fasterMedian = versus.map { Formatting.factor($0.fasterMedian) } ?? ""
      fasterMedianRange = versus.map { Formatting.factors($0.fasterMedianInterval) } ?? ""
      fasterMedianTone = versus.map { Self.tone($0.fasterMedianInterval, around: 1) } ?? ""
    }

    /// Marked only where the interval rules out that nothing changed.
    private static func tone(_ interval: Interval, around none: Double) -> String {
      interval.low > none ? "good" : interval.high < none ? "bad" : "same"
    }
  }

  /// The CSS class of a variant's colour.
  static func series(_ index: Int) -> String { "s\(ChartData.color(index))" }
}
