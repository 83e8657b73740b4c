import Diagnostics
import Tensors

/// What everybody but those who compute it knows about an operator. One file an operator says all of it.
///
/// Shapes are those of one sample, without the batch axis: images are `[height, width, channels]` (NHWC), vectors
/// `[features]`.
public protocol OperatorSpec: Sendable, Hashable, Codable {
  /// The operator's name in files, summaries and error messages.
  static var kind: String { get }

  /// The operator as the closed set holds it.
  var asOperator: Operator { get }

  /// What a layer of it is called in summaries and plans; `kind` where one operator is not several functions.
  var name: String { get }

  // MARK: Shape and cost

  /// How many inputs it takes.
  var arity: ClosedRange<Int> { get }

  /// The shapes of its outputs for one sample.
  ///
  /// - Throws: `CompressError` with the numbers when the inputs do not fit.
  func outputShapes(_ inputs: [Shape]) throws -> [Shape]

  /// Its parameters, for inputs that `outputShapes` accepts, in the order they are stored.
  func parameters(_ inputs: [Shape]) -> [ParameterSpec]

  /// Multiply-accumulates for one sample. As in the literature only convolution and dense layers
  /// count; what is linear in the activations (pooling, batch norm, adds) does not.
  func macs(_ inputs: [Shape], _ outputs: [Shape]) -> Int

  /// The same for any sizes, too large ones included, and for pooling the pixels under its windows.
  func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double

  /// The most elements that an output of it may have.
  var largestOutput: Int { get }

  // MARK: What it does to values

  /// What of its inputs is found again in its outputs.
  var preserves: Preserved { get }

  /// Whether one input channel that is zero is enough for the output to be: products.
  var absorbsZero: Bool { get }

  /// The range it clamps to, of an operator that does nothing else: it fuses into the layer before, where that one can
  /// clamp.
  var clampRange: ClosedRange<Float>? { get }

  /// Whether a clamp behind it can be part of it.
  var fusesClamp: Bool { get }

  /// Of a function of each element alone: what it makes of one. References, tables of int8 and constants go by it.
  var elementFunction: ((Float) -> Float)? { get }

  /// Its derivative, from what goes in.
  var derivative: ((Float) -> Float)? { get }

  /// Of a function of two elements at the same place, broadcast: what it makes of them.
  var pairFunction: ((Float, Float) -> Float)? { get }

  /// Its derivatives with respect to the first and to the second.
  var pairDerivatives: (first: (Float, Float) -> Float, second: (Float, Float) -> Float)? { get }

  /// Of an operator of one input that only picks elements: which. References, steps and gradients go by it.
  func rearrangement(_ inputs: [Shape]) -> Rearrangement?

  /// How static quantization treats it.
  var quantization: QuantizationRule { get }

  /// The first version of the native format whose readers know it as it is.
  func formatVersion(_ inputs: [Shape]) -> UInt32

  // MARK: Channels

  /// How the channels of its inputs and outputs are coupled.
  func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling

  /// The operator as it is among fewer channels.
  func keeping(_ kept: KeptChannels) -> Self

  /// Which indices of a parameter stay then: of its first axis, and of its last; nil keeps all.
  func keptIndices(of role: ParameterRole, _ kept: KeptChannels) -> (first: [Int]?, last: [Int]?)
}

extension OperatorSpec {
  public var kind: String { Self.kind }
  public var name: String { Self.kind }
  public var arity: ClosedRange<Int> { 1...1 }
  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] { [] }
  public func macs(_ inputs: [Shape], _ outputs: [Shape]) -> Int { 0 }
  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double { 0 }
  public var largestOutput: Int { Graph.largestOutput }
  public var preserves: Preserved { [] }
  public var absorbsZero: Bool { false }
  public var clampRange: ClosedRange<Float>? { nil }
  public var fusesClamp: Bool { false }
  public var elementFunction: ((Float) -> Float)? { nil }
  public var derivative: ((Float) -> Float)? { nil }
  public var pairFunction: ((Float, Float) -> Float)? { nil }
  public var pairDerivatives: (first: (Float, Float) -> Float, second: (Float, Float) -> Float)? { nil }
  public func rearrangement(_ inputs: [Shape]) -> Rearrangement? { nil }
  public var quantization: QuantizationRule { .float }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 1 }
  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling { .fixed }
  public func keeping(_ kept: KeptChannels) -> Self { self }
  public func keptIndices(of role: ParameterRole, _ kept: KeptChannels) -> (first: [Int]?, last: [Int]?) {
    (kept.outputs[0], nil)
  }
}

