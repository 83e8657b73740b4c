import Analysis
import Datasets
import Diagnostics
import Network
import Runtime

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
  /// All of it is evaluated for accuracy and flips. Where it has no labels, the first variant's outputs are the measure
  /// of the others'.
  public var data: any Dataset
  /// How many images are timed one by one, batch 1.
  public var images: Int
  public var order: Order
  /// Runs before the first sample.
  public var warmUp: Int
  /// Seconds of rest before each variant, so that none inherits another's heat; shared out over its turns.
  public var cooldown: Double
  /// In how many processes, one after the other, each variant is timed; the images are shared out over them.
  public var turns: Int
  /// Scans of sensitivity that the script made on its way, to be told along with the comparison.
  public var scans: [Stage] = []

  public static let standardTurns = 3, mostTurns = 30

  /// Which images are timed.
  public enum Order: String, Sendable, CaseIterable {
    case first, random
  }

  /// - Throws: `CompressError` when there are no variants, names clash, a model does not fit the data, or a
  ///   number is out of range.
  public init(
    variants: [Variant], data: any Dataset, images: Int = 1000, order: Order = .first, warmUp: Int = 50,
    cooldown: Double = 0, turns: Int = standardTurns
  ) throws {
    guard !variants.isEmpty else { throw CompressError("nothing to compare") }
    var names = Set<String>()
    for variant in variants {
      guard !variant.name.isEmpty, variant.name.utf8.count <= 100 else {
        throw CompressError("a variant's name has 1 to 100 bytes")
      }
      guard names.insert(variant.name).inserted else {
        throw CompressError("two variants are called \"\(variant.name)\"")
      }
      let graph = variant.stage.graph, first = variants[0].stage.graph
      guard !data.hasLabels else {
        try Evaluation.check(graph, fits: data)
        continue
      }
      try Evaluation.checkShape(graph, fits: data)
      guard graph.outputShapes == first.outputShapes else {
        throw CompressError(
          "\"\(data.name)\" has no labels, and the outputs of \"\(variant.name)\" have other shapes than those of "
            + "\"\(variants[0].name)\": nothing to compare")
      }
    }
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to compare on") }
    guard (1...1_000_000).contains(images) else { throw CompressError("\(images) images cannot be timed") }
    guard (0...1_000_000).contains(warmUp) else { throw CompressError("\(warmUp) warm-up runs") }
    guard (0...3600).contains(cooldown) else {
      throw CompressError("a cool-down of \(cooldown) s is not within an hour")
    }
    guard (1...Self.mostTurns).contains(turns) else {
      throw CompressError("\(turns) turns are not within 1 and \(Self.mostTurns)")
    }
    self.turns = turns
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
  /// Share of the data set predicted right, 0…1; without labels, predicted as the first variant does.
  public var accuracy: Double
  /// How far its outputs are the first variant's; nil where there are labels.
  public var agreement: Agreement?
  /// Class by class, and the mistakes that it is surest of; nil and none where there are no labels.
  public var classes: ClassResults?
  public var mistakes: [Mistake] = []
  /// Samples that it answers NaN to; they count as wrong.
  public var undefined: Int
  /// Predictions that differ from the first variant's.
  public var flips: Int
  /// Samples this variant gets right and the first wrong, and the reverse.
  public var gained: Int
  public var lost: Int
  /// Of all layers, biases and statistics included, batch norms as they run: folded.
  public var parameters: Int
  public var nonzero: Int
  public var macs: Int
  /// The native file, and the same after `gzip -9`.
  public var nativeBytes: Int
  public var gzipBytes: Int
  /// As a packed file; nil where it was not packed.
  public var packedBytes: Int?
  public var timing: Timing
  /// What each stage of its making recorded, in order.
  public var history: [Step]
  /// The model as it is stored and as the runtime runs it, in the graph's order.
  public var layers: [Layer]
  /// How many classes it tells apart; nil where nobody said.
  public var outputs: Int?
  /// Names of the files it was written to, where models are kept.
  public var files: [String]

  /// Of the layers' weights alone: biases and statistics are never pruned.
  public var nonzeroWeights: Int { layers.reduce(0) { $0 + ($1.nonzeroWeights ?? $1.nonzero) } }

  public struct Step: Sendable {
    public var stage: String
    public var label: String
    public var key: String
    public var record: StageRecord

    public init(stage: String, label: String, key: String, record: StageRecord) {
      self.stage = stage
      self.label = label
      self.key = key
      self.record = record
    }
  }

  /// One layer of the stored model.
  public struct Layer: Sendable, Equatable {
    public var name: String
    public var kind: String
    /// Of convolutions and dense layers: output channels.
    public var filters: Int?
    public var parameters: Int
    public var nonzero: Int
    /// Values of the weight alone, and those that are not zero; nil in files of older versions.
    public var weights: Int?
    public var nonzeroWeights: Int?
    public var macs: Int
    /// Of the weight: `float32`, `int8` …; nil without one.
    public var encoding: String?
    public var bits: Int?
    /// The form in which the weight's zeros come; nil where none is known.
    public var structure: SparsityStructure?
    /// Its parameters as stored.
    public var bytes: Int
    /// In which numbers the runtime computes it; nil when it has no step of its own (fused or folded away).
    public var arithmetic: String?
    /// The function that runs it, and of a layer with weights why it was chosen; nil as the arithmetic is, and in files
    /// of older versions.
    public var kernel: String?
    public var kernelReason: String?
    /// Of a layer that leaves zeros out, its time and that of the same with every weight multiplied.
    public var zerosSaved: ZerosSaved?

    public init(
      name: String, kind: String, filters: Int? = nil, parameters: Int, nonzero: Int, weights: Int? = nil,
      nonzeroWeights: Int? = nil, macs: Int, encoding: String?, bits: Int?, structure: SparsityStructure? = nil,
      bytes: Int, arithmetic: String?, kernel: String? = nil, kernelReason: String? = nil
    ) {
      self.name = name
      self.kind = kind
      self.filters = filters
      self.parameters = parameters
      self.nonzero = nonzero
      self.weights = weights
      self.nonzeroWeights = nonzeroWeights
      self.macs = macs
      self.encoding = encoding
      self.bits = bits
      self.structure = structure
      self.bytes = bytes
      self.arithmetic = arithmetic
      self.kernel = kernel
      self.kernelReason = kernelReason
    }
  }

  public init(
    name: String, accuracy: Double, agreement: Agreement? = nil, undefined: Int = 0, flips: Int, gained: Int, lost: Int,
    parameters: Int,
    nonzero: Int, macs: Int, nativeBytes: Int, gzipBytes: Int, timing: Timing,
    history: [Step], layers: [Layer], outputs: Int? = nil, files: [String] = []
  ) {
    self.name = name
    self.accuracy = accuracy
    self.agreement = agreement
    self.undefined = undefined
    self.flips = flips
    self.gained = gained
    self.lost = lost
    self.parameters = parameters
    self.nonzero = nonzero
    self.macs = macs
    self.nativeBytes = nativeBytes
    self.gzipBytes = gzipBytes
    self.timing = timing
    self.history = history
    self.layers = layers
    self.outputs = outputs
    self.files = files
  }
}

