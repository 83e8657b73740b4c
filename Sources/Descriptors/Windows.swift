import Diagnostics
import Kernels
import Network
import Tensors

// From Network's operators to the kernels' geometry.
extension WindowGeometry {
  /// - Parameter image: `[height, width, channels]`.
  public init(_ window: Window, image: Shape) throws {
    let pads = window.pads(height: image[0], width: image[1])
    try self.init(
      height: image[0], width: image[1], channels: image[2], kernel: (window.size.height, window.size.width),
      stride: (window.stride.height, window.stride.width),
      padding: .init(top: pads.top, left: pads.left, bottom: pads.bottom, right: pads.right),
      dilation: (window.dilation.height, window.dilation.width))
  }
}

extension ConvolutionGeometry {
  public init(_ conv: Conv2D, image: Shape) throws {
    try self.init(WindowGeometry(conv.window, image: image), outputChannels: conv.filters, groups: conv.groups)
  }

  /// A factor and a shift for each channel (the last axis): a depthwise convolution of single pixels.
  public static func perChannel(_ shape: Shape) throws -> ConvolutionGeometry {
    let channels = shape.dims.last ?? 1
    let width = shape.rank == 3 ? shape[1] : 1
    let window = try WindowGeometry(
      height: shape.count / max(channels * width, 1), width: width, channels: channels, kernel: (1, 1))
    return try ConvolutionGeometry(window, outputChannels: channels, groups: channels)
  }
}

extension Pooling {
  public init(_ window: Window?, image: Shape, countsPadding: Bool = false) throws {
    guard let window else {
      self = try .global(height: image[0], width: image[1], channels: image[2])
      return
    }
    try self.init(WindowGeometry(window, image: image), countsPadding: countsPadding)
  }
}
