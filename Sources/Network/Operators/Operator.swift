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
  case binary(Binary)
  case prelu(PReLU)
  case reduce(Reduce)
  case argMax(ArgMax)
  case normalization(SampleNorm)
  case matmul(MatMul)
  case attention(Attention)
  case transpose(Transpose)
  case gather(Gather)
  case expand(Expand)
  case tile(Tile)
  case depthToSpace(DepthToSpace)
  case spaceToDepth(SpaceToDepth)
  case resize(Resize)
  case insertZeros(InsertZeros)

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
    case .binary(let spec): spec
    case .prelu(let spec): spec
    case .reduce(let spec): spec
    case .argMax(let spec): spec
    case .normalization(let spec): spec
    case .matmul(let spec): spec
    case .attention(let spec): spec
    case .transpose(let spec): spec
    case .gather(let spec): spec
    case .expand(let spec): spec
    case .tile(let spec): spec
    case .depthToSpace(let spec): spec
    case .spaceToDepth(let spec): spec
    case .resize(let spec): spec
    case .insertZeros(let spec): spec
    }
  }

  /// Those that files can name.
  private static let known: [any OperatorSpec.Type] = [
    Input.self, Constant.self, Conv2D.self, Dense.self, BatchNorm.self, Activation.self, Pool2D.self, GlobalPool.self,
    Add.self, Mul.self, Concat.self, Flatten.self, Reshape.self, Pad.self, Dropout.self,
    Binary.self, PReLU.self, Reduce.self, ArgMax.self, SampleNorm.self, MatMul.self, Attention.self, Transpose.self,
    Gather.self, Expand.self, Tile.self, DepthToSpace.self, SpaceToDepth.self, Resize.self,
    InsertZeros.self,
  ]
  /// What native files call them.
  public static let kinds = known.map { $0.kind }.sorted()
  private static let byKind = Dictionary(uniqueKeysWithValues: known.map { ($0.kind, $0) })

  /// A convolution or dense layer; nil for others.
  public var weighted: (any WeightedSpec)? { spec as? any WeightedSpec }
  public var hasWeight: Bool { weighted != nil }
  public var isInput: Bool { if case .input = self { true } else { false } }
  /// Whether zeros lie between the pixels that a convolution reads.
  public var isTransposed: Bool { if case .conv2d(let conv) = self { conv.isTransposed } else { false } }
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
