import Analysis
import Pipeline
import Training

/// How a variant was made, as results.json says it. These keys are published; the engine's own records, which the store
/// keeps in a form of its own, may change without them.
extension ResultsFile {
  /// A stage of a variant's making.
  public struct Step: Codable, Sendable {
    public var stage: String
    public var label: String
    public var key: String
    public var record: Record

    private enum CodingKeys: String, CodingKey { case stage, label, key, record }
  }

  /// What a stage recorded.
  public struct Record: Codable, Sendable {
    /// One entry per epoch of training, if there was any.
    public var curve: [Epoch]
    public var epochSeconds: [Double]?
    public var facts: [String: Double]
    public var sensitivity: Sensitivity?
    public var contracts: [Promised]?
    public var notes: [String]
    public var warnings: [String]?
    public var seconds: Double

    private enum CodingKeys: String, CodingKey {
      case curve, epochSeconds, facts, sensitivity, contracts, notes, warnings, seconds
    }
  }

  public struct Epoch: Codable, Sendable {
    public var loss: Double
    public var accuracy: Double
    public var learningRate: Double
    public var images: Int
    public var validationLoss: Double?
    public var validationAccuracy: Double?

    private enum CodingKeys: String, CodingKey {
      case loss, accuracy, learningRate, images, validationLoss, validationAccuracy
    }
  }

  /// What later stages keep.
  public struct Promised: Codable, Sendable {
    public var layer: String
    public var stage: String
    public var promise: Promise

    private enum CodingKeys: String, CodingKey { case layer, stage, promise }
  }

  public enum Promise: Codable, Sendable {
    case zeros(count: Int)
    case pattern(keep: Int, of: Int)
    case blocks(rows: Int, columns: Int)
    case filters(most: Int)
    case clusters(most: Int)

    private enum CodingKeys: String, CodingKey { case zeros, pattern, blocks, filters, clusters }
    private enum ZerosCodingKeys: String, CodingKey { case count }
    private enum PatternCodingKeys: String, CodingKey { case keep, of }
    private enum BlocksCodingKeys: String, CodingKey { case rows, columns }
    private enum FiltersCodingKeys: String, CodingKey { case most }
    private enum ClustersCodingKeys: String, CodingKey { case most }
  }
}

extension ResultsFile.Step {
  init(_ step: VariantResult.Step) {
    self.init(stage: step.stage, label: step.label, key: step.key, record: ResultsFile.Record(step.record))
  }
}

extension ResultsFile.Record {
  init(_ record: StageRecord) {
    self.init(
      curve: record.curve.map(ResultsFile.Epoch.init), epochSeconds: record.epochSeconds, facts: record.facts,
      sensitivity: record.sensitivity.map(ResultsFile.Sensitivity.init),
      contracts: record.contracts.map {
        $0.map {
          ResultsFile.Promised(layer: $0.layer, stage: $0.stage, promise: ResultsFile.Promise($0.promise))
        }
      }, notes: record.notes, warnings: record.warnings, seconds: record.seconds)
  }
}

extension ResultsFile.Epoch {
  init(_ epoch: TrainingCurve.Epoch) {
    self.init(
      loss: epoch.loss, accuracy: epoch.accuracy, learningRate: epoch.learningRate, images: epoch.images,
      validationLoss: epoch.validationLoss, validationAccuracy: epoch.validationAccuracy)
  }
}

extension ResultsFile.Promise: CustomStringConvertible {
  init(_ promise: Contract.Promise) {
    switch promise {
    case .zeros(let count): self = .zeros(count: count)
    case .pattern(let keep, let of): self = .pattern(keep: keep, of: of)
    case .blocks(let rows, let columns): self = .blocks(rows: rows, columns: columns)
    case .filters(let most): self = .filters(most: most)
    case .clusters(let most): self = .clusters(most: most)
    }
  }

  private var contract: Contract.Promise {
    switch self {
    case .zeros(let count): .zeros(count: count)
    case .pattern(let keep, let of): .pattern(keep: keep, of: of)
    case .blocks(let rows, let columns): .blocks(rows: rows, columns: columns)
    case .filters(let most): .filters(most: most)
    case .clusters(let most): .clusters(most: most)
    }
  }

  public var description: String { contract.description }
}
