import Foundation

/// What the sweep page's script draws: every variant of every point.
struct SweepChartData: Encodable {
  let variants: [String]
  let dots: [Dot]
  /// Indices of `dots`, from the least cost on.
  let fronts: [String: [Int]]
  let columns: [Column]
  /// Percent; what is less accurate is not drawn.
  let lowest: Double?

  /// Said under the charts when something is not drawn.
  let hidden: Int

  struct Dot: Encodable {
    let label: String
    /// The point's report.
    let link: String?
    /// Index of `variants`.
    let variant: Int
    /// Percent.
    let accuracy: Double
    let gzip: Int
    let median: Double
    let macs: Int
    /// Places on `columns`, 0 to 1; nil where the point has no such value.
    let places: [Double?]
  }

  /// An upright axis of the parallel coordinates.
  struct Column: Encodable {
    let name: String
    let low: String
    let high: String
  }

  private enum CodingKeys: String, CodingKey { case variants, dots, fronts, columns, lowest }

  /// Drawing more would take a browser too long.
  static let limit = 4000
  /// Points far below the best would press the others together.
  private static let span = 10.0

  init(_ results: SweepResults) {
    var names: [String] = []
    for point in results.points {
      for variant in point.variants where !names.contains(variant.name) { names.append(variant.name) }
    }
    variants = names.map(ReportPage.shown)
    let all = results.points.flatMap { point in point.variants.map { (point: point, variant: $0) } }.prefix(Self.limit)

    let scales = results.axes.indices.map { axis in Scale(results.points.compactMap { $0.values[axis] }) }
    let accuracies = all.map { 100 * $0.variant.accuracy }, sizes = all.map { Double($0.variant.gzipBytes) }
    let accuracy = Scale.Numbers(accuracies, isLogarithmic: false), size = Scale.Numbers(sizes, isLogarithmic: true)
    dots = all.map { point, variant in
      Dot(
        label: Self.label(point, results.axes), link: point.report, variant: names.firstIndex(of: variant.name)!,
        accuracy: Self.rounded(100 * variant.accuracy), gzip: variant.gzipBytes, median: Self.rounded(variant.median),
        macs: variant.macs,
        places: zip(scales, point.values).map { scale, value in value.flatMap(scale.place) }
          + [size.place(Double(variant.gzipBytes)), accuracy.place(100 * variant.accuracy)])
    }
    columns =
      zip(results.axes, scales).map { Column(name: ReportPage.shown($0), low: $1.low, high: $1.high) }
      + [
        Column(name: "size, gzip", low: Formatting.bytes(size.low), high: Formatting.bytes(size.high)),
        Column(
          name: results.measure, low: Formatting.percent(accuracy.low / 100),
          high: Formatting.percent(accuracy.high / 100)),
      ]
    func front(_ cost: (SweepResults.Variant) -> Double) -> [Int] {
      ParetoFront.indices(all.map { ($0.variant.accuracy, cost($0.variant)) }).reversed()
    }
    fronts = [
      "gzip": front { Double($0.gzipBytes) }, "median": front(\.median), "macs": front { Double($0.macs) },
    ]
    let best = accuracies.max() ?? 0
    let far = accuracies.count { $0 < best - Self.span }
    hidden = far > 0 && 2 * far < accuracies.count ? far : 0
    lowest = hidden > 0 ? (best - Self.span).rounded(.down) : nil
  }

  static func label(_ point: SweepResults.Point, _ axes: [String]) -> String {
    let values = zip(axes, point.values).compactMap { name, value in value.map { "\(name)=\($0.text)" } }
    return ReportPage.shown("point \(point.number): " + (values + ["seed=\(point.seed)"]).joined(separator: " "))
  }

  private static func rounded(_ value: Double) -> Double {
    guard value.isFinite, value != 0 else { return 0 }
    return Double(String(format: "%.6g", value)) ?? 0
  }

  /// Where a param's values lie on its axis.
  private struct Scale {
    struct Numbers {
      let low: Double
      let high: Double
      let isLogarithmic: Bool

      init(_ values: [Double], isLogarithmic: Bool) {
        low = values.min() ?? 0
        high = values.max() ?? 1
        self.isLogarithmic = isLogarithmic && low > 0
      }

      func place(_ value: Double) -> Double {
        guard high > low else { return 0.5 }
        let share = isLogarithmic ? (log(value) - log(low)) / (log(high) - log(low)) : (value - low) / (high - low)
        return SweepChartData.rounded(share)
      }
    }

    let low: String
    let high: String
    private let numbers: Numbers?
    /// Texts in the order they come.
    private let texts: [String]

    init(_ values: [ParamValue]) {
      let found = values.compactMap { value in if case .number(let number) = value { number } else { nil as Double? } }
      if found.count == values.count, let least = found.min(), let most = found.max() {
        numbers = Numbers(found, isLogarithmic: least > 0 && most / least > 50)
        texts = []
        low = ParamValue.number(least).text
        high = ParamValue.number(most).text
      } else {
        var texts: [String] = []
        for value in values where !texts.contains(value.text) { texts.append(value.text) }
        numbers = nil
        self.texts = texts
        low = ReportPage.shown(texts.first ?? "")
        high = ReportPage.shown(texts.last ?? "")
      }
    }

    func place(_ value: ParamValue) -> Double? {
      if let numbers, case .number(let number) = value { return numbers.place(number) }
      guard let index = texts.firstIndex(of: value.text) else { return nil }
      return texts.count == 1 ? 0.5 : SweepChartData.rounded(Double(index) / Double(texts.count - 1))
    }
  }
}
