import Kernels
import Network

extension Elementwise.Function {
  /// nil for functions of a row.
  public init?(_ function: Activation) {
    switch function {
    case .relu, .relu6, .clip: self = .clamp(function.clampRange!)
    case .sigmoid: self = .sigmoid
    case .tanh: self = .tanh
    case .erf: self = .erf
    case .exp: self = .exp
    case .log: self = .log
    case .sqrt: self = .sqrt
    case .reciprocal: self = .reciprocal
    case .negative: self = .negative
    case .absolute: self = .absolute
    case .hardSwish: self = .hardSwish
    case .silu: self = .silu
    case .gelu: self = .gelu
    case .geluTanh: self = .geluTanh
    case .softplus: self = .softplus
    case .mish: self = .mish
    case .sin: self = .sin
    case .cos: self = .cos
    case .floor: self = .floor
    case .ceil: self = .ceil
    case .round: self = .round
    case .sign: self = .sign
    case .leakyReLU(let slope): self = .leakyReLU(slope: slope)
    case .elu(let alpha): self = .elu(alpha: alpha)
    case .hardSigmoid(let slope, let offset): self = .hardSigmoid(slope: slope, offset: offset)
    case .softmax, .logSoftmax: return nil
    }
  }
}

extension PairFunction {
  public init(_ function: Binary.Function) {
    switch function {
    case .sub: self = .subtract
    case .div: self = .divide
    case .minimum: self = .minimum
    case .maximum: self = .maximum
    case .pow: self = .power
    }
  }
}
