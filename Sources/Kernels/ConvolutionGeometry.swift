import Diagnostics
import Tensors

/// The shapes of a convolution: images NHWC, weights OHWI with I = input channels / groups.
///
/// With as many groups as input channels it is depthwise; with a 1x1 image and kernel it is a dense layer.
public struct ConvolutionGeometry: Hashable, Sendable {
  public let window: WindowGeometry
  public let outputChannels: Int
  public let groups: Int

  /// - Throws: `CompressError` when the groups do not divide both numbers of channels, or a size is too large.
  public init(_ window: WindowGeometry, outputChannels: Int, groups: Int = 1) throws {
    guard outputChannels >= 1, outputChannels <= WindowGeometry.limit else {
      throw CompressError("number of output channels is \(outputChannels), outside 1...\(WindowGeometry.limit)")
    }
    guard groups >= 1, window.channels % groups == 0, outputChannels % groups == 0 else {
      throw CompressError(
        "\(groups) groups do not divide \(window.channels) input and \(outputChannels) output channels")
    }
    self.window = window
    self.outputChannels = outputChannels
    self.groups = groups
    try WindowGeometry.checkCount([window.outputHeight, window.outputWidth, outputChannels], "output image")
    try WindowGeometry.checkCount(
      [outputChannels, window.kernelHeight, window.kernelWidth, window.channels / groups], "weight")
  }

  /// A dense layer; its batch counts rows, its weights are (outputs, inputs).
  public static func dense(inputs: Int, outputs: Int) throws -> ConvolutionGeometry {
    try ConvolutionGeometry(
      WindowGeometry(height: 1, width: 1, channels: inputs, kernel: (1, 1)), outputChannels: outputs)
  }

  /// A dense layer over the last axis of samples of a shape: a convolution of single pixels, so many as there are
  /// vectors in a sample.
  public static func dense(over shape: Shape, outputs: Int) throws -> ConvolutionGeometry {
    let width = shape.dims.last ?? 1
    if shape.rank == 1 { return try dense(inputs: width, outputs: outputs) }
    let window = try WindowGeometry(
      height: 1, width: shape.dims.dropLast().reduce(1, *), channels: width, kernel: (1, 1))
    return try ConvolutionGeometry(window, outputChannels: outputs)
  }

  public var outputHeight: Int { window.outputHeight }
  public var outputWidth: Int { window.outputWidth }
  /// Elements of one input image, of one output image, and of the weights.
  public var inputCount: Int { window.inputCount }
  public var outputCount: Int { window.outputPixels * outputChannels }
  public var weightCount: Int { outputChannels * depth }
  /// Multiplications behind one output: the K of the matrix product.
  public var depth: Int { window.taps * channelsPerGroup }

  var channelsPerGroup: Int { window.channels / groups }
  var outputsPerGroup: Int { outputChannels / groups }
  /// One output channel to each input channel: there are kernels of its own for that.
  var isDepthwise: Bool { groups > 1 && groups == window.channels && groups == outputChannels }
}
