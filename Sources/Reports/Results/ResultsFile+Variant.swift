import Diagnostics
import Pipeline

extension ResultsFile {
  /// One entry of `variants`. What is optional is missing in files of older versions.
  public struct Variant: Codable, Sendable {
    public struct Bytes: Codable, Sendable {
      public var native: Int
      public var gzip: Int
    }

    /// 95 % confidence intervals; docs/results.md says how each is found.
    public struct Intervals: Codable, Sendable, Equatable {
      public var accuracy: Interval
      /// Nil of fewer than `Interval.fewestForMedian` runs.
      public var p50: Interval?

      private enum CodingKeys: String, CodingKey { case accuracy, p50 = "p50_ms" }
    }

    /// Differences against the first variant, with their 95 % intervals.
    public struct Difference: Codable, Sendable, Equatable {
      /// Samples right here and wrong there, and the reverse.
      public var gained: Int
      public var lost: Int
      public var accuracy: Double
      public var accuracyInterval: Interval
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

    public var name: String
    public var accuracy: Double
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
    public var latency: VariantResult.Latency
    public var peakMemoryBytes: Int
    public var stages: [VariantResult.Step]
    public var layers: [VariantResult.Layer]?
    public var intervals: Intervals?
    /// Of every variant but the first.
    public var versusFirst: Difference?

    private enum CodingKeys: String, CodingKey {
      case name, accuracy, undefined, flips, parameters, nonzero, weights, nonzeroWeights = "nonzero_weights", outputs
      case macs, bytes, latency = "latency_ms"
      case peakMemoryBytes = "peak_memory_bytes", stages, layers, intervals = "intervals_95"
      case versusFirst = "versus_first"
    }
  }

  /// A variant with what its comparisons need of its latencies.
  struct Series {
    let variant: VariantResult
    let sorted: [Double]

    init(_ variant: VariantResult) {
      self.variant = variant
      sorted = variant.latency.samples.sorted()
    }
  }
}

extension ResultsFile.Variant {
  /// What pruning can make zero, and what it left: of weights alone, or of all parameters in files of older versions.
  var prunable: Int { weights ?? parameters }
  var left: Int { nonzeroWeights ?? nonzero }

  /// - Parameter first: nil for the first variant itself.
  init(_ variant: VariantResult, evaluated: Int, first: ResultsFile.Series?) {
    let series = ResultsFile.Series(variant)
    let weights = variant.layers.compactMap(\.weights)
    self.init(
      name: variant.name, accuracy: variant.accuracy, undefined: variant.undefined, flips: variant.flips,
      parameters: variant.parameters, nonzero: variant.nonzero,
      weights: weights.isEmpty ? nil : weights.reduce(0, +),
      nonzeroWeights: weights.isEmpty ? nil : variant.nonzeroWeights,
      outputs: variant.outputs, macs: variant.macs, bytes: Bytes(native: variant.nativeBytes, gzip: variant.gzipBytes),
      latency: variant.latency, peakMemoryBytes: variant.peakMemoryBytes, stages: variant.history,
      layers: variant.layers,
      intervals: Intervals(
        accuracy: .wilson(Int(saturating: (variant.accuracy * Double(evaluated)).rounded()), of: evaluated),
        p50: .median(ofSorted: series.sorted)),
      versusFirst: first.map { Difference(series, evaluated: evaluated, first: $0) })
  }
}

extension ResultsFile.Variant.Difference {
  init(_ series: ResultsFile.Series, evaluated: Int, first: ResultsFile.Series) {
    let variant = series.variant, latency = variant.latency, other = first.variant.latency
    self.init(
      gained: variant.gained, lost: variant.lost, accuracy: variant.accuracy - first.variant.accuracy,
      accuracyInterval: .pairedDifference(gained: variant.gained, lost: variant.lost, of: evaluated),
      fasterMean: other.mean / max(latency.mean, 1e-9), fasterMedian: other.p50 / max(latency.p50, 1e-9),
      fasterMedianInterval: .medianRatio(ofSorted: first.sorted, over: series.sorted))
  }
}
