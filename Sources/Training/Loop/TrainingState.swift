/// Where training stands, numbers only; with the tensors (see `Trainer.write`) all that it needs to go on.
struct TrainingState: Codable {
  /// The epoch under way, from 0, and the steps and samples of it that are done.
  var epoch = 0
  var stepOfEpoch = 0
  var loss = 0.0
  var correct = 0
  var images = 0
  /// Seconds spent on it, in earlier runs too.
  var seconds = 0.0
  /// Steps done in all.
  var step = 0

  /// Set by a hook.
  var learningRate: Double?
  var isStopped = false

  var curve = TrainingCurve()
  /// The lowest validation loss, once there is one, and the epochs since.
  var bestLoss: Double?
  var epochsSinceBest = 0
}
