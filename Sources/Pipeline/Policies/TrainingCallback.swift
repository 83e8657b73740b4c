import Training

/// A function of a script that is told how a training goes and may interfere. Like a policy, it is pure: what it
/// answers follows from what it is told.
public protocol TrainingCallback {
  /// Its source: part of the stage's key.
  var recipe: Recipe { get }
  /// Whether it is called after every step, or after every epoch.
  var isForSteps: Bool { get }
  func call(_ moment: TrainingMoment) throws -> TrainingChange
}

/// What a `TrainingCallback` is told.
public struct TrainingMoment {
  public let progress: TrainingProgress
  public let epochs: Int
  /// After an epoch: what came of it.
  public let epoch: TrainingCurve.Epoch?
}

/// A callback as the training loop sees it.
struct CallbackHook: TrainingHook {
  let callback: any TrainingCallback
  let epochs: Int

  func afterStep(_ progress: TrainingProgress, weights: TrainableWeights) throws -> TrainingChange {
    guard callback.isForSteps else { return TrainingChange() }
    return try callback.call(TrainingMoment(progress: progress, epochs: epochs, epoch: nil))
  }

  func afterEpoch(
    _ epoch: Int, _ result: TrainingCurve.Epoch, _ progress: TrainingProgress, weights: TrainableWeights
  ) throws -> TrainingChange {
    guard !callback.isForSteps else { return TrainingChange() }
    return try callback.call(TrainingMoment(progress: progress, epochs: epochs, epoch: result))
  }
}
