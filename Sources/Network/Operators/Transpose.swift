import Diagnostics
import Tensors

/// The axes in another order: axis `i` of the output is axis `axes[i]` of the input.
public struct Transpose: RearrangingSpec {
  public static let kind = "transpose"
  public var asOperator: Operator { .transpose(self) }

  public var axes: [Int]

  public init(_ axes: [Int]) { self.axes = axes }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard axes.sorted() == Array(0..<inputs[0].rank) else {
      throw CompressError("axes \(axes.map { $0 &+ 1 }) are no order of those of shape \(inputs[0])")
    }
    return [Shape(axes.map { inputs[0][$0] })]
  }

  public func rearrangement(_ inputs: [Shape]) -> Rearrangement? {
    let strides = inputs[0].strides
    return Rearrangement(axes.map { axis in (0..<inputs[0][axis]).map { $0 * strides[axis] } })
  }

  public var preserves: Preserved { [.zero, .selection, .scale] }
  public var quantization: QuantizationRule { .ofInput }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    axes.last == axes.count - 1 ? .carried(outputs[0]) : .fixed
  }
}
