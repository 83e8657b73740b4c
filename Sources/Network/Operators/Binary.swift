import Diagnostics
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A function of two elements at the same place, but for sums and products, which have operators of their own; extents of
/// one are broadcast as NumPy does.
public struct Binary: OperatorSpec {
  public enum Function: String, Sendable, Codable, CaseIterable {
    case sub, div, minimum, maximum, pow
  }

  public static let kind = "binary"
  public var asOperator: Operator { .binary(self) }

  public var function: Function

  public init(_ function: Function) { self.function = function }

  public var name: String { function.rawValue }
  public var arity: ClosedRange<Int> { 2...2 }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard let shape = try? Shape.broadcast(inputs[0], inputs[1]) else {
      throw CompressError("shapes \(inputs[0]) and \(inputs[1]) do not broadcast")
    }
    return [shape]
  }

  public var preserves: Preserved {
    switch function {
    case .sub, .minimum, .maximum: [.zero, .places]
    case .div, .pow: .places
    }
  }
  public var quantization: QuantizationRule {
    switch function {
    case .sub, .minimum, .maximum: .own
    case .div, .pow: .float
    }
  }

  public var pairFunction: ((Float, Float) -> Float)? {
    switch function {
    case .sub: { $0 - $1 }
    case .div: { $0 / $1 }
    // NaN stays NaN.
    case .minimum: { $0 < $1 || $0.isNaN ? $0 : $1 }
    case .maximum: { $0 > $1 || $0.isNaN ? $0 : $1 }
    case .pow: powf
    }
  }

  public var pairDerivatives: (first: (Float, Float) -> Float, second: (Float, Float) -> Float)? {
    switch function {
    case .sub: ({ _, _ in 1 }, { _, _ in -1 })
    case .div: ({ 1 / $1 }, { -$0 / ($1 * $1) })
    case .minimum: ({ $0 < $1 ? 1 : 0 }, { $0 < $1 ? 0 : 1 })
    case .maximum: ({ $0 > $1 ? 1 : 0 }, { $0 > $1 ? 0 : 1 })
    case .pow: ({ $1 == 0 ? 0 : $1 * powf($0, $1 - 1) }, { $0 > 0 ? powf($0, $1) * logf($0) : 0 })
    }
  }

  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .aligned(inputs, outputs[0]) }
}
