import Analysis
import Datasets
import Diagnostics
import Network
import Training

/// Measures the running statistics of batch norms anew, and changes nothing else: what a network needs after its
/// weights were removed or changed at once, without training.
public struct RecalibrateStage: StageWork {
  public let data: any Dataset
  public let batches: Int
  public let batchSize: Int
  /// Decides the order of the samples.
  public let seed: UInt64

  public init(data: any Dataset, batches: Int, batchSize: Int, seed: UInt64) {
    self.data = data
    self.batches = batches
    self.batchSize = batchSize
    self.seed = seed
  }

  public var kind: String { "recalibrate" }
  public var label: String { "recalibrate on \(batches) \(batches == 1 ? "batch" : "batches")" }

  public func recipe() throws -> Recipe {
    [
      "data": try data.identity.recipe(), "batches": .int(batches), "batch": .int(batchSize),
      "seed": .int(Int(bitPattern: UInt(seed))),
    ]
  }

  private var options: TrainingOptions {
    var options = TrainingOptions(batchSize: batchSize, optimizer: .sgd(), seed: seed)
    options.recalibrationBatches = batches
    return options
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    try options.validate()
    guard batches > 0 else { throw CompressError("\(batches) batches to recalibrate on; at least 1 is needed") }
    try Evaluation.checkShape(inputs[0], fits: data)
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to recalibrate on") }
    guard inputs[0].nodes.contains(where: \.op.isBatchNorm) else {
      throw CompressError("the network has no batch norms to recalibrate")
    }
    return inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let trainer = try Trainer(model: inputs[0], options: options, data: data, pool: context.pool)
    return StageResult(try trainer.recalibrate())
  }
}
