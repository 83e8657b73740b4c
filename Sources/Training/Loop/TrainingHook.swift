import Tensors

/// What looks on while a model is trained, and may change its masks between steps: gradual pruning, for one.
public protocol TrainingHook {
  /// Called before step `step` (from 0) of `total`.
  func beforeStep(_ step: Int, of total: Int, weights: TrainableWeights) throws

  /// Called after epoch `epoch` (from 0), the last one included.
  func afterEpoch(_ epoch: Int, _ result: TrainingCurve.Epoch, weights: TrainableWeights) throws
}

extension TrainingHook {
  public func beforeStep(_ step: Int, of total: Int, weights: TrainableWeights) {}
  public func afterEpoch(_ epoch: Int, _ result: TrainingCurve.Epoch, weights: TrainableWeights) {}
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
}
