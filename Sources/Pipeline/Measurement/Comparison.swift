import Datasets
import Diagnostics

/// What a script wants compared: variants of a model on one data set, the first being the measure of
/// the others.
public struct Comparison {
  public struct Variant {
    public let name: String
    public let stage: Stage

    public init(name: String, stage: Stage) {
      self.name = name
      self.stage = stage
    }
  }

  public var variants: [Variant]
  /// All of it is evaluated for accuracy and flips.
  public var data: any Dataset
  /// How many images are timed one by one, batch 1.
  public var images: Int
  public var order: Order
  /// Runs before the first sample.
  public var warmUp: Int
  /// Seconds of rest before each variant, so that none inherits another's heat.
  public var cooldown: Double

  /// Which images are timed.
  public enum Order: String, Sendable, CaseIterable {
    case first, random
  }

  /// - Throws: `CompressError` when there are no variants, names clash, a model does not fit the data, or a
  ///   number is out of range.
  public init(
    variants: [Variant], data: any Dataset, images: Int = 1000, order: Order = .first, warmUp: Int = 50,
    cooldown: Double = 0
  ) throws {
    guard !variants.isEmpty else { throw CompressError("nothing to compare") }
    var names = Set<String>()
    for variant in variants {
      guard !variant.name.isEmpty, variant.name.utf8.count <= 100 else {
        throw CompressError("a variant's name has 1 to 100 bytes")
      }
      guard names.insert(variant.name).inserted else { throw CompressError("two variants are called \"\(variant.name)\"") }
      try Evaluation.check(variant.stage.graph, fits: data)
    }
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to compare on") }
    guard (1...1_000_000).contains(images) else { throw CompressError("\(images) images cannot be timed") }
    guard (0...1_000_000).contains(warmUp) else { throw CompressError("\(warmUp) warm-up runs") }
    guard (0...3600).contains(cooldown) else { throw CompressError("a cool-down of \(cooldown) s is not within an hour") }
    self.variants = variants
    self.data = data
    self.images = min(images, data.count)
    self.order = order
    self.warmUp = warmUp
    self.cooldown = cooldown
  }
}

/// What was found out about one variant.
public struct VariantResult: Sendable {
  public var name: String
  /// Share of the data set predicted right, 0…1.
  public var accuracy: Double
  /// Predictions that differ from the first variant's.
  public var flips: Int
  /// Of all layers, biases and statistics included, batch norms as they run: folded.
  public var parameters: Int
  public var nonzero: Int
  public var macs: Int
  /// The native file, and the same after `gzip -9`.
  public var nativeBytes: Int
  public var gzipBytes: Int
  public var latency: Latency
  public var peakMemoryBytes: Int
  /// What each stage of its making recorded, in order.
  public var history: [Step]

  public struct Step: Sendable, Codable {
    public var stage: String
    public var label: String
    public var key: String
    public var record: StageRecord
  }

  /// Milliseconds for one image.
  public struct Latency: Sendable, Codable, Equatable {
    public var mean, min, p50, p90, p99, max: Double
    /// Every one, in the order they were taken.
    public var samples: [Double]
  }
}

/// The outcome of a comparison.
public struct ComparisonOutcome: Sendable {
  public var data: String
  /// How many samples accuracy and flips are over.
  public var evaluated: Int
  public var images: Int
  public var order: Comparison.Order
  public var warmUp: Int
  public var cooldown: Double
  public var threads: Int
  public var variants: [VariantResult]
}
