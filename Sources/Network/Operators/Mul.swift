import Diagnostics
import Tensors

/// Element-wise product of two inputs; extents of one are broadcast as NumPy does: a gate of one number for each
/// channel scales an image.
public struct Mul: OperatorSpec {
  public static let kind = "mul"
  public var asOperator: Operator { .mul(self) }

  public init() {}

  public var arity: ClosedRange<Int> { 2...2 }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard let shape = try? Shape.broadcast(inputs[0], inputs[1]) else {
      throw CompressError("cannot multiply shapes \(inputs[0]) and \(inputs[1])")
    }
    return [shape]
  }

  public var preserves: Preserved { [.zero, .places] }
  public var absorbsZero: Bool { true }
  public var fusesClamp: Bool { true }
  public var pairFunction: ((Float, Float) -> Float)? { { $0 * $1 } }
  public var pairDerivatives: (first: (Float, Float) -> Float, second: (Float, Float) -> Float)? {
    ({ $1 }, { first, _ in first })
  }
  public var quantization: QuantizationRule { .own }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .aligned(inputs, outputs[0]) }
}