/// The outcome of a comparison.
public struct ComparisonOutcome: Sendable {
  public var data: String
  /// How many samples accuracy and flips are over.
  public var evaluated: Int
  /// How many classes the data has; nil where nobody said.
  public var classes: Int?
  public var images: Int
  public var order: Comparison.Order
  public var warmUp: Int
  public var cooldown: Double
  /// As many as were asked for; `Timing` says how many each variant had.
  public var turns: Int
  public var threads: Int
  /// The machine that the variants were timed on, where that is not this one.
  public var device: DeviceRecord?
  public var variants: [VariantResult]
  /// How variants were pruned, step by step.
  public var courses: [PruningCourse]
  public var scans: [SensitivityScan]

  public init(
    data: String, evaluated: Int, classes: Int? = nil, images: Int, order: Comparison.Order, warmUp: Int,
    cooldown: Double, turns: Int = Comparison.standardTurns, threads: Int, variants: [VariantResult],
    courses: [PruningCourse] = [],
    scans: [SensitivityScan] = []
  ) {
    self.data = data
    self.evaluated = evaluated
    self.classes = classes
    self.images = images
    self.order = order
    self.warmUp = warmUp
    self.cooldown = cooldown
    self.turns = turns
    self.threads = threads
    self.variants = variants
    self.courses = courses
    self.scans = scans
  }
}
