import Diagnostics
import Tensors

/// Any shape → a vector, in row-major order.
public struct Flatten: OperatorSpec {
  public static let kind = "flatten"
  public var asOperator: Operator { .flatten(self) }

  public init() {}

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] { [[inputs[0].count]] }

  public var preserves: Preserved { .reshape }
  public var quantization: QuantizationRule { .ofInput }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    .reshaped(inputs[0], outputs[0])
  }
}

/// The same elements under another shape.
public struct Reshape: OperatorSpec {
  public static let kind = "reshape"
  public var asOperator: Operator { .reshape(self) }

  public var shape: Shape

  public init(_ shape: Shape) { self.shape = shape }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard shape.count == inputs[0].count else {
      throw CompressError("cannot reshape \(inputs[0]) (\(inputs[0].count) elements) to \(shape) (\(shape.count))")
    }
    return [shape]
  }

  public var preserves: Preserved { .reshape }
  public var quantization: QuantizationRule { .ofInput }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    .reshaped(inputs[0], outputs[0])
  }

  public func keeping(_ kept: KeptChannels) -> Reshape {
    guard let output = kept.outputs[0] else { return self }
    return Reshape(Shape(shape.dims.dropLast() + [output.count]))
  }
}

extension Preserved {
  fileprivate static let reshape: Preserved = [.zero, .elements, .selection, .scale]
}

extension ChannelCoupling {
  /// Row-major: elements of one channel stay together when one extent is a multiple of the other.
  fileprivate static func reshaped(_ input: Shape, _ output: Shape) -> ChannelCoupling {
    guard let before = input.dims.last, let channels = output.dims.last else { return .fixed }
    if channels % max(before, 1) == 0 { return .carried(channels, modulo: before) }
    guard before % max(channels, 1) == 0 else { return .fixed }
    return ChannelCoupling(ties: (0..<before).map { (.input(0, $0), .output($0 % channels)) })
  }
}
