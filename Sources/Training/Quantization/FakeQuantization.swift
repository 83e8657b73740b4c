import Network
import Tensors

/// What a quantized network will do to weights and activations, done while it is trained: in the forward pass they are
/// rounded, in the backward pass gradients pass as if they were not, but for values that were clamped (Bengio et al. 2013).
///
/// With `learnsScales` the widths of the steps are trained as well (Esser et al. 2020, LSQ); as their logarithms, so
/// that they stay positive and move by shares of themselves.
public struct FakeQuantization: Sendable {
  /// The symmetric integers that a weight will be.
  public struct Weight: Sendable {
    /// The greatest integer; minus it is the least.
    public var limit: Int
    /// One, or one per output channel. Without learning they follow the weights: each channel's (or the tensor's)
    /// greatest magnitude is the greatest integer.
    public var scales: [Float]

    public init(limit: Int, scales: [Float]) {
      self.limit = limit
      self.scales = scales
    }

    public init(bits: Int, scales: [Float]) { self.init(limit: IntegerValues.limit(bits: bits), scales: scales) }
  }

  /// By layer.
  public var weights: [String: Weight]
  /// By layer: which values of the weight are one value and stay so (uint8 codes of the weight's shape).
  public var ties: [String: Tensor]
  /// By layer, of its output.
  public var activations: [String: ActivationQuantization]
  public var learnsScales: Bool

  public init(
    weights: [String: Weight] = [:], ties: [String: Tensor] = [:], activations: [String: ActivationQuantization] = [:],
    learnsScales: Bool = true
  ) {
    self.weights = weights
    self.ties = ties
    self.activations = activations
    self.learnsScales = learnsScales
  }
}

extension TrainableWeights {
  /// The quantization with its scales as they are now.
  public func currentQuantization() throws -> FakeQuantization {
    var current = quantization
    for (layer, weight) in quantization.weights {
      if let learned = parameter(layer, .weightScale) {
        current.weights[layer]!.scales = weight.scales.indices.map {
          weight.scales[$0] * learned.values[$0].exponential
        }
      } else {
        let values = parameter(layer, .weight)!.values
        current.weights[layer]!.scales = WeightRounding.followingScales(
          values, rows: weight.scales.count, limit: weight.limit)
      }
    }
    for (layer, activation) in quantization.activations {
      guard let learned = parameter(layer, .outputScale) else { continue }
      current.activations[layer] = try ActivationQuantization(
        scale: activation.scale * learned.values[0].exponential, zeroPoint: activation.zeroPoint, bits: activation.bits)
    }
    return current
  }
}
