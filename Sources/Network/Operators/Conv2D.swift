import Diagnostics
import Tensors

/// Two-dimensional convolution (cross-correlation): `[h, w, c]` → `[oh, ow, filters]`.
///
/// With `groups` equal to the input channels it is a depthwise convolution; `filters` may then be a
/// multiple of the channels.
public struct Conv2D: WeightedSpec {
  public static let kind = "conv2d"
  public var asOperator: Operator { .conv2d(self) }

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

  public var weightWindow: Window? { window }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let (height, width, channels) = try inputs[0].image()
    guard filters > 0, groups > 0 else { throw CompressError("\(filters) filters in \(groups) groups") }
    guard channels % groups == 0, filters % groups == 0 else {
      throw CompressError("\(channels) input channels and \(filters) filters do not divide into \(groups) groups")
    }
    let size = try window.output(height: height, width: width)
    _ = try Shape(checking: [filters, window.size.height, window.size.width, channels / groups])
    return [try Shape(checking: [size.height, size.width, filters])]
  }

  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] {
    let channels = inputs[0][2] / groups
    let weight = ParameterSpec(.weight, [filters, window.size.height, window.size.width, channels])
    return hasBias ? [weight, ParameterSpec(.bias, [filters])] : [weight]
  }

  public func macs(_ inputs: [Shape], _ outputs: [Shape]) -> Int {
    outputs[0].count * window.size.height * window.size.width * (inputs[0][2] / groups)
  }

  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double {
    Double(outputs[0].count) * Double(window.size.height * window.size.width) * Double(inputs[0][2] / groups)
  }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    guard groups > 1 else { return ChannelCoupling() }
    let channels = inputs[0][2], filtersInGroup = filters / groups, channelsInGroup = channels / groups
    if isDepthwise(inputChannels: channels) {
      return ChannelCoupling(ties: (0..<filters).map { (.output($0), .input(0, $0 / filtersInGroup)) })
    }
    // Groups stay of one size: what goes from one goes from all.
    var coupling = ChannelCoupling()
    for group in 1..<groups {
      for c in 0..<channelsInGroup { coupling.ties.append((.input(0, c), .input(0, group * channelsInGroup + c))) }
      for f in 0..<filtersInGroup { coupling.ties.append((.output(f), .output(group * filtersInGroup + f))) }
    }
    return coupling
  }

  public func keeping(_ kept: KeptChannels) -> Conv2D {
    var conv = self
    if isDepthwise(inputChannels: kept.shapes[0][2]), let left = kept.inputs[0] { conv.groups = left.count }
    if let output = kept.outputs[0] { conv.filters = output.count }
    return conv
  }

  public func keptIndices(of role: ParameterRole, _ kept: KeptChannels) -> (first: [Int]?, last: [Int]?) {
    guard role == .weight else { return (kept.outputs[0], nil) }
    // Within a group; all groups keep the same.
    let channelsInGroup = kept.shapes[0][2] / groups
    let isSingle = channelsInGroup == 1 && groups > 1
    return (kept.outputs[0], isSingle ? nil : kept.inputs[0]?.filter { $0 < channelsInGroup })
  }

  public func factorized(rank: Int) -> (first: Operator, second: Operator)? {
    guard groups == 1 else { return nil }
    var first = self, second = self
    first.filters = rank
    first.hasBias = false
    second.window = Window(Size2D(1))
    return (.conv2d(first), .conv2d(second))
  }

  private enum CodingKeys: String, CodingKey { case filters, window, groups, hasBias = "bias" }
}
