import Diagnostics
import Tensors

/// Two-dimensional convolution (cross-correlation): `[h, w, c]` → `[oh, ow, filters]`.
///
/// With `groups` equal to the input channels it is a depthwise convolution; `filters` may then be a
/// multiple of the channels.
///
/// With an input dilation above one, zeros lie between the pixels of the input before the window slides over it: a
/// transposed convolution of that stride, whose kernel is turned by 180 degrees and whose window is padded by
/// `size - 1 - padding`.
public struct Conv2D: WeightedSpec {
  public static let kind = "conv2d"
  public var asOperator: Operator { .conv2d(self) }

  public var filters: Int
  public var window: Window
  public var groups: Int
  public var hasBias: Bool
  /// How far apart the pixels of the input are set.
  public var inputDilation: Size2D

  public init(
    filters: Int, window: Window, groups: Int = 1, hasBias: Bool = true, inputDilation: Size2D = Size2D(1)
  ) {
    self.filters = filters
    self.window = window
    self.groups = groups
    self.hasBias = hasBias
    self.inputDilation = inputDilation
  }

  /// A transposed convolution by PyTorch's numbers; `outputPadding` rows and columns more at bottom and right.
  ///
  /// - Throws: `CompressError` when a number is out of range, or the padding larger than the kernel.
  public init(
    transposed filters: Int, kernel: Size2D, stride: Size2D, padding: Size2D = Size2D(0),
    outputPadding: Size2D = Size2D(0), dilation: Size2D = Size2D(1), groups: Int = 1, hasBias: Bool = true
  ) throws {
    let limit = 1 << 16
    for (name, size, least) in [
      ("kernel", kernel, 1), ("stride", stride, 1), ("dilation", dilation, 1), ("padding", padding, 0),
      ("output padding", outputPadding, 0),
    ] {
      guard (least...limit).contains(size.height), (least...limit).contains(size.width) else {
        throw CompressError("\(name) \(size.height)x\(size.width) is out of range")
      }
    }
    let rows = (kernel.height - 1) * dilation.height - padding.height
    let columns = (kernel.width - 1) * dilation.width - padding.width
    guard rows >= 0, columns >= 0 else {
      throw CompressError(
        "padding \(padding.height)x\(padding.width) of a transposed convolution with a kernel of "
          + "\(kernel.height)x\(kernel.width)")
    }
    let window = Window(
      kernel,
      padding: .explicit(
        top: rows, left: columns, bottom: rows + outputPadding.height, right: columns + outputPadding.width),
      dilation: dilation)
    self.init(filters: filters, window: window, groups: groups, hasBias: hasBias, inputDilation: stride)
  }

  public var isTransposed: Bool { inputDilation != Size2D(1) }

  public var name: String { isTransposed ? "transposed conv2d" : Self.kind }

  public var weightWindow: Window? { window }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let channels = try inputs[0].image().channels
    guard filters > 0, groups > 0 else { throw CompressError("\(filters) filters in \(groups) groups") }
    guard channels % groups == 0, filters % groups == 0 else {
      throw CompressError("\(channels) input channels and \(filters) filters do not divide into \(groups) groups")
    }
    let spread = try InsertZeros(inputDilation).outputShapes(inputs)[0]
    let size = try window.output(height: spread[0], width: spread[1])
    _ = try Shape(checking: [filters, window.size.height, window.size.width, channels / groups])
    return [try Shape(checking: [size.height, size.width, filters])]
  }

  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] {
    let channels = inputs[0][2] / groups
    let weight = ParameterSpec(.weight, [filters, window.size.height, window.size.width, channels])
    return hasBias ? [weight, ParameterSpec(.bias, [filters])] : [weight]
  }

  public func macs(_ inputs: [Shape], _ outputs: [Shape]) -> Int {
    outputs[0].count * window.size.height * window.size.width * (inputs[0][2] / groups) / spacing
  }

  /// Of so many taps one is on a pixel of the input, the others on zeros.
  private var spacing: Int { inputDilation.height * inputDilation.width }

  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double {
    Double(outputs[0].count) * Double(window.size.height * window.size.width) * Double(inputs[0][2] / groups)
  }

  public func formatVersion(_ inputs: [Shape]) -> UInt32 { isTransposed ? 3 : 1 }

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
    second.inputDilation = Size2D(1)
    return (.conv2d(first), .conv2d(second))
  }

  private enum CodingKeys: String, CodingKey {
    case filters, window, groups, hasBias = "bias", inputDilation = "input_dilation"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      filters: try container.decode(Int.self, forKey: .filters),
      window: try container.decode(Window.self, forKey: .window),
      groups: try container.decode(Int.self, forKey: .groups),
      hasBias: try container.decode(Bool.self, forKey: .hasBias),
      inputDilation: try container.decodeIfPresent(Size2D.self, forKey: .inputDilation) ?? Size2D(1))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(filters, forKey: .filters)
    try container.encode(window, forKey: .window)
    try container.encode(groups, forKey: .groups)
    try container.encode(hasBias, forKey: .hasBias)
    if isTransposed { try container.encode(inputDilation, forKey: .inputDilation) }
  }
}
