import Tensors

/// What looks on while a model is trained, and may change its masks between steps, the learning rate or the end:
/// gradual pruning, for one. What a hook does may depend only on what it is told, so that an interrupted training can
/// go on with a new one.
public protocol TrainingHook {
  /// Called before step `step` (from 0) of `total`.
  func beforeStep(_ step: Int, of total: Int, weights: TrainableWeights) throws

  /// Called within step `step`, when the gradients of its batch are known and the weights have not moved yet.
  func afterBackward(_ step: Int, of total: Int, weights: TrainableWeights) throws

  /// Called after every step.
  func afterStep(_ progress: TrainingProgress, weights: TrainableWeights) throws -> TrainingChange

  /// Called after epoch `epoch` (from 0), the last one included.
  func afterEpoch(
    _ epoch: Int, _ result: TrainingCurve.Epoch, _ progress: TrainingProgress, weights: TrainableWeights
  ) throws -> TrainingChange

  /// Whether weights as they are after `step` steps could be the result: early stopping and the choice of the best
  /// epoch wait until then.
  func isSettled(after step: Int, of total: Int) -> Bool
}

extension TrainingHook {
  public func beforeStep(_ step: Int, of total: Int, weights: TrainableWeights) {}
  public func afterBackward(_ step: Int, of total: Int, weights: TrainableWeights) {}
  public func afterStep(_ progress: TrainingProgress, weights: TrainableWeights) -> TrainingChange { TrainingChange() }
  public func afterEpoch(
    _ epoch: Int, _ result: TrainingCurve.Epoch, _ progress: TrainingProgress, weights: TrainableWeights
  ) -> TrainingChange { TrainingChange() }
  public func isSettled(after step: Int, of total: Int) -> Bool { true }
}

/// What a hook wants to be different from now on.
public struct TrainingChange: Sendable, Hashable {
  /// Replaces whatever the options say, until it is changed again.
  public var learningRate: Double?
  /// Ends the training as if this were the last step.
  public var stops: Bool

  public init(learningRate: Double? = nil, stops: Bool = false) {
    self.learningRate = learningRate
    self.stops = stops
  }
}

/// Where training stands, after a step.
public struct TrainingProgress: Sendable {
  /// Steps done, of how many.
  public let step: Int
  public let totalSteps: Int
  /// From 0.
  public let epoch: Int
  /// Mean over the epoch so far.
  public let loss: Double
  /// Mean over the epoch so far, 0…1.
  public let accuracy: Double
  /// Of this step's batch alone, measured before the weights moved.
  public let stepLoss: Double
  public let stepAccuracy: Double
  /// Of this step.
  public let learningRate: Double
  /// Samples that this run has trained on; those before an interruption are not among them.
  public let images: Int
}
