import Diagnostics
import Tensors

/// Mean, sum, maximum or minimum along some axes.
public struct Reduce: OperatorSpec {
  public enum Function: String, Sendable, Codable, CaseIterable { case mean, sum, max, min }

  public static let kind = "reduce"
  public var asOperator: Operator { .reduce(self) }

  public var function: Function
  /// Of a sample, ascending.
  public var axes: [Int]
  /// Whether the axes stay, with one element each.
  public var keepsAxes: Bool

  public init(_ function: Function, axes: [Int], keepsAxes: Bool = false) {
    self.function = function
    self.axes = axes
    self.keepsAxes = keepsAxes
  }

  public var name: String { "reduce \(function.rawValue)" }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard !axes.isEmpty, zip(axes, axes.dropFirst()).allSatisfy(<), axes[0] >= 0, axes.last! < inputs[0].rank else {
      throw CompressError("axes \(axes.map { $0 &+ 1 }) of shape \(inputs[0])")
    }
    return [
      Shape(inputs[0].dims.enumerated().compactMap { axes.contains($0) ? (keepsAxes ? 1 : nil) : $1 })
    ]
  }

  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double { Double(inputs[0].count) }

  /// The elements that make up one result, by their positions after the first; and for each result that of the first.
  public func elements(_ input: Shape) -> (within: Rearrangement, starts: Rearrangement) {
    let strides = input.strides
    func positions(_ axes: [Int]) -> Rearrangement {
      Rearrangement(axes.map { axis in (0..<input[axis]).map { $0 * strides[axis] } })
    }
    return (positions(axes), positions((0..<input.rank).filter { !axes.contains($0) }))
  }

  public var preserves: Preserved {
    function == .max || function == .min ? [.zero, .scale, .selection] : [.zero, .scale]
  }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    axes.contains(inputs[0].rank - 1) ? .fixed : .carried(outputs[0])
  }

  private enum CodingKeys: String, CodingKey { case function, axes, keepsAxes = "keeps_axes" }
}

/// The place of the greatest element along an axis, the first among equals, as a float.
public struct ArgMax: OperatorSpec {
  public static let kind = "arg_max"
  public var asOperator: Operator { .argMax(self) }

  public var axis: Int
  public var keepsAxis: Bool

  public init(axis: Int, keepsAxis: Bool = false) {
    self.axis = axis
    self.keepsAxis = keepsAxis
  }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard (0..<inputs[0].rank).contains(axis), inputs[0][axis] > 0 else {
      throw CompressError("axis \(axis &+ 1) of shape \(inputs[0])")
    }
    var dims = inputs[0].dims
    if keepsAxis { dims[axis] = 1 } else { dims.remove(at: axis) }
    return [Shape(dims)]
  }

  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  private enum CodingKeys: String, CodingKey { case axis, keepsAxis = "keeps_axis" }
}