/// What of an operator's inputs is found again in its outputs.
public struct Preserved: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// An output channel is zero where all input channels it is tied to are.
  public static let zero = Preserved(rawValue: 1)
  /// The output has the input's elements, in the input's order, under another shape or the same.
  public static let elements = Preserved(rawValue: 2)
  /// Every element of the output is one of the input's, or zero, or a bound that it is clamped to: it lies on the grid
  /// that the input was rounded to.
  public static let selection = Preserved(rawValue: 4)
  /// What each channel is multiplied by, if it is positive, may as well be multiplied behind it.
  public static let scale = Preserved(rawValue: 8)
  /// Each element of the output follows from the elements at the same place, or the same channel of a broadcast input.
  public static let places = Preserved(rawValue: 16)
}

/// How static quantization treats an operator.
public enum QuantizationRule: Sendable {
  /// Sums of products with an integer weight: its input is quantized for it, and its output where readers take
  /// integers.
  case weighted
  /// The output keeps the quantization of its input.
  case ofInput
  /// Computed in integers where all its inputs are quantized; its output then has a quantization of its own.
  case own
  /// Part of the layer before it, or on its input's grid: nothing is observed of it on its own account.
  case fused
  /// Computed in float.
  case float
}

/// A convolution or dense layer: what has a weight, whose first axis runs over its output channels and whose last over
/// the input channels of one group.
public protocol WeightedSpec: OperatorSpec {
  var hasBias: Bool { get set }
  /// In how many groups input and output channels are taken apart: 1 for all with all.
  var groups: Int { get }
  /// The window of a convolution; nil where there is none.
  var weightWindow: Window? { get }

  /// A layer without bias of `rank` outputs and one behind it with this one's outputs, whose weights' product is this
  /// one's weight; nil where there are several groups.
  func factorized(rank: Int) -> (first: Operator, second: Operator)?
}

extension WeightedSpec {
  public var groups: Int { 1 }
  public var fusesClamp: Bool { true }
  public var quantization: QuantizationRule { .weighted }

  /// Whether each input channel has filters of its own.
  public func isDepthwise(inputChannels: Int) -> Bool { groups > 1 && groups == inputChannels }

  /// The same with a bias.
  public var withBias: Operator {
    var copy = self
    copy.hasBias = true
    return copy.asOperator
  }
}

/// One parameter an operator owns.
public struct ParameterSpec: Sendable, Hashable {
  public let role: ParameterRole
  public let shape: Shape

  public init(_ role: ParameterRole, _ shape: Shape) {
    self.role = role
    self.shape = shape
  }
}

/// What a parameter is to its operator.
public enum ParameterRole: String, Sendable, Codable, CaseIterable {
  /// `[out, kh, kw, in / groups]` (OHWI) of a convolution, `[out, in]` of a dense layer.
  case weight
  /// `[out]`.
  case bias
  /// Batch normalization, each `[channels]`.
  case gamma, beta, mean, variance
  /// Of a parametric ReLU, `[channels]`.
  case slope
  /// What a constant is, of its shape; the second is trained.
  case constant, embedding
  /// While a network is trained as it will be quantized: how far the scales of the weight and of the output have moved.
  /// No operator has them.
  case weightScale = "weight_scale", outputScale = "output_scale"

  /// Whether gradient descent moves it; running statistics and constants it does not.
  public var isTrainable: Bool { self != .mean && self != .variance && self != .constant }
}
