import Diagnostics
import Tensors

/// Zeros around a value: so many before and after along each axis, `[d…]` → `[before + d + after …]`.
public struct Pad: OperatorSpec {
  public static let kind = "pad"
  public var asOperator: Operator { .pad(self) }

  /// One number for each axis of a sample.
  public var before: [Int]
  public var after: [Int]

  public init(before: [Int], after: [Int]) {
    self.before = before
    self.after = after
  }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let dims = inputs[0].dims
    guard before.count == dims.count, after.count == dims.count else {
      throw CompressError("pads \(before.count) and \(after.count) axes of shape \(inputs[0])")
    }
    for pad in before + after where !(0...1 << 16).contains(pad) {
      throw CompressError("padding \(pad) is out of range")
    }
    return [try Shape(checking: dims.indices.map { before[$0] + dims[$0] + after[$0] })]
  }

  public var preserves: Preserved { [.zero, .selection, .scale] }
  public var quantization: QuantizationRule { .ofInput }

  // What is padded to the channels is tied to nothing here.
  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    guard let first = before.last, let channels = inputs[0].dims.last else { return .fixed }
    return ChannelCoupling(ties: (0..<channels).map { (.output(first + $0), .input(0, $0)) })
  }

  public func keeping(_ kept: KeptChannels) -> Pad {
    guard let output = kept.outputs[0], let first = before.last, let channels = kept.shapes[0].dims.last else {
      return self
    }
    var pad = self
    pad.before[before.count - 1] = output.count { $0 < first }
    pad.after[after.count - 1] = output.count { $0 >= first + channels }
    return pad
  }
}
