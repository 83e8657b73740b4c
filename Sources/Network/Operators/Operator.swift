import Diagnostics

/// What a node computes: a closed set, so that adding an operator makes the compiler list every place that computes
/// (gradients, steps, references) and must answer for it. What else is known of it, its `spec` says.
public enum Operator: Sendable, Hashable {
  case input(Input)
  case constant(Constant)
  case conv2d(Conv2D)
  case dense(Dense)
  case batchNorm(BatchNorm)
  case activation(Activation)
  case pool2d(Pool2D)
  case globalPool(GlobalPool)
  case add(Add)
  case mul(Mul)
  case concat(Concat)
  case flatten(Flatten)
  case reshape(Reshape)
  case pad(Pad)
  case dropout(Dropout)

  /// What the operator says of itself.
  public var spec: any OperatorSpec {
    switch self {
    case .input(let spec): spec
    case .constant(let spec): spec
    case .conv2d(let spec): spec
    case .dense(let spec): spec
    case .batchNorm(let spec): spec
    case .activation(let spec): spec
    case .pool2d(let spec): spec
    case .globalPool(let spec): spec
    case .add(let spec): spec
    case .mul(let spec): spec
    case .concat(let spec): spec
    case .flatten(let spec): spec
    case .reshape(let spec): spec
    case .pad(let spec): spec
    case .dropout(let spec): spec
    }
  }

  /// Those that files can name.
  private static let known: [any OperatorSpec.Type] = [
    Input.self, Constant.self, Conv2D.self, Dense.self, BatchNorm.self, Activation.self, Pool2D.self, GlobalPool.self,
    Add.self, Mul.self, Concat.self, Flatten.self, Reshape.self, Pad.self, Dropout.self,
  ]
  private static let byKind = Dictionary(uniqueKeysWithValues: known.map { ($0.kind, $0) })

  /// A convolution or dense layer; nil for others.
  public var weighted: (any WeightedSpec)? { spec as? any WeightedSpec }
  public var hasWeight: Bool { weighted != nil }
  public var isInput: Bool { if case .input = self { true } else { false } }
  public var isBatchNorm: Bool { if case .batchNorm = self { true } else { false } }

  /// Whether the output has the input's elements in the input's order.
  public var isReshape: Bool { spec.preserves.contains(.elements) }
  /// The range it clamps to, of one that does nothing else.
  public var clampRange: ClosedRange<Float>? { spec.clampRange }
}

// {"op": "conv2d", …what the operator writes…}
extension Operator: Codable {
  private enum CodingKeys: String, CodingKey { case op }

  public init(from decoder: any Decoder) throws {
    let kind = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .op)
    guard let type = Self.byKind[kind] else {
      throw CompressError("unknown operator \"\(kind.escapedForTerminal)\"", kind: .input)
    }
    self = try type.init(from: decoder).asOperator
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(spec.kind, forKey: .op)
    try spec.encode(to: encoder)
  }
}
