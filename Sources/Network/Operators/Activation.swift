import Diagnostics
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A function of each element; softmax and its logarithm are over the last axis.
public enum Activation: OperatorSpec {
  case relu, relu6, sigmoid, softmax
  case logSoftmax
  case tanh, erf, exp, log, sqrt, reciprocal, negative, absolute, sin, cos
  /// To an integer: down, up, to the nearest and of two as near to the even one. Their gradients are zero.
  case floor, ceil, round
  /// -1, 0 or 1; NaN of NaN.
  case sign
  /// `x * relu6(x + 3) / 6` (Howard et al. 2019).
  case hardSwish
  /// `x * sigmoid(x)`, also called swish (Elfwing et al. 2018).
  case silu
  /// `x * Phi(x)` by the error function, and its approximation by the hyperbolic tangent (Hendrycks and Gimpel 2016).
  case gelu, geluTanh
  /// `log(1 + exp(x))`, and `x * tanh(softplus(x))` (Misra 2019).
  case softplus, mish
  /// `x` above zero, `slope * x` below.
  case leakyReLU(slope: Float)
  /// `x` above zero, `alpha * (exp(x) - 1)` below (Clevert et al. 2016).
  case elu(alpha: Float)
  /// `slope * x + offset`, clamped to 0...1.
  case hardSigmoid(slope: Float, offset: Float)
  case clip(low: Float, high: Float)

  public static let kind = "activation"
  public var asOperator: Operator { .activation(self) }

  /// Those without numbers, by their names in files and scripts.
  public static let named: [Activation] = [
    .relu, .relu6, .sigmoid, .softmax, .logSoftmax, .tanh, .erf, .exp, .log, .sqrt, .reciprocal, .negative, .absolute,
    .hardSwish, .silu, .gelu, .geluTanh, .softplus, .mish, .sin, .cos, .floor, .ceil, .round, .sign,
  ]

  /// In files, scripts and plans.
  public var name: String {
    switch self {
    case .relu: "relu"
    case .relu6: "relu6"
    case .sigmoid: "sigmoid"
    case .softmax: "softmax"
    case .logSoftmax: "log_softmax"
    case .tanh: "tanh"
    case .erf: "erf"
    case .exp: "exp"
    case .log: "log"
    case .sqrt: "sqrt"
    case .reciprocal: "reciprocal"
    case .negative: "neg"
    case .absolute: "abs"
    case .hardSwish: "hard_swish"
    case .silu: "silu"
    case .gelu: "gelu"
    case .geluTanh: "gelu_tanh"
    case .softplus: "softplus"
    case .mish: "mish"
    case .sin: "sin"
    case .cos: "cos"
    case .floor: "floor"
    case .ceil: "ceil"
    case .round: "round"
    case .sign: "sign"
    case .leakyReLU: "leaky_relu"
    case .elu: "elu"
    case .hardSigmoid: "hard_sigmoid"
    case .clip: "clip"
    }
  }

  /// Its numbers, in the order of the case.
  private var numbers: [Float] {
    switch self {
    case .leakyReLU(let slope): [slope]
    case .elu(let alpha): [alpha]
    case .hardSigmoid(let slope, let offset): [slope, offset]
    case .clip(let low, let high): [low, high]
    default: []
    }
  }

  /// - Throws: `CompressError` when there is no such function of so many numbers.
  public init(name: String, numbers: [Float] = []) throws {
    switch (name, numbers.count) {
    case ("leaky_relu", 1): self = .leakyReLU(slope: numbers[0])
    case ("elu", 1): self = .elu(alpha: numbers[0])
    case ("hard_sigmoid", 2): self = .hardSigmoid(slope: numbers[0], offset: numbers[1])
    case ("clip", 2): self = .clip(low: numbers[0], high: numbers[1])
    default:
      guard numbers.isEmpty, let function = Self.named.first(where: { $0.name == name }) else {
        let count = numbers.isEmpty ? "" : " of \(numbers.count) numbers"
        throw CompressError("unknown activation \"\(name.escapedForTerminal)\"\(count)", kind: .input)
      }
      self = function
    }
  }

