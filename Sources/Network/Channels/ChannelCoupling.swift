import Tensors

/// How the channels (the last axis) of a layer's outputs are coupled with those of its inputs: what else must
/// go when one channel goes.
public struct ChannelCoupling: Sendable {
  /// One channel of a value on one side of the layer.
  public struct Channel: Sendable, Hashable {
    public enum Side: Sendable, Hashable { case input(Int), output(Int) }

    public let side: Side
    public let index: Int

    public static func input(_ input: Int, _ index: Int) -> Channel { Channel(side: .input(input), index: index) }
    public static func output(_ index: Int) -> Channel { Channel(side: .output(0), index: index) }
  }

  /// Pairs that stay or go together.
  public var ties: [(Channel, Channel)]
  /// Whether no channel of its inputs and its outputs can go: the function mixes them.
  public var isFixed: Bool

  /// - Parameter ties: none where outputs and inputs have nothing to do with each other, as of a dense layer.
  public init(ties: [(Channel, Channel)] = []) {
    self.ties = ties
    isFixed = false
  }

  private init(isFixed: Bool) {
    ties = []
    self.isFixed = isFixed
  }

  public static let fixed = ChannelCoupling(isFixed: true)

  /// Output channel `c` is made of input channel `c % count`.
  public static func carried(_ outputs: Int, modulo count: Int) -> ChannelCoupling {
    ChannelCoupling(ties: (0..<outputs).map { (.output($0), .input(0, $0 % count)) })
  }

  /// Output channel `c` is made of channel `c` of the input.
  public static func carried(_ output: Shape) -> ChannelCoupling {
    guard let channels = output.dims.last else { return .fixed }
    return carried(channels, modulo: channels)
  }

  /// Output channel `c` is made of channel `c` of each input; of inputs of one channel that is broadcast, by none.
  public static func aligned(_ inputs: [Shape], _ output: Shape) -> ChannelCoupling {
    guard let channels = output.dims.last else { return .fixed }
    let whole = inputs.indices.filter { inputs[$0].dims.last == channels }
    return ChannelCoupling(ties: (0..<channels).flatMap { c in whole.map { (.output(c), .input($0, c)) } })
  }
}

/// Which channels of a layer's inputs and outputs stay, as indices of their last axis; nil keeps all.
public struct KeptChannels: Sendable {
  public let inputs: [[Int]?]
  public let outputs: [[Int]?]
  /// Of the inputs as they were.
  public let shapes: [Shape]
}

extension Graph {
  /// The coupling of one layer of this graph.
  public func channelCoupling(of node: Node) -> ChannelCoupling {
    node.op.spec.coupling(inputShapes(of: node), outputShapes(of: node))
  }
}
