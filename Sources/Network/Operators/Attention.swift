import Diagnostics
import Tensors

/// Scaled dot-product attention in several heads (Vaswani et al. 2017): of queries `[t, d]`, keys `[s, d]` and values
/// `[s, e]` → `[t, e]`. Each head has its share of the channels, one after the other, and computes
/// `softmax(queries * keys' / sqrt(d / heads)) * values`.
public struct Attention: OperatorSpec {
  public static let kind = "attention"
  public var asOperator: Operator { .attention(self) }

  public var heads: Int
  /// What the products are multiplied by; nil for `1 / sqrt(d / heads)`.
  public var scale: Float?

  public init(heads: Int, scale: Float? = nil) {
    self.heads = heads
    self.scale = scale
  }

  public var arity: ClosedRange<Int> { 3...3 }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let (queries, keys, values) = (inputs[0], inputs[1], inputs[2])
    guard inputs.allSatisfy({ $0.rank == 2 }), queries[1] == keys[1], keys[0] == values[0] else {
      throw CompressError("queries \(queries), keys \(keys) and values \(values) do not fit each other")
    }
    guard heads > 0, queries[1] % heads == 0, values[1] % heads == 0 else {
      throw CompressError("\(queries[1]) and \(values[1]) channels do not divide into \(heads) heads")
    }
    guard scale?.isFinite ?? true else { throw CompressError("scale \(scale!) is not finite") }
    return [[queries[0], values[1]]]
  }

  /// What the products are multiplied by.
  public func scale(_ queries: Shape) -> Float { scale ?? 1 / Float(queries[1] / heads).squareRoot() }

  public func macs(_ inputs: [Shape], _ outputs: [Shape]) -> Int {
    inputs[0][0] * inputs[1][0] * (inputs[0][1] + inputs[2][1])
  }
  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double {
    Double(inputs[0][0]) * Double(inputs[1][0]) * Double(inputs[0][1] + inputs[2][1])
  }

  // Of a head without queries, keys and values all that is left is their mean, zero.
  public var preserves: Preserved { .zero }
  public var quantization: QuantizationRule { .own }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  /// A head goes as a whole.
  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    var coupling = ChannelCoupling()
    let size = inputs[0][1] / heads, width = inputs[2][1] / heads
    for head in 0..<heads {
      let first = ChannelCoupling.Channel.output(head * width)
      for c in 0..<size { for input in 0..<2 { coupling.ties.append((.input(input, head * size + c), first)) } }
      for c in 0..<width {
        coupling.ties.append((.input(2, head * width + c), first))
        coupling.ties.append((.output(head * width + c), first))
      }
    }
    return coupling
  }

  public func keeping(_ kept: KeptChannels) -> Attention {
    guard let output = kept.outputs[0] else { return self }
    var attention = self
    attention.scale = scale(kept.shapes[0])
    attention.heads = output.count / (kept.shapes[2][1] / heads)
    if self.scale == nil, kept.inputs[0].map({ $0.count / attention.heads }) == kept.shapes[0][1] / heads {
      attention.scale = nil
    }
    return attention
  }
}
