import Diagnostics
import Tensors

/// `x` above zero, `slope * x` below, with a slope for each channel (He et al. 2015).
public struct PReLU: OperatorSpec {
  public static let kind = "prelu"
  public var asOperator: Operator { .prelu(self) }

  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard inputs[0].rank >= 1 else { throw CompressError("expects at least one axis, got a scalar") }
    return inputs
  }

  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] { [ParameterSpec(.slope, [inputs[0].dims.last!])] }

  public var preserves: Preserved { [.zero, .scale, .places] }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }
  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .carried(outputs[0]) }
}
