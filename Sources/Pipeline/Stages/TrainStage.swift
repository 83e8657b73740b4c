import Datasets
import Diagnostics
import Network
import Training

/// Training as scripts and plugins describe it; used by the train stage and by every stage that fine-tunes.
public struct TrainingRecipe {
  public var data: any Dataset
  public var epochs: Int
  public var batchSize: Int
  public var optimizer: Optimizer
  public var learningRate: Rate
  public var seed: UInt64
  public var shuffles: Bool

  public enum Rate {
    /// The optimizer's default.
    case standard
    case constant(Double)
    case schedule(any Schedule)
  }

  public init(
    data: any Dataset, epochs: Int = 1, batchSize: Int = 32, optimizer: Optimizer = .adam(),
    learningRate: Rate = .standard,
    seed: UInt64 = 0, shuffles: Bool = true
  ) {
    self.data = data
    self.epochs = epochs
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.seed = seed
    self.shuffles = shuffles
  }

  var options: TrainingOptions {
    let rate: LearningRate? =
      switch learningRate {
      case .standard: nil
      case .constant(let rate): .constant(rate)
      case .schedule(let schedule): .schedule(schedule.value(at:))
      }
    return TrainingOptions(
      epochs: epochs, batchSize: batchSize, optimizer: optimizer, learningRate: rate, seed: seed, shuffles: shuffles)
  }

  /// - Throws: `CompressError` when an option is out of range or the data does not fit the network.
  func check(_ graph: Graph) throws {
    try options.validate()
    try Evaluation.check(graph, fits: data)
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to train on") }
  }

  func recipe() throws -> Recipe {
    let rate: Recipe =
      switch learningRate {
      case .standard: .null
      case .constant(let rate): .number(rate)
      case .schedule(let schedule): schedule.recipe
      }
    let how: Recipe =
      switch optimizer {
      case .sgd(let momentum): ["name": "sgd", "momentum": .number(momentum)]
      case .adam(let beta1, let beta2, let epsilon):
        ["name": "adam", "beta1": .number(beta1), "beta2": .number(beta2), "epsilon": .number(epsilon)]
      }
    return [
      "data": try data.identity.recipe(), "epochs": .int(epochs), "batch": .int(batchSize), "optimizer": how,
      "learning_rate": rate, "seed": .int(Int(bitPattern: UInt(seed))), "shuffle": .bool(shuffles),
    ]
  }

  /// Trains, with progress; the hooks look on.
  func train(_ model: Model, hooks: [any TrainingHook] = [], label: String, context: StageContext) throws -> StageResult
  {
    let trainer = try Trainer(model: model, options: options, data: data, pool: context.pool)
    let steps = (data.count + batchSize - 1) / batchSize * epochs
    context.progress.begin(label, total: steps)
    let (trained, curve) = try trainer.run(
      hooks: hooks,
      onProgress: { at in
        context.progress.update(
          done: at.step,
          detail:
            "epoch \(at.epoch + 1)/\(epochs)  loss \(at.loss.formatted(3))  accuracy \((at.accuracy * 100).formatted(2)) %"
        )
      }, isCancelled: { context.cancellation.isRequested })
    let last = curve.epochs.last
    context.progress.end(
      detail: last.map { "loss \($0.loss.formatted(3))  accuracy \(($0.accuracy * 100).formatted(2)) % while training" }
        ?? "")
    var record = StageRecord()
    record.curve = curve.epochs
    return StageResult(trained, record)
  }
}

/// Gradient descent on labelled data.
public struct TrainStage: StageWork {
  public let training: TrainingRecipe
  private let name: String

  /// - Parameter name: what the network is called, for labels.
  public init(_ training: TrainingRecipe, name: String) {
    self.training = training
    self.name = name
  }

  public var kind: String { "train" }
  public var label: String { "train \(name), \(training.epochs) \(training.epochs == 1 ? "epoch" : "epochs")" }
  public func recipe() throws -> Recipe { try training.recipe() }

  public func graph(inputs: [Graph]) throws -> Graph {
    try training.check(inputs[0])
    return inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    try training.train(inputs[0], label: label, context: context)
  }
}
