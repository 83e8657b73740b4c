import Diagnostics
import Tensors

/// A value that is the same for every sample: a parameter of the given shape, which training moves where it is an
/// embedding (of positions, of a class token).
public struct Constant: OperatorSpec {
  public static let kind = "constant"
  public var asOperator: Operator { .constant(self) }

  public var shape: Shape
  public var isTrained: Bool

  public init(_ shape: Shape, isTrained: Bool = false) {
    self.shape = shape
    self.isTrained = isTrained
  }

  public var role: ParameterRole { isTrained ? .embedding : .constant }

  public var arity: ClosedRange<Int> { 0...0 }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard shape.count > 0 else { throw CompressError("empty constant of shape \(shape)") }
    return [try Shape(checking: shape.dims)]
  }

  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] { [ParameterSpec(role, shape)] }

  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  /// Its channels go with those they are computed with.
  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { ChannelCoupling() }

  public func keeping(_ kept: KeptChannels) -> Constant {
    guard let output = kept.outputs[0] else { return self }
    var constant = self
    constant.shape = Shape(shape.dims.dropLast() + [output.count])
    return constant
  }

  public func keptIndices(of role: ParameterRole, _ kept: KeptChannels) -> (first: [Int]?, last: [Int]?) {
    (nil, kept.outputs[0])
  }

  private enum CodingKeys: String, CodingKey { case shape, isTrained = "trained" }
}
