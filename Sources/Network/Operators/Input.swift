import Diagnostics
import Tensors

/// One of the network's inputs: a value of the given shape for each sample.
public struct Input: OperatorSpec {
  public static let kind = "input"
  public var asOperator: Operator { .input(self) }

  public var shape: Shape

  public init(_ shape: Shape) { self.shape = shape }

  public var arity: ClosedRange<Int> { 0...0 }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard shape.count > 0 else { throw CompressError("empty input of shape \(shape)") }
    return [shape]
  }
}
