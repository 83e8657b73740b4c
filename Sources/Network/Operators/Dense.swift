import Diagnostics
import Tensors

/// Fully connected: `[in]` → `[units]`.
public struct Dense: OperatorSpec {
  public static let kind = "dense"

  public var units: Int
  public var hasBias: Bool

  public init(units: Int, hasBias: Bool = true) {
    self.units = units
    self.hasBias = hasBias
  }

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    guard inputs[0].rank == 1 else {
      throw CompressError("expects a vector, got shape \(inputs[0]); flatten it first")
    }
    guard units > 0 else { throw CompressError("\(units) units") }
    _ = try Shape(checking: [units, inputs[0][0]])
    return [units]
  }

  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] {
    let weight = ParameterSpec(.weight, [units, inputs[0][0]])
    return hasBias ? [weight, ParameterSpec(.bias, [units])] : [weight]
  }

  public func macs(_ inputs: [Shape], _ output: Shape) -> Int { units * inputs[0][0] }

  public func work(_ inputs: [Shape], _ output: Shape) -> Double { Double(units) * Double(inputs[0][0]) }

  private enum CodingKeys: String, CodingKey { case units, hasBias = "bias" }
}
