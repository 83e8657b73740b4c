import Diagnostics
import Tensors

/// Sets a share of the values to zero while training and scales the others by `1 / (1 - rate)` (Srivastava et al.
/// 2014); otherwise the identity.
public struct Dropout: OperatorSpec {
  public static let kind = "dropout"
  public var asOperator: Operator { .dropout(self) }

  public var rate: Float

  public init(rate: Float) { self.rate = rate }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard (0..<1).contains(rate) else { throw CompressError("rate \(rate) is not from 0 to below 1") }
    return inputs
  }

  // Of a network that runs; while it is trained it is more than another name.
  public var preserves: Preserved { [.zero, .elements, .selection, .scale, .places] }
  public var quantization: QuantizationRule { .ofInput }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .carried(outputs[0]) }
}
