import Diagnostics
import Tensors

/// Maximum or average over a sliding window. Padding never counts as a value; in the mean it does when
/// `countsPadding` says so, as zeros (PyTorch's `count_include_pad`).
public struct Pool2D: OperatorSpec {
  public enum Reduction: String, Sendable, Codable {
    case max, average

    fileprivate var preserves: Preserved { self == .max ? [.zero, .scale, .selection] : [.zero, .scale] }
  }

  public static let kind = "pool2d"
  public var asOperator: Operator { .pool2d(self) }

  public var reduction: Reduction
  public var window: Window
  /// Whether an average divides by the whole window rather than by its pixels inside the image.
  public var countsPadding: Bool

  public init(_ reduction: Reduction, window: Window, countsPadding: Bool = false) {
    self.reduction = reduction
    self.window = window
    self.countsPadding = countsPadding
  }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let (height, width, channels) = try inputs[0].image()
    let size = try window.output(height: height, width: width)
    let pads = window.pads(height: height, width: width)
    guard max(pads.top, pads.bottom) < window.size.height, max(pads.left, pads.right) < window.size.width else {
      throw CompressError(
        "padding \(pads.top), \(pads.left), \(pads.bottom), \(pads.right) (top, left, bottom, right) is not smaller than "
          + "the pooling window \(window.size.height)x\(window.size.width)")
    }
    guard window.dilation == Size2D(1) else { throw CompressError("pooling windows are not dilated") }
    guard !countsPadding || reduction == .average else { throw CompressError("padding has no part in a maximum") }
    return [[size.height, size.width, channels]]
  }

  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double {
    Double(outputs[0].count) * Double(window.size.height * window.size.width)
  }

  public var preserves: Preserved { reduction.preserves }
  public var quantization: QuantizationRule { .ofInput }

  /// Earlier ones hold averages that count padding, but do not say so in their version.
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { countsPadding ? 3 : 1 }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .carried(outputs[0]) }

  private enum CodingKeys: String, CodingKey { case reduction, window, countsPadding = "counts_padding" }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try container.decode(Reduction.self, forKey: .reduction),
      window: try container.decode(Window.self, forKey: .window),
      countsPadding: try container.decodeIfPresent(Bool.self, forKey: .countsPadding) ?? false)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(reduction, forKey: .reduction)
    try container.encode(window, forKey: .window)
    if countsPadding { try container.encode(true, forKey: .countsPadding) }
  }
}

/// Maximum or average over the whole image: `[h, w, c]` → `[c]`.
public struct GlobalPool: OperatorSpec {
  public static let kind = "global_pool"
  public var asOperator: Operator { .globalPool(self) }

  public var reduction: Pool2D.Reduction

  public init(_ reduction: Pool2D.Reduction) { self.reduction = reduction }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] { [[try inputs[0].image().channels]] }

  public var preserves: Preserved { reduction.preserves }
  public var quantization: QuantizationRule { .ofInput }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .carried(outputs[0]) }
}
