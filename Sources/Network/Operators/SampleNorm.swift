import Diagnostics
import Tensors

/// SampleNorm of each sample by its own statistics: `(x - mean) / sqrt(variance + epsilon) * gamma + beta`.
///
/// Without groups over the last axis, each row by itself: layer normalization (Ba et al. 2016); of an image each pixel.
/// With groups over the whole image and the channels of one group: group normalization (Wu and He 2018), with one channel
/// a group instance normalization. Without a mean by the root of the mean square: RMSNorm (Zhang and Sennrich 2019).
public struct SampleNorm: OperatorSpec {
  public enum Statistic: String, Sendable, Codable {
    /// Less the mean, by the deviation.
    case variance
    /// By the root of the mean square.
    case meanSquare = "mean_square"
    /// By the length: the root of the sum of squares, at least `epsilon`.
    case length
  }

  public static let kind = "normalization"
  public var asOperator: Operator { .normalization(self) }

  public var statistic: Statistic
  /// nil: each row of the last axis by itself.
  public var groups: Int?
  public var epsilon: Float
  public var hasScale: Bool
  public var hasShift: Bool

  public init(
    _ statistic: Statistic = .variance, groups: Int? = nil, epsilon: Float = 1e-5, hasScale: Bool = true,
    hasShift: Bool = true
  ) {
    self.statistic = statistic
    self.groups = groups
    self.epsilon = epsilon
    self.hasScale = hasScale
    self.hasShift = hasShift
  }

  public var name: String {
    switch (statistic, groups) {
    case (.variance, nil): "layer norm"
    case (.variance, _): "group norm"
    case (.meanSquare, _): "rms norm"
    case (.length, _): "length norm"
    }
  }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard let channels = inputs[0].dims.last else { throw CompressError("expects at least one axis, got a scalar") }
    guard epsilon >= 0, epsilon.isFinite else { throw CompressError("epsilon \(epsilon) is out of range") }
    if let groups, groups < 1 || channels % groups != 0 {
      throw CompressError("\(channels) channels do not divide into \(groups) groups")
    }
    return inputs
  }

  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] {
    let channels: Shape = [inputs[0].dims.last!]
    return (hasScale ? [ParameterSpec(.gamma, channels)] : []) + (hasShift ? [ParameterSpec(.beta, channels)] : [])
  }

  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double { Double(inputs[0].count) }

  // What a removed channel would have been, its shift, is carried into the layers behind.
  public var preserves: Preserved { .zero }
  public var quantization: QuantizationRule { .own }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  /// A channel less changes the statistics of its group, a whole group those of no other.
  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    guard let groups, let channels = outputs[0].dims.last else { return .fixed }
    let size = channels / groups
    return ChannelCoupling(
      ties: (0..<channels).flatMap { c in
        [(.output(c), .input(0, c)), (.output(c), .output(c / size * size))]
      })
  }

  public func keeping(_ kept: KeptChannels) -> SampleNorm {
    guard let output = kept.outputs[0], let groups, let channels = kept.shapes[0].dims.last else { return self }
    var norm = self
    norm.groups = output.count / (channels / groups)
    return norm
  }

  private enum CodingKeys: String, CodingKey {
    case statistic, groups, epsilon, hasScale = "scale", hasShift = "shift"
  }
}
