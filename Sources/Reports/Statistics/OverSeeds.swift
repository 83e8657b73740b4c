/// What the models of one setting come to over the seeds they were made with: their mean says more of the setting than
/// the luckiest of them.
public struct OverSeeds: Sendable {
  /// One for each of the sweep's axes.
  public let values: [ParamValue?]
  public let variant: String
  /// With how many seeds there is a model.
  public let seeds: Int
  /// 0…1, the mean.
  public let accuracy: Double
  /// The sample standard deviation of the accuracy; nil with one seed.
  public let deviation: Double?
  /// The accuracies from the least to the greatest.
  public let range: ClosedRange<Double>
  /// Means.
  public let gzipBytes, macs, nonzero: Double
  /// Milliseconds, the median of the medians.
  public let median: Double

  private init(_ values: [ParamValue?], _ variants: [SweepResults.Variant]) {
    self.values = values
    variant = variants[0].name
    seeds = variants.count
    func mean(_ value: (SweepResults.Variant) -> Double) -> Double {
      variants.reduce(0) { $0 + value($1) } / Double(variants.count)
    }
    let average = mean(\.accuracy)
    accuracy = average
    let squares = variants.reduce(0) { $0 + ($1.accuracy - average) * ($1.accuracy - average) }
    deviation = variants.count > 1 ? (squares / Double(variants.count - 1)).squareRoot() : nil
    let accuracies = variants.map(\.accuracy)
    range = accuracies.min()!...accuracies.max()!
    gzipBytes = mean { Double($0.gzipBytes) }
    macs = mean { Double($0.macs) }
    nonzero = mean { Double($0.nonzero) }
    let medians = variants.map(\.median).sorted(), half = medians.count / 2
    median = medians.count % 2 == 1 ? medians[half] : (medians[half - 1] + medians[half]) / 2
  }

  private struct Setting: Hashable {
    let values: [ParamValue?]
    let variant: String
  }

  /// In the order of the points; none when no setting has a second seed, or when one was run twice with the same seed,
  /// as a search does with growing budgets.
  public static func all(_ results: SweepResults) -> [OverSeeds] {
    var settings: [Setting] = [], models: [Setting: [UInt64: SweepResults.Variant]] = [:]
    for point in results.points {
      for variant in point.variants {
        let setting = Setting(values: point.values, variant: variant.name)
        if models[setting] == nil { settings.append(setting) }
        guard models[setting, default: [:]].updateValue(variant, forKey: point.seed) == nil else { return [] }
      }
    }
    guard models.values.contains(where: { $0.count > 1 }) else { return [] }
    return settings.map { setting in
      OverSeeds(setting.values, models[setting]!.sorted { $0.key < $1.key }.map(\.value))
    }
  }

  /// `97.35 ± 0.12 %`.
  public var accuracyText: String {
    guard let deviation else { return Formatting.percent(accuracy) }
    return Formatting.percent(accuracy).dropLast(2) + " ± " + Formatting.percent(deviation)
  }
}
