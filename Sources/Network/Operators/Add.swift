import Diagnostics
import Tensors

/// Element-wise sum of two inputs; extents of one are broadcast as NumPy does.
public struct Add: OperatorSpec {
  public static let kind = "add"
  public var asOperator: Operator { .add(self) }

  public init() {}

  public var arity: ClosedRange<Int> { 2...2 }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard let shape = try? Shape.broadcast(inputs[0], inputs[1]) else {
      throw CompressError("cannot add shapes \(inputs[0]) and \(inputs[1])")
    }
    return [shape]
  }

  public var preserves: Preserved { [.zero, .places] }
  public var fusesClamp: Bool { true }
  public var quantization: QuantizationRule { .own }

  public var pairFunction: ((Float, Float) -> Float)? { { $0 + $1 } }
  public var pairDerivatives: (first: (Float, Float) -> Float, second: (Float, Float) -> Float)? {
    ({ _, _ in 1 }, { _, _ in 1 })
  }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { inputs[0] == inputs[1] ? 1 : 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .aligned(inputs, outputs[0]) }
}
