import Diagnostics
import Tensors

/// Maximum or average over a sliding window; padding never counts, neither as a value nor in the mean.
public struct Pool2D: OperatorSpec {
  public enum Reduction: String, Sendable, Codable { case max, average }

  public static let kind = "pool2d"

  public var reduction: Reduction
  public var window: Window

  public init(_ reduction: Reduction, window: Window) {
    self.reduction = reduction
    self.window = window
  }

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    let (height, width, channels) = try inputs[0].image()
    let size = try window.output(height: height, width: width)
    let pads = window.pads(height: height, width: width)
    guard max(pads.top, pads.bottom) < window.size.height, max(pads.left, pads.right) < window.size.width else {
      throw CompressError(
        "padding \(pads.top), \(pads.left), \(pads.bottom), \(pads.right) (top, left, bottom, right) is not smaller than "
          + "the pooling window \(window.size.height)x\(window.size.width)")
    }
    guard window.dilation == Size2D(1) else { throw CompressError("pooling windows are not dilated") }
    return [size.height, size.width, channels]
  }
}

/// Maximum or average over the whole image: `[h, w, c]` → `[c]`.
public struct GlobalPool: OperatorSpec {
  public static let kind = "global_pool"

  public var reduction: Pool2D.Reduction

  public init(_ reduction: Pool2D.Reduction) { self.reduction = reduction }

  public func outputShape(_ inputs: [Shape]) throws -> Shape { [try inputs[0].image().channels] }
}
