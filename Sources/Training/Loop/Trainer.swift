import Datasets
import Diagnostics
import Kernels
import Network
import Tensors

/// Trains a model's float weights on labelled samples by cross-entropy.
///
///     let trainer = try Trainer(model: model, options: options, data: mnist, pool: pool)
///     let (trained, curve) = try trainer.run()
///
/// Values that a mask removes are zero after every step. The same model, data and options give the same
/// bytes, whatever the number of threads.
public final class Trainer {
  private let options: TrainingOptions
  private let data: any Dataset
  private let pool: ThreadPool
  private let weights: TrainableWeights
  private let graph: TrainingGraph
  private let loss: CrossEntropy
  private let reader: BatchReader
  private var hasRun = false

  /// - Throws: `CompressError` when an option is out of range, the model cannot be trained, or the data does not
  ///   fit it.
  public init(model: Model, options: TrainingOptions, data: any Dataset, pool: ThreadPool) throws {
    try options.validate()
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to train on") }
    guard data.sampleShape == model.graph.inputShape else {
      throw CompressError(
        "\"\(data.name)\" has samples of shape \(data.sampleShape); the network takes \(model.graph.inputShape)")
    }
    let weights = try TrainableWeights(model)
    let batchSize = min(options.batchSize, data.count)
    let graph = try TrainingGraph(model.graph, weights: weights, batchSize: batchSize, pool: pool)
    guard data.classCount <= graph.scores.size else {
      throw CompressError(
        "\"\(data.name)\" has \(data.classCount) classes; the network tells \(graph.scores.size) apart")
    }
    for parameter in weights.parameters { try options.optimizer.prepare(parameter) }
    self.options = options
    self.data = data
    self.pool = pool
    self.weights = weights
    self.graph = graph
    loss = try CrossEntropy(batchSize: batchSize)
    reader = BatchReader(batchSize: batchSize, classes: graph.scores.size)
  }

  /// Trains for all epochs; a trainer runs once.
  ///
  /// - Parameters:
  ///   - onProgress: called after every step.
  ///   - isCancelled: asked before every step.
  /// - Throws: `CompressError` when the loss is no longer a number, the data cannot be read, or (kind `cancelled`) when
  ///   `isCancelled` says so; what hooks, schedule and `onProgress` throw.
  public func run(
    hooks: [any TrainingHook] = [], onProgress: (TrainingProgress) throws -> Void = { _ in },
    isCancelled: () -> Bool = { false }
  ) throws -> (model: Model, curve: TrainingCurve) {
    precondition(!hasRun, "a trainer runs once")
    hasRun = true
    var curve = TrainingCurve()
    let clock = ContinuousClock()
    let order: BatchOrder = options.shuffles ? .shuffled(seed: options.seed) : .sequential
    var step = 0
    for epoch in 0..<options.epochs {
      let start = clock.now
      let batches = try Batches(data, size: graph.batchSize, order: order, epoch: epoch)
      let total = batches.count * options.epochs
      var sums = (loss: 0.0, correct: 0, images: 0)
      var rate = 0.0
      for number in 0..<batches.count {
        guard !isCancelled() else { throw CompressError("training was cancelled", kind: .cancelled) }
        for hook in hooks { try hook.beforeStep(step, of: total, weights: weights) }
        rate = try learningRate.value(step: step, of: total)
        let result = try take(batches.data, batches.indices(number), rate: rate, step: step + 1)
        guard result.loss.isFinite else {
          throw divergence("the loss became \(result.loss.isNaN ? "nan" : "infinite")", epoch, step, rate)
        }
        step += 1
        sums.images += result.count
        sums.correct += result.correct
        sums.loss += result.loss * Double(result.count)
        try onProgress(
          TrainingProgress(
            step: step, totalSteps: total, epoch: epoch, loss: sums.loss / Double(sums.images),
            accuracy: Double(sums.correct) / Double(sums.images)))
      }
      guard weights.areFinite else { throw divergence("the weights are no longer finite", epoch, step - 1, rate) }
      let result = TrainingCurve.Epoch(
        loss: sums.loss / Double(sums.images), accuracy: Double(sums.correct) / Double(sums.images),
        learningRate: rate, images: sums.images)
      for hook in hooks { try hook.afterEpoch(epoch, result, weights: weights) }
      curve.epochs.append(result)
      curve.seconds.append((clock.now - start) / .seconds(1))
    }
    return (try weights.model(), curve)
  }

  private var learningRate: LearningRate { options.learningRate ?? .constant(options.optimizer.defaultLearningRate) }

  /// One step on the samples at `indices`; the result is measured before the weights move.
  private func take(_ data: any Dataset, _ indices: [Int], rate: Double, step: Int) throws -> (loss: Double, correct: Int, count: Int) {
    let labels = try reader.read(data, indices, into: graph.input.data, pool: pool)
    try graph.forward(
      count: indices.count, isTraining: true, noise: options.seed &+ UInt64(step) &* 0x9E37_79B9_7F4A_7C15)
    let (loss, correct) = loss.evaluate(graph.scores, labels: labels, pool: pool)
    if loss.isFinite {
      try graph.backward()
      for parameter in weights.parameters {
        options.optimizer.update(parameter, rate: rate, step: step, pool: pool)
      }
    }
    return (loss, correct, indices.count)
  }

  private func divergence(_ what: String, _ epoch: Int, _ step: Int, _ rate: Double) -> CompressError {
    CompressError(
      "\(what) in epoch \(epoch + 1), step \(step + 1), at learning rate \(rate)",
      hint: "a smaller learning rate, or data scaled to 0…1")
  }
}
