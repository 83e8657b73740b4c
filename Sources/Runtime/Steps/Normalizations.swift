import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  static func normalization(_ norm: SampleNorm, _ parameters: [ParameterRole: [Float]], _ shape: Shape) -> PreparedStep {
    StatisticNormalization(norm, over: shape).step(scale: parameters[.gamma], shift: parameters[.beta])
  }

  static func prelu(_ parameters: [ParameterRole: [Float]], _ shape: Shape) -> PreparedStep {
    let slopes = parameters[.slope]!
    return .prelu(rows: shape.count / max(slopes.count, 1), slopes: slopes)
  }
}
