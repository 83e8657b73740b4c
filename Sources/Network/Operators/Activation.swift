import Diagnostics
import Tensors

/// A function of each element; softmax is over the last axis.
public enum Activation: String, OperatorSpec {
  case relu, relu6, sigmoid, softmax

  public static let kind = "activation"

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    guard self != .softmax || inputs[0].rank >= 1 else { throw CompressError("softmax of a scalar") }
    return inputs[0]
  }

  /// For functions that only clamp, the range they clamp to: those fuse into the layer before.
  public var clamp: (low: Float, high: Float)? {
    switch self {
    case .relu: (0, .infinity)
    case .relu6: (0, 6)
    case .sigmoid, .softmax: nil
    }
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
