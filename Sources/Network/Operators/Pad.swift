import Diagnostics
import Tensors

/// Zeros around a value: so many before and after along each axis, `[d…]` → `[before + d + after …]`.
public struct Pad: OperatorSpec {
  public static let kind = "pad"

  /// One number for each axis of a sample.
  public var before: [Int]
  public var after: [Int]

  public init(before: [Int], after: [Int]) {
    self.before = before
    self.after = after
  }

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    let dims = inputs[0].dims
    guard before.count == dims.count, after.count == dims.count else {
      throw CompressError("pads \(before.count) and \(after.count) axes of shape \(inputs[0])")
    }
    for pad in before + after where !(0...1 << 16).contains(pad) {
      throw CompressError("padding \(pad) is out of range")
    }
    return try Shape(checking: dims.indices.map { before[$0] + dims[$0] + after[$0] })
  }
}
