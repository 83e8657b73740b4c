import Analysis
import Diagnostics
import Pipeline

extension ResultsFile {
  /// One entry of `variants`. What is optional is missing in files of older versions.
  public struct Variant: Codable, Sendable {
    public struct Bytes: Codable, Sendable {
      public var native: Int
      public var gzip: Int
      public var packed: Int?
    }

    /// 95 % confidence intervals; docs/results.md says how each is found.
    public struct Intervals: Codable, Sendable, Equatable {
      /// Nil without labels, and the other nil with them.
      public var accuracy: Interval?
      public var agreement: Interval?
      /// Nil of one turn, or of too few runs.
      public var p50: Interval?

      private enum CodingKeys: String, CodingKey { case accuracy, agreement, p50 = "p50_ms" }
    }

    /// Differences against the first variant, with their 95 % intervals.
    public struct Difference: Codable, Sendable, Equatable {
      /// Samples right here and wrong there, and the reverse; these and the next nil without labels.
      public var gained: Int?
      public var lost: Int?
      public var accuracy: Double?
      public var accuracyInterval: Interval?
      /// The last two; nil without labels.
      var inAccuracy: (change: Double, interval: Interval)? {
        guard let accuracy, let accuracyInterval else { return nil }
        return (accuracy, accuracyInterval)
      }
      /// How many times faster, above 1, or slower, below 1.
      public var fasterMean: Double
      public var fasterMedian: Double
      /// Nil where either has too few runs.
      public var fasterMedianInterval: Interval?

      private enum CodingKeys: String, CodingKey {
        case gained, lost, accuracy, accuracyInterval = "accuracy_95", fasterMean = "faster_mean"
        case fasterMedian = "faster_p50", fasterMedianInterval = "faster_p50_95"
      }
    }

    /// How far outputs are the first variant's, where the data has no labels.
    public struct Agreement: Codable, Sendable, Equatable {
      public struct Output: Codable, Sendable, Equatable {
        public var name: String
        public var cosine: Double
        /// Signal to noise in decibels; nil where nothing differs.
        public var sqnr: Double?
        public var max: Double
        /// The share of samples with the greatest element at the same place.
        public var same: Double
      }

      /// The share of samples with the greatest element of the first output at the same place; in files of before
      /// version 4 it stands as the variant's accuracy.
      public var same: Double?
      public var outputs: [Output]
      /// The least of any output.
      public var cosine: Double { outputs.map(\.cosine).min() ?? 1 }
    }

    public var name: String
    /// Without labels the share of samples that are answered as the first variant does, which files have as
    /// `agreement.same`.
    public var accuracy: Double
    public var agreement: Agreement?
    /// Class by class; nil without labels, and in files of older versions.
    public var classes: ClassResults?
    /// Those it is surest of, the surest first; nil likewise.
    public var mistakes: [Mistake]?
    /// Samples that it answers NaN to; they count as wrong.
    public var undefined: Int?
    public var flips: Int
    public var parameters: Int
    public var nonzero: Int
    /// Values of weights alone, and those that are not zero.
    public var weights: Int?
    public var nonzeroWeights: Int?
    /// How many classes it tells apart.
    public var outputs: Int?
    public var macs: Int
    public var bytes: Bytes
    /// Flat among the other keys, see `Timing`.
    public var timing: Timing
    public var stages: [Step]
    public var layers: [Layer]?
    public var intervals: Intervals?
    /// Of every variant but the first.
    public var versusFirst: Difference?

    private enum CodingKeys: String, CodingKey {
      case name, accuracy, agreement, classes, mistakes, undefined, flips, parameters, nonzero, weights,
        nonzeroWeights = "nonzero_weights", outputs
      case macs, bytes, stages, layers, intervals = "intervals_95"
      case versusFirst = "versus_first"
    }
  }

}

