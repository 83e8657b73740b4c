import Tensors

/// How the channels (the last axis) of a layer's output hang together with those of its inputs: what else must
/// go when one channel goes.
public struct ChannelCoupling: Sendable {
  /// One channel on one side of the layer.
  public struct Channel: Sendable, Hashable {
    /// Which of the layer's inputs; nil is its output.
    public let input: Int?
    public let index: Int

    public static func input(_ input: Int, _ index: Int) -> Channel { Channel(input: input, index: index) }
    public static func output(_ index: Int) -> Channel { Channel(input: nil, index: index) }
  }

  /// Pairs that stay or go together.
  public var ties: [(Channel, Channel)] = []
  /// Whether no channel of its inputs and its output can go: the function mixes them, or does not map zero to zero.
  public var isFixed = false

  fileprivate static let fixed = ChannelCoupling(isFixed: true)

  /// Output channel `c` is made of input channel `c % count`.
  fileprivate static func carried(_ outputs: Int, modulo count: Int) -> ChannelCoupling {
    ChannelCoupling(ties: (0..<outputs).map { (.output($0), .input(0, $0 % count)) })
  }
}

extension Graph {
  /// The coupling of one layer of this graph.
  public func channelCoupling(of node: Node) -> ChannelCoupling {
    let inputs = inputShapes(of: node)
    guard let channels = shape(of: node.name).dims.last else { return .fixed }
    switch node.op {
    case .input: return .fixed
    case .dense: return ChannelCoupling()
    case .conv2d(let conv): return conv.coupling(inputChannels: inputs[0][2])
    case .batchNorm, .pool2d, .globalPool, .dropout: return .carried(channels, modulo: channels)
    case .activation(let function):
      // Zero in, zero out: the layers that follow do not notice that the channel is gone.
      return function.clamp != nil ? .carried(channels, modulo: channels) : .fixed
    case .add:
      return ChannelCoupling(
        ties: (0..<channels).flatMap { c in inputs.indices.map { (.output(c), .input($0, c)) } })
    case .concat:
      var ties: [(ChannelCoupling.Channel, ChannelCoupling.Channel)] = []
      for (input, shape) in inputs.enumerated() {
        for c in 0..<shape.dims.last! { ties.append((.output(ties.count), .input(input, c))) }
      }
      return ChannelCoupling(ties: ties)
    case .pad(let pad):
      // What is padded to the channels is tied to nothing here.
      let first = pad.before.last!
      return ChannelCoupling(ties: (0..<inputs[0].dims.last!).map { (.output(first + $0), .input(0, $0)) })
    case .flatten, .reshape:
      guard let before = inputs[0].dims.last else { return .fixed }
      // Row-major: elements of one channel stay together when one extent is a multiple of the other.
      if channels % before == 0 { return .carried(channels, modulo: before) }
      guard before % channels == 0 else { return .fixed }
      return ChannelCoupling(ties: (0..<before).map { (.input(0, $0), .output($0 % channels)) })
    }
  }
}

extension Conv2D {
  fileprivate func coupling(inputChannels: Int) -> ChannelCoupling {
    guard groups > 1 else { return ChannelCoupling() }
    let filtersInGroup = filters / groups, channelsInGroup = inputChannels / groups
    if isDepthwise(inputChannels: inputChannels) {
      return ChannelCoupling(ties: (0..<filters).map { (.output($0), .input(0, $0 / filtersInGroup)) })
    }
    // Groups stay of one size: what goes from one goes from all.
    var ties: [(ChannelCoupling.Channel, ChannelCoupling.Channel)] = []
    for group in 1..<groups {
      for c in 0..<channelsInGroup { ties.append((.input(0, c), .input(0, group * channelsInGroup + c))) }
      for f in 0..<filtersInGroup { ties.append((.output(f), .output(group * filtersInGroup + f))) }
    }
    return ChannelCoupling(ties: ties)
  }
}
