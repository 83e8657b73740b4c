import Diagnostics
import Tensors

/// Sets a share of the values to zero while training and scales the others by `1 / (1 - rate)` (Srivastava et al.
/// 2014); otherwise the identity.
public struct Dropout: OperatorSpec {
  public static let kind = "dropout"

  public var rate: Float

  public init(rate: Float) { self.rate = rate }

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    guard (0..<1).contains(rate) else { throw CompressError("rate \(rate) is not from 0 to below 1") }
    return inputs[0]
  }
}
