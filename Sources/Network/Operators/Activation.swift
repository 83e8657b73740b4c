import Diagnostics
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A function of each element; softmax is over the last axis.
public enum Activation: String, CaseIterable, OperatorSpec {
  case relu, relu6, sigmoid, softmax
  /// `x * relu6(x + 3) / 6` (Howard et al. 2019).
  case hardSwish = "hard_swish"

  public static let kind = "activation"
  public var asOperator: Operator { .activation(self) }
  public var name: String { rawValue }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard self != .softmax || inputs[0].rank >= 1 else { throw CompressError("softmax of a scalar") }
    return inputs
  }

  /// For functions that only clamp, the range they clamp to.
  public var clampRange: ClosedRange<Float>? {
    switch self {
    case .relu: 0 ... .infinity
    case .relu6: 0...6
    case .sigmoid, .softmax, .hardSwish: nil
    }
  }

  public var elementFunction: ((Float) -> Float)? {
    switch self {
    case .relu, .relu6: clampRange.map { range in { $0.clamped(to: range) } }
    case .sigmoid: { 1 / (1 + expf(-$0)) }
    case .softmax: nil
    case .hardSwish: { $0 * ($0 + 3).clamped(to: 0...6) / 6 }
    }
  }

  public var preserves: Preserved {
    switch self {
    case .relu: [.zero, .selection, .scale, .places]
    case .relu6: [.zero, .selection, .places]
    case .hardSwish: [.zero, .places]
    case .sigmoid: .places
    case .softmax: []
    }
  }

  public var quantization: QuantizationRule {
    switch self {
    case .relu, .relu6: .fused
    case .sigmoid, .hardSwish: .own
    case .softmax: .float
    }
  }

  public func formatVersion(_ inputs: [Shape]) -> UInt32 { self == .hardSwish ? 3 : 1 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    self == .softmax ? .fixed : .carried(outputs[0])
  }

  private enum CodingKeys: String, CodingKey { case function }

  public init(from decoder: any Decoder) throws {
    let name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .function)
    guard let function = Activation(rawValue: name) else {
      throw CompressError("unknown activation \"\(name.escapedForTerminal)\"", kind: .input)
    }
    self = function
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(rawValue, forKey: .function)
  }
}

extension Float {
  /// NaN stays NaN.
  public func clamped(to range: ClosedRange<Float>) -> Float {
    self < range.lowerBound ? range.lowerBound : self > range.upperBound ? range.upperBound : self
  }
}
