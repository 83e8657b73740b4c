import Diagnostics
import Tensors

/// Two-dimensional convolution (cross-correlation): `[h, w, c]` → `[oh, ow, filters]`.
///
/// With `groups` equal to the input channels it is a depthwise convolution; `filters` may then be a
/// multiple of the channels.
public struct Conv2D: OperatorSpec {
  public static let kind = "conv2d"

  public var filters: Int
  public var window: Window
  public var groups: Int
  public var hasBias: Bool

  public init(filters: Int, window: Window, groups: Int = 1, hasBias: Bool = true) {
    self.filters = filters
    self.window = window
    self.groups = groups
    self.hasBias = hasBias
  }

  public func outputShape(_ inputs: [Shape]) throws -> Shape {
    let (height, width, channels) = try inputs[0].image()
    guard filters > 0, groups > 0 else { throw CompressError("\(filters) filters in \(groups) groups") }
    guard channels % groups == 0, filters % groups == 0 else {
      throw CompressError("\(channels) input channels and \(filters) filters do not divide into \(groups) groups")
    }
    let size = try window.output(height: height, width: width)
    _ = try Shape(checking: [filters, window.size.height, window.size.width, channels / groups])
    return try Shape(checking: [size.height, size.width, filters])
  }

  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] {
    let channels = inputs[0][2] / groups
    let weight = ParameterSpec(.weight, [filters, window.size.height, window.size.width, channels])
    return hasBias ? [weight, ParameterSpec(.bias, [filters])] : [weight]
  }

  public func macs(_ inputs: [Shape], _ output: Shape) -> Int {
    output.count * window.size.height * window.size.width * (inputs[0][2] / groups)
  }

  public func work(_ inputs: [Shape], _ output: Shape) -> Double {
    Double(output.count) * Double(window.size.height * window.size.width) * Double(inputs[0][2] / groups)
  }

  public func isDepthwise(inputChannels: Int) -> Bool { groups > 1 && groups == inputChannels }

  private enum CodingKeys: String, CodingKey { case filters, window, groups, hasBias = "bias" }
}
