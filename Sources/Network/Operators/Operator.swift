import Tensors

/// What a node computes: a closed set, so that adding an operator makes the compiler list every place
/// that must answer for it.
///
/// Shapes are those of one sample, without the batch axis: images are `[height, width, channels]`
/// (NHWC), vectors `[features]`.
public enum Operator: Sendable, Hashable {
  case input(Input)
  case conv2d(Conv2D)
  case dense(Dense)
  case batchNorm(BatchNorm)
  case activation(Activation)
  case pool2d(Pool2D)
  case globalPool(GlobalPool)
  case add(Add)
  case concat(Concat)
  case flatten(Flatten)
  case reshape(Reshape)
  case pad(Pad)
  case dropout(Dropout)

  /// Shape, parameters and cost of the operator: the one place where Network asks its payload.
  public var spec: any OperatorSpec {
    switch self {
    case .input(let spec): spec
    case .conv2d(let spec): spec
    case .dense(let spec): spec
    case .batchNorm(let spec): spec
    case .activation(let spec): spec
    case .pool2d(let spec): spec
    case .globalPool(let spec): spec
    case .add(let spec): spec
    case .concat(let spec): spec
    case .flatten(let spec): spec
    case .reshape(let spec): spec
    case .pad(let spec): spec
    case .dropout(let spec): spec
    }
  }
}

/// What Network knows about an operator.
public protocol OperatorSpec: Sendable, Hashable, Codable {
  /// The operator's name in files, summaries and error messages.
  static var kind: String { get }

  /// How many inputs it takes.
  var arity: ClosedRange<Int> { get }

  /// The shape of its output for one sample.
  ///
  /// - Throws: `CompressError` with the numbers when the inputs do not fit.
  func outputShape(_ inputs: [Shape]) throws -> Shape

  /// Its parameters, for inputs that `outputShape` accepts, in the order they are stored.
  func parameters(_ inputs: [Shape]) -> [ParameterSpec]

  /// Multiply-accumulates for one sample. As in the literature only convolution and dense layers
  /// count; what is linear in the activations (pooling, batch norm, adds) does not.
  func macs(_ inputs: [Shape], _ output: Shape) -> Int

  /// The same for any sizes, too large ones included, and for pooling the pixels under its windows.
  func work(_ inputs: [Shape], _ output: Shape) -> Double
}

extension OperatorSpec {
  public var kind: String { Self.kind }
  public var arity: ClosedRange<Int> { 1...1 }
  public func parameters(_ inputs: [Shape]) -> [ParameterSpec] { [] }
  public func macs(_ inputs: [Shape], _ output: Shape) -> Int { 0 }
  public func work(_ inputs: [Shape], _ output: Shape) -> Double { 0 }
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
  /// While a network is trained as it will be quantized: how far the scales of the weight and of the output have moved.
  /// No operator has them.
  case weightScale = "weight_scale", outputScale = "output_scale"

  /// Whether gradient descent moves it; running statistics it does not.
  public var isTrainable: Bool { self != .mean && self != .variance }
}