  /// Whether an output depends on its whole row.
  public var isOverRows: Bool {
    switch self {
    case .softmax, .logSoftmax: true
    default: false
    }
  }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    guard !isOverRows || inputs[0].rank >= 1 else { throw CompressError("\(name) of a scalar") }
    guard numbers.allSatisfy({ !$0.isNaN }) else { throw CompressError("\(name) with a number that is NaN") }
    if case .clip(let low, let high) = self {
      guard low <= high else { throw CompressError("clip to \(low)...\(high)") }
    } else if let infinite = numbers.first(where: { !$0.isFinite }) {
      throw CompressError("\(name) with the number \(infinite)")
    }
    return inputs
  }

  /// For functions that only clamp, the range they clamp to.
  /// The arguments that matter to a result in so many bits: beyond them the function stays where it is, or within half a
  /// code of that; nil where all do.
  public func sensitiveRange(bits: Int) -> ClosedRange<Float>? {
    /// Half a code of a result that fills 0...1.
    let half = 0.5 / Float((1 << bits) - 1)
    switch self {
    case .hardSwish: return -3 ... .infinity
    case .hardSigmoid(let slope, let offset):
      let ends = [-offset / slope, (1 - offset) / slope]
      guard ends.allSatisfy(\.isFinite) else { return nil }
      return ends.min()!...ends.max()!
    case .sigmoid:
      let end = logf((1 - half) / half)
      return -end...end
    case .tanh:
      let end = atanhf(1 - 2 * half)
      return -end...end
    default: return clampRange
    }
  }

  public var clampRange: ClosedRange<Float>? {
    switch self {
    case .relu: 0 ... .infinity
    case .relu6: 0...6
    case .clip(let low, let high): low...high
    default: nil
    }
  }

  public var elementFunction: ((Float) -> Float)? {
    switch self {
    case .relu, .relu6, .clip: clampRange.map { range in { $0.clamped(to: range) } }
    case .softmax, .logSoftmax: nil
    case .sigmoid: SmoothFunctions.sigmoid
    case .tanh: SmoothFunctions.tanh
    case .erf: SmoothFunctions.erf
    case .exp: SmoothFunctions.exp
    case .log: logf
    case .sqrt: { $0.squareRoot() }
    case .reciprocal: { 1 / $0 }
    case .negative: { -$0 }
    case .absolute: { abs($0) }
    case .hardSwish: { $0 * ($0 + 3).clamped(to: 0...6) / 6 }
    case .silu: SmoothFunctions.silu
    case .gelu: SmoothFunctions.gelu
    case .geluTanh: SmoothFunctions.geluTanh
    case .softplus: Self.softplus
    case .mish: { $0 * tanhf(Self.softplus($0)) }
    case .sin: sinf
    case .cos: cosf
    case .floor: { $0.rounded(.down) }
    case .ceil: { $0.rounded(.up) }
    case .round: { $0.rounded(.toNearestOrEven) }
    case .sign: { $0 > 0 ? 1 : $0 < 0 ? -1 : $0.isNaN ? $0 : 0 }
    case .leakyReLU(let slope): { $0 < 0 ? slope * $0 : $0 }
    case .elu(let alpha): { $0 < 0 ? alpha * expm1f($0) : $0 }
    case .hardSigmoid(let slope, let offset): { (slope * $0 + offset).clamped(to: 0...1) }
    }
  }

  /// Of a function of each element: its derivative, from what goes in. At a kink it is that of the side where the
  /// function is constant or, where it is constant on none, of the left one.
  public var derivative: ((Float) -> Float)? {
    switch self {
    case .relu, .relu6, .clip:
      clampRange.map { range in { $0 > range.lowerBound && $0 < range.upperBound ? 1 : 0 } }
    case .softmax, .logSoftmax: nil
    case .sigmoid:
      {
        let y = Self.sigmoid($0); return y * (1 - y)
      }
    case .tanh:
      {
        let y = tanhf($0); return 1 - y * y
      }
    case .erf: { 2 * Self.rootHalf * Self.rootTwoOverPi * expf(-$0 * $0) }
    case .exp: expf
    case .log: { 1 / $0 }
    case .sqrt: { 0.5 / $0.squareRoot() }
    case .reciprocal: { -1 / ($0 * $0) }
    case .negative: { _ in -1 }
    case .absolute: { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    case .hardSwish: { $0 <= -3 ? 0 : $0 >= 3 ? 1 : ($0 * 2 + 3) / 6 }
    case .silu:
      {
        let y = Self.sigmoid($0); return y * (1 + $0 * (1 - y))
      }
    case .gelu:
      { 0.5 * (1 + erff($0 * Self.rootHalf)) + $0 * 0.5 * Self.rootTwoOverPi * expf(-0.5 * $0 * $0) }
    case .geluTanh:
      {
        let t = tanhf(Self.geluInner($0))
        return 0.5 * (1 + t) + 0.5 * $0 * (1 - t * t) * Self.rootTwoOverPi * (1 + 3 * 0.044715 * $0 * $0)
      }
    case .softplus: Self.sigmoid
    case .mish:
      {
        let t = tanhf(Self.softplus($0))
        return t + $0 * (1 - t * t) * Self.sigmoid($0)
      }
    case .sin: cosf
    case .cos: { -sinf($0) }
    case .floor, .ceil, .round, .sign: { _ in 0 }
    case .leakyReLU(let slope): { $0 <= 0 ? slope : 1 }
    case .elu(let alpha): { $0 <= 0 ? alpha * expf($0) : 1 }
    case .hardSigmoid(let slope, let offset):
      {
        let y = slope * $0 + offset; return y > 0 && y < 1 ? slope : 0
      }
    }
  }

  private static let rootHalf = SmoothFunctions.rootHalf
  private static let rootTwoOverPi = SmoothFunctions.rootTwoOverPi
  private static func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }
  private static func softplus(_ x: Float) -> Float { max(x, 0) + log1pf(expf(-abs(x))) }
  private static func geluInner(_ x: Float) -> Float { rootTwoOverPi * (x + 0.044715 * x * x * x) }

  public var preserves: Preserved {
    switch self {
    case .relu: [.zero, .selection, .scale, .places]
    case .relu6: [.zero, .selection, .places]
    case .clip(let low, let high): low <= 0 && high >= 0 ? [.zero, .selection, .places] : [.selection, .places]
    case .leakyReLU, .negative, .absolute: [.zero, .scale, .places]
    case .tanh, .erf, .sqrt, .hardSwish, .silu, .gelu, .geluTanh, .mish, .elu, .sin, .floor, .ceil, .round, .sign:
      [.zero, .places]
    case .sigmoid, .cos, .exp, .log, .reciprocal, .softplus, .hardSigmoid: .places
    case .softmax, .logSoftmax: []
    }
  }

  public var quantization: QuantizationRule {
    switch self {
    case .relu, .relu6, .clip: .fused
    // What is undefined or without bound for part of the range has no scale.
    case .logSoftmax, .exp, .log, .reciprocal: .float
    default: .own
    }
  }

  public func formatVersion(_ inputs: [Shape]) -> UInt32 {
    switch self {
    case .relu, .relu6, .sigmoid, .softmax: 1
    default: 3
    }
  }

  public func coupling(_ inputs: [Shape], _ outputs: [Shape]) -> ChannelCoupling {
    isOverRows ? .fixed : .carried(outputs[0])
  }

  private enum CodingKeys: String, CodingKey { case function, numbers }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      name: container.decode(String.self, forKey: .function),
      numbers: container.decodeIfPresent([Float].self, forKey: .numbers) ?? [])
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .function)
    if !numbers.isEmpty { try container.encode(numbers, forKey: .numbers) }
  }
}

extension Float {
  /// NaN stays NaN.
  public func clamped(to range: ClosedRange<Float>) -> Float {
    self < range.lowerBound ? range.lowerBound : self > range.upperBound ? range.upperBound : self
  }
}
