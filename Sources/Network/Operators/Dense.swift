import Diagnostics
import Tensors

/// Fully connected over the last axis: `[…, in]` → `[…, units]`.
public struct Dense: WeightedSpec {
  public static let kind = "dense"
  public var asOperator: Operator { .dense(self) }

  public var units: Int
  public var hasBias: Bool

  public init(units: Int, hasBias: Bool = true) {
    self.units = units
    self.hasBias = hasBias
  }

  public var weightWindow: Window? { nil }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard let width = inputs[0].dims.last else { throw CompressError("expects at least one axis, got a scalar") }
    guard units > 0 else { throw CompressError("\(units) units") }
    _ = try Shape(checking: [units, width])
    return [try Shape(checking: inputs[0].dims.dropLast() + [units])]
  }

  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] {
    let weight = ParameterSpec(.weight, [units, Self.width(inputs[0])])
    return hasBias ? [weight, ParameterSpec(.bias, [units])] : [weight]
  }

  public func macs(_ inputs: [Shape], _ outputs: [Shape]) -> Int { outputs[0].count * Self.width(inputs[0]) }

  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double {
    Double(outputs[0].count) * Double(Self.width(inputs[0]))
  }

  private static func width(_ input: Shape) -> Int { input.dims.last ?? 1 }

  public func formatVersion(_ inputs: [Shape]) -> UInt32 { inputs[0].rank == 1 ? 1 : 3 }

  /// Every output is made of all inputs: none is tied to another.
  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { ChannelCoupling() }

  public func keeping(_ kept: KeptChannels) -> Dense {
    var dense = self
    if let output = kept.outputs[0] { dense.units = output.count }
    return dense
  }

  public func keptIndices(of role: ParameterRole, _ kept: KeptChannels) -> (first: [Int]?, last: [Int]?) {
    (kept.outputs[0], role == .weight ? kept.inputs[0] : nil)
  }

  public func factorized(rank: Int) -> (first: Operator, second: Operator)? {
    (.dense(Dense(units: rank, hasBias: false)), .dense(self))
  }

  private enum CodingKeys: String, CodingKey { case units, hasBias = "bias" }
}
