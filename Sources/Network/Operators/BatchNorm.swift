import Diagnostics
import Tensors

/// Batch normalization over the last axis (Ioffe and Szegedy 2015).
///
/// Inference: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`. Training uses the batch's
/// statistics and moves the running ones: `running = momentum * running + (1 - momentum) * batch`.
public struct BatchNorm: OperatorSpec {
  public static let kind = "batch_norm"
  public var asOperator: Operator { .batchNorm(self) }

  public var epsilon: Float
  public var momentum: Float

  public init(epsilon: Float = 1e-3, momentum: Float = 0.99) {
    self.epsilon = epsilon
    self.momentum = momentum
  }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard inputs[0].rank >= 1 else { throw CompressError("expects at least one axis, got shape \(inputs[0])") }
    guard epsilon > 0, epsilon.isFinite, (0..<1).contains(momentum) else {
      throw CompressError("epsilon \(epsilon) or momentum \(momentum) is out of range")
    }
    return inputs
  }

  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] {
    let channels: Shape = [inputs[0].dims.last!]
    return [.gamma, .beta, .mean, .variance].map { ParameterSpec($0, channels) }
  }

  // What a removed channel would have been, its own shift, is carried into the layers behind.
  public var preserves: Preserved { [.zero, .places] }

  // Of one that nothing before it could take in.
  public var quantization: QuantizationRule { .own }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .carried(outputs[0]) }
}
