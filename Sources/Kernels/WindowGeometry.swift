import CKernels
import Diagnostics

/// A window sliding over images in NHWC order, for convolution and pooling alike.
public struct WindowGeometry: Hashable, Sendable {
  /// Of one input image.
  public let height, width, channels: Int
  public let kernelHeight, kernelWidth: Int
  public let strideHeight, strideWidth: Int
  public let padding: Padding
  public let dilationHeight, dilationWidth: Int
  public let outputHeight, outputWidth: Int

  /// Pixels added on each side.
  public struct Padding: Hashable, Sendable {
    public var top, left, bottom, right: Int
    public static let none = Padding(top: 0, left: 0, bottom: 0, right: 0)

    public init(top: Int, left: Int, bottom: Int, right: Int) {
      self.top = top
      self.left = left
      self.bottom = bottom
      self.right = right
    }
  }

  /// Pairs are (vertical, horizontal).
  ///
  /// - Throws: `CompressError` when a size is not positive or absurd, or the window does not fit the image.
  public init(
    height: Int, width: Int, channels: Int, kernel: (Int, Int), stride: (Int, Int) = (1, 1),
    padding: Padding = .none, dilation: (Int, Int) = (1, 1)
  ) throws {
    func check(_ value: Int, _ what: String, from least: Int = 1) throws {
      guard value >= least, value <= Self.limit else {
        throw CompressError("\(what) is \(value), outside \(least)...\(Self.limit)")
      }
    }
    try check(height, "image height")
    try check(width, "image width")
    try check(channels, "number of channels")
    try check(kernel.0, "kernel height")
    try check(kernel.1, "kernel width")
    try check(stride.0, "vertical stride")
    try check(stride.1, "horizontal stride")
    try check(dilation.0, "vertical dilation")
    try check(dilation.1, "horizontal dilation")
    for pad in [padding.top, padding.left, padding.bottom, padding.right] { try check(pad, "padding", from: 0) }
    let reachHeight = (kernel.0 - 1) * dilation.0 + 1
    let reachWidth = (kernel.1 - 1) * dilation.1 + 1
    let paddedHeight = height + padding.top + padding.bottom
    let paddedWidth = width + padding.left + padding.right
    guard reachHeight <= paddedHeight, reachWidth <= paddedWidth else {
      throw CompressError(
        "kernel \(reachHeight)x\(reachWidth) is larger than its padded input \(paddedHeight)x\(paddedWidth)")
    }
    self.height = height
    self.width = width
    self.channels = channels
    kernelHeight = kernel.0
    kernelWidth = kernel.1
    strideHeight = stride.0
    strideWidth = stride.1
    self.padding = padding
    dilationHeight = dilation.0
    dilationWidth = dilation.1
    outputHeight = (paddedHeight - reachHeight) / stride.0 + 1
    outputWidth = (paddedWidth - reachWidth) / stride.1 + 1
    try Self.checkCount([height, width, channels], "input image")
    try Self.checkCount([outputHeight, outputWidth, channels], "output image")
    try Self.checkCount([kernelHeight, kernelWidth, channels], "window")
  }

  /// Elements of one input image.
  public var inputCount: Int { height * width * channels }
  /// Output pixels of one image.
  public var outputPixels: Int { outputHeight * outputWidth }
  /// Positions of the kernel.
  public var taps: Int { kernelHeight * kernelWidth }

  /// Every output sees just the pixel at its own place.
  var isPointwise: Bool {
    taps == 1 && strideHeight == 1 && strideWidth == 1 && padding == .none
  }

  static let limit = 1 << 24

  static func checkCount(_ factors: [Int], _ what: String) throws {
    var product = 1
    for factor in factors {
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      guard !overflow, next <= 1 << 40 else {
        throw CompressError("the \(what) of \(factors.map(String.init).joined(separator: "x")) elements is too large")
      }
      product = next
    }
  }

  var native: ck_window {
    ck_window(
      height: height, width: width, channels: channels, kernel_h: kernelHeight, kernel_w: kernelWidth,
      stride_h: strideHeight, stride_w: strideWidth, dilation_h: dilationHeight, dilation_w: dilationWidth,
      pad_top: padding.top, pad_left: padding.left, out_height: outputHeight, out_width: outputWidth)
  }
}
