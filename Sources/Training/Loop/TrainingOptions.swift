import Diagnostics

/// How to train.
public struct TrainingOptions {
  /// Times that every sample is seen.
  public var epochs: Int
  /// Samples to a step; the last step of an epoch may have fewer.
  public var batchSize: Int
  public var optimizer: Optimizer
  /// The optimizer's `defaultLearningRate` when nil.
  public var learningRate: LearningRate?
  /// Decides the order of the samples.
  public var seed: UInt64
  /// Whether each epoch has an order of its own; otherwise samples come as they are stored.
  public var shuffles: Bool

  public init(
    epochs: Int = 1, batchSize: Int = 32, optimizer: Optimizer = .adam(), learningRate: LearningRate? = nil,
    seed: UInt64 = 0, shuffles: Bool = true
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.seed = seed
    self.shuffles = shuffles
  }

  /// - Throws: `CompressError` naming the option that is out of range.
  public func validate() throws {
    guard (1...1_000_000).contains(epochs) else { throw CompressError("epochs: \(epochs) is not in 1...1000000") }
    guard (1...65_536).contains(batchSize) else { throw CompressError("batch size: \(batchSize) is not in 1...65536") }
    try optimizer.validate()
    if case .constant? = learningRate { _ = try learningRate!.value(step: 0, of: 1) }
  }
}
