import Diagnostics
import Kernels

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

  /// See `Optimizer`; its `defaultWeightDecay` when nil.
  public var weightDecay: Double?
  /// Whether biases and batch norms decay too; weights alone otherwise.
  public var decaysAll = false
  /// Loss for each bit that a weight takes in the mean once it is coded (see `EntropyPenalty`); 0 for none.
  public var entropy = 0.0
  /// The share of the target that goes to all classes alike, 0…1.
  public var labelSmoothing = 0.0
  /// Gradients whose norm, over all parameters, is larger are scaled down to it.
  public var gradientNorm: Double?
  /// Decay of the moving average of the weights, which is then what is validated and returned.
  public var averageDecay: Double?
  /// With a teacher.
  public var distillation = Distillation()
  /// Without labels: what is to be as it is in the teacher; nil where labels are learned.
  public var matching: Matching?
  /// Stops after so many epochs without a lower loss on the validation data; the best weights are returned.
  public var patience: Int?
  /// Batches over which batch norms measure their statistics anew at the end; 0 keeps the running ones.
  public var recalibrationBatches = 0
  /// Whether to compute activations again in the backward pass where that saves memory.
  public var recomputes = false
  /// Of the factors in products of convolutions and dense layers, forward and backward, validation included; sums,
  /// weights, batch norms, loss and optimizer are float32 in any case.
  public var precision = ProductPrecision.float32
  /// What weights and activations are rounded to in the forward pass.
  public var quantization = FakeQuantization()

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

  /// - Throws: `CompressError` naming the option that is out of range, or that this machine cannot do.
  public func validate() throws {
    guard (1...1_000_000).contains(epochs) else { throw CompressError("epochs: \(epochs) is not in 1...1000000") }
    guard (1...65_536).contains(batchSize) else { throw CompressError("batch size: \(batchSize) is not in 1...65536") }
    try optimizer.validate()
    if case .constant? = learningRate { _ = try learningRate!.value(step: 0, of: 1) }
    if let weightDecay {
      guard weightDecay >= 0, weightDecay.isFinite else {
        throw CompressError("weight decay \(weightDecay) is not a number from 0 up")
      }
    }
    guard entropy >= 0, entropy.isFinite else { throw CompressError("entropy \(entropy) is not a number from 0 up") }
    guard (0..<1).contains(labelSmoothing) else {
      throw CompressError("label smoothing \(labelSmoothing) is not in 0..<1")
    }
    if let gradientNorm {
      guard gradientNorm > 0, gradientNorm.isFinite else {
        throw CompressError("the largest gradient norm, \(gradientNorm), is not above 0")
      }
    }
    if let averageDecay {
      guard (0..<1).contains(averageDecay) else {
        throw CompressError("the decay of the weights' average, \(averageDecay), is not in 0..<1")
      }
    }
    try distillation.validate()
    if let patience {
      guard patience >= 1 else { throw CompressError("patience: \(patience) epochs; at least 1 is needed") }
    }
    try precision.validate()
    guard (0...1_000_000).contains(recalibrationBatches) else {
      throw CompressError("recalibration on \(recalibrationBatches) batches, which is not in 0...1000000")
    }
  }
}
