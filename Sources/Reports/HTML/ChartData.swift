import Foundation
import Pipeline

/// What the page's script draws.
struct ChartData: Encodable {
  let variants: [Variant]
  let layers: [String]
  let training: [Training]
  let courses: [Course]
  /// What the shares of rounds are called.
  let measure: String
  /// Where the axes of latency begin, and where the distribution's ends, in milliseconds.
  let start: Double
  let distributionEnd: Double

  /// Said under the chart of every image.
  let drawn: String
  /// Said under the distribution.
  let distributionNote: String

  struct Variant: Encodable {
    let name: String
    let color: Int
    /// Number of the image, milliseconds; alternately.
    let runs: [Double]
    /// Milliseconds, percent of the images that took no longer; alternately.
    let distribution: [Double]
    /// By layer; nil where the variant has none of that name.
    let bytes: [Int?]
    let nonzero: [Double?]
  }

  struct Training: Encodable {
    let name: String
    /// Of the first variant that came out of it; dashed where an earlier stage has it already.
    let color: Int
    let isDashed: Bool
    let loss: [Double]
    let accuracy: [Double]
    /// Of the validation data; nil where there was none.
    let validationLoss: [Double?]
    let validationAccuracy: [Double?]
    let rate: [Double]
  }

  /// A pruning of several rounds.
  struct Course: Encodable {
    let rounds: [String]
    let accuracy: [Double]
    let left: [Left]

    /// Of one count, in percent of what it was at first, round by round.
    struct Left: Encodable {
      let name: String
      let color: Int
      let values: [Double]
    }
  }

  private enum CodingKeys: String, CodingKey {
    case variants, layers, training, courses, measure, start, distributionEnd
  }

  /// More runs than this are thinned out for drawing.
  static let limit = 4000

  init(_ results: ResultsFile) {
    let layers = ReportPage.LayerMatrix.layerNames(results)
    self.layers = layers.map(ReportPage.shown)
    variants = results.variants.enumerated().map { index, variant in
      let found = layers.map { name in variant.layers?.first { $0.name == name } }
      return Variant(
        name: ReportPage.shown(variant.name), color: Self.color(index),
        runs: Self.thinned(variant.timing.samples), distribution: Self.distribution(variant.timing.samples),
        bytes: found.map { $0?.bytes },
        nonzero: found.map { $0.flatMap(Self.left) })
    }
    var taken = Set<Int>()
    training = TrainedStage.all(results).map { stage in
      let owners = stage.variants.count == results.variants.count ? "" : " (\(stage.variants.joined(separator: ", ")))"
      let color = Self.color(results.variants.firstIndex { $0.name == stage.variants[0] } ?? 0)
      return Training(
        name: ReportPage.shown(stage.label + owners), color: color, isDashed: !taken.insert(color).inserted,
        loss: stage.curve.map { Self.rounded($0.loss) },
        accuracy: stage.curve.map { Self.rounded(100 * $0.accuracy) },
        validationLoss: stage.curve.map { $0.validationLoss.map(Self.rounded) },
        validationAccuracy: stage.curve.map { $0.validationAccuracy.map { Self.rounded(100 * $0) } },
        rate: stage.curve.map { Self.rounded($0.learningRate) })
    }
    measure = results.isByAgreement ? ReportPage.sameAnswer : "Accuracy"
    courses = (results.pruning ?? []).filter(ReportPage.CourseSection.isDrawn).map { course in
      Course(
        rounds: course.rounds.map { ReportPage.shown($0.name) },
        accuracy: course.rounds.map { Self.rounded(100 * $0.share) },
        left: CourseMetric.allCases.enumerated().map { index, metric in
          let first = Double(max(metric.total(course.rounds[0]), 1))
          return Course.Left(
            name: metric.title, color: index + 1,
            values: course.rounds.map { Self.rounded(100 * Double(metric.total($0)) / first) })
        })
    }
    let longest = results.variants.map(\.timing.samples.count).max() ?? 0
    drawn =
      longest > Self.limit
      ? "Of more than \(Formatting.count(Self.limit)) runs a variant, the fastest and the slowest of each stretch of "
        + "\(Formatting.count(Self.stretch(longest))) are drawn; results.json has them all."
      : "Every run is drawn."
    start = 0.8 * max(results.variants.map(\.timing.min).min() ?? 1, 1e-6)
    let end = 1.25 * (results.variants.map(\.timing.p99).max() ?? 1)
    distributionEnd = end
    let beyond = results.variants.reduce(0) { $0 + $1.timing.samples.count { $0 > end } }
    distributionNote =
      beyond == 0
      ? ""
      : "The axis ends at \(Formatting.duration(end / 1e3)); \(Formatting.count(beyond)) slower runs lie beyond it."
  }

  /// Percent of a layer's weights that are not zero; nil of a layer without any.
  private static func left(_ layer: ResultsFile.Layer) -> Double? {
    let weights = layer.weights ?? layer.parameters
    return weights == 0 ? nil : rounded(100 * Double(layer.nonzeroWeights ?? layer.nonzero) / Double(weights))
  }

  /// The first variant is neutral, the others take turns with the palette.
  static func color(_ index: Int) -> Int { index == 0 ? 0 : (index - 1) % 7 + 1 }

  private static func stretch(_ count: Int) -> Int { (2 * count + limit - 1) / limit }

  /// All runs, or the fastest and the slowest of each stretch, in the order they were taken.
  static func thinned(_ samples: [Double]) -> [Double] {
    guard samples.count > limit else { return samples.enumerated().flatMap { [Double($0 + 1), rounded($1)] } }
    let stretch = stretch(samples.count)
    return stride(from: 0, to: samples.count, by: stretch).flatMap { start in
      let range = start..<min(start + stretch, samples.count)
      let low = range.min { samples[$0] < samples[$1] }!, high = range.max { samples[$0] < samples[$1] }!
      return Set([low, high]).sorted().flatMap { [Double($0 + 1), rounded(samples[$0])] }
    }
  }

  /// The empirical distribution function, at no more than 400 of its steps.
  static func distribution(_ samples: [Double]) -> [Double] {
    let sorted = samples.sorted(), count = min(sorted.count, 400)
    return (0..<count).flatMap { k in
      let rank = (k + 1) * sorted.count / count
      return [rounded(sorted[rank - 1]), rounded(100 * Double(rank) / Double(sorted.count))]
    }
  }

  /// To five digits: more cannot be seen.
  private static func rounded(_ value: Double) -> Double {
    guard value.isFinite, value != 0 else { return 0 }
    return Double(String(format: "%.5g", value)) ?? 0
  }
}
