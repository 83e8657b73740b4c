import Diagnostics
import Tensors

/// Broadcast to a larger shape, as NumPy does: axes of one are repeated, missing ones come first.
public struct Expand: RearrangingSpec {
  public static let kind = "expand"
  public var asOperator: Operator { .expand(self) }

  public var shape: Shape

  public init(_ shape: Shape) { self.shape = shape }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard (try? Shape.broadcast(inputs[0], shape)) == shape else {
      throw CompressError("cannot broadcast shape \(inputs[0]) to \(shape)")
    }
    return [try Shape(checking: shape.dims)]
  }

  public func rearrangement(_ inputs: [Shape]) -> Rearrangement? {
    let missing = shape.rank - inputs[0].rank, strides = inputs[0].strides
    return Rearrangement(
      shape.dims.indices.map { axis in
        let isRepeated = axis < missing || inputs[0][axis - missing] == 1
        return (0..<shape[axis]).map { isRepeated ? 0 : $0 * strides[axis - missing] }
      })
  }

  public var preserves: Preserved { [.zero, .selection, .scale] }
  public var quantization: QuantizationRule { .ofInput }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    guard let channels = outputs[0].dims.last else { return .fixed }
    return .carried(channels, modulo: inputs[0].dims.last ?? 1)
  }

  public func keeping(_ kept: KeptChannels) -> Expand {
    guard let output = kept.outputs[0] else { return self }
    return Expand(Shape(shape.dims.dropLast() + [output.count]))
  }
}

/// The whole value several times along each axis.
public struct Tile: RearrangingSpec {
  public static let kind = "tile"
  public var asOperator: Operator { .tile(self) }

  /// One number for each axis of a sample.
  public var repeats: [Int]

  public init(_ repeats: [Int]) { self.repeats = repeats }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard repeats.count == inputs[0].rank, repeats.allSatisfy({ (1...1 << 16).contains($0) }) else {
      throw CompressError("repeats \(repeats) of shape \(inputs[0])")
    }
    return [try Shape(checking: zip(inputs[0].dims, repeats).map(*))]
  }

  public func rearrangement(_ inputs: [Shape]) -> Rearrangement? {
    Rearrangement(inputs[0], zip(inputs[0].dims, repeats).map { extent, count in (0..<extent * count).map { $0 % extent } })
  }

  public var preserves: Preserved { [.zero, .selection, .scale] }
  public var quantization: QuantizationRule { .ofInput }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    guard let channels = outputs[0].dims.last, let before = inputs[0].dims.last else { return .fixed }
    return .carried(channels, modulo: before)
  }
}