extension ResultsFile.Variant {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let agreement = try container.decodeIfPresent(Agreement.self, forKey: .agreement)
    self.init(
      name: try container.decode(String.self, forKey: .name),
      accuracy: try agreement?.same ?? container.decode(Double.self, forKey: .accuracy), agreement: agreement,
      classes: try container.decodeIfPresent(ClassResults.self, forKey: .classes),
      mistakes: try container.decodeIfPresent([Mistake].self, forKey: .mistakes),
      undefined: try container.decodeIfPresent(Int.self, forKey: .undefined),
      flips: try container.decode(Int.self, forKey: .flips),
      parameters: try container.decode(Int.self, forKey: .parameters),
      nonzero: try container.decode(Int.self, forKey: .nonzero),
      weights: try container.decodeIfPresent(Int.self, forKey: .weights),
      nonzeroWeights: try container.decodeIfPresent(Int.self, forKey: .nonzeroWeights),
      outputs: try container.decodeIfPresent(Int.self, forKey: .outputs),
      macs: try container.decode(Int.self, forKey: .macs), bytes: try container.decode(Bytes.self, forKey: .bytes),
      timing: try Timing(from: decoder), stages: try container.decode([ResultsFile.Step].self, forKey: .stages),
      layers: try container.decodeIfPresent([ResultsFile.Layer].self, forKey: .layers),
      intervals: try container.decodeIfPresent(Intervals.self, forKey: .intervals),
      versusFirst: try container.decodeIfPresent(Difference.self, forKey: .versusFirst))
  }

  public func encode(to encoder: any Encoder) throws {
    try timing.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    if agreement == nil { try container.encode(accuracy, forKey: .accuracy) }
    try container.encodeIfPresent(agreement, forKey: .agreement)
    try container.encodeIfPresent(classes, forKey: .classes)
    try container.encodeIfPresent(mistakes, forKey: .mistakes)
    try container.encodeIfPresent(undefined, forKey: .undefined)
    try container.encode(flips, forKey: .flips)
    try container.encode(parameters, forKey: .parameters)
    try container.encode(nonzero, forKey: .nonzero)
    try container.encodeIfPresent(weights, forKey: .weights)
    try container.encodeIfPresent(nonzeroWeights, forKey: .nonzeroWeights)
    try container.encodeIfPresent(outputs, forKey: .outputs)
    try container.encode(macs, forKey: .macs)
    try container.encode(bytes, forKey: .bytes)
    try container.encode(stages, forKey: .stages)
    try container.encodeIfPresent(layers, forKey: .layers)
    try container.encodeIfPresent(intervals, forKey: .intervals)
    try container.encodeIfPresent(versusFirst, forKey: .versusFirst)
  }

  /// What pruning can make zero, and what it left: of weights alone, or of all parameters in files of older versions.
  var prunable: Int { weights ?? parameters }
  var left: Int { nonzeroWeights ?? nonzero }

  /// - Parameter first: nil for the first variant itself.
  init(_ variant: VariantResult, evaluated: Int, first: VariantResult?) {
    let weights = variant.layers.compactMap(\.weights), isByAgreement = variant.agreement != nil
    let share = Interval.wilson(Int(saturating: (variant.accuracy * Double(evaluated)).rounded()), of: evaluated)
    self.init(
      name: variant.name, accuracy: variant.accuracy, agreement: variant.agreement.map(Agreement.init),
      classes: variant.classes, mistakes: variant.classes == nil ? nil : variant.mistakes, undefined: variant.undefined,
      flips: variant.flips,
      parameters: variant.parameters, nonzero: variant.nonzero,
      weights: weights.isEmpty ? nil : weights.reduce(0, +),
      nonzeroWeights: weights.isEmpty ? nil : variant.nonzeroWeights,
      outputs: variant.outputs, macs: variant.macs,
      bytes: Bytes(native: variant.nativeBytes, gzip: variant.gzipBytes, packed: variant.packedBytes),
      timing: variant.timing, stages: variant.history.map(ResultsFile.Step.init),
      layers: variant.layers.map(ResultsFile.Layer.init),
      intervals: Intervals(
        accuracy: isByAgreement ? nil : share, agreement: isByAgreement ? share : nil,
        p50: .median(variant.timing)),
      versusFirst: first.map { Difference(variant, evaluated: evaluated, first: $0) })
  }
}

extension ResultsFile.Variant.Agreement {
  init(_ agreement: Agreement) {
    same = agreement.share
    outputs = agreement.outputs.map {
      Output(
        name: $0.name, cosine: $0.error.cosine, sqnr: $0.error.decibels, max: $0.error.maximum,
        same: Double($0.same) / Double(max(agreement.count, 1)))
    }
  }
}

extension ResultsFile.Variant.Difference {
  init(_ variant: VariantResult, evaluated: Int, first: VariantResult) {
    let timing = variant.timing, other = first.timing, hasLabels = variant.agreement == nil
    self.init(
      gained: hasLabels ? variant.gained : nil, lost: hasLabels ? variant.lost : nil,
      accuracy: hasLabels ? variant.accuracy - first.accuracy : nil,
      accuracyInterval: hasLabels
        ? .pairedDifference(gained: variant.gained, lost: variant.lost, of: evaluated) : nil,
      fasterMean: other.mean / max(timing.mean, 1e-9), fasterMedian: PairedTurns(other, timing).ratio,
      fasterMedianInterval: PairedTurns(other, timing).interval)
  }
}
