import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  static func normalization(
    _ norm: SampleNorm, _ coding: IntegerCoding?, _ parameters: [ParameterRole: [Float]], _ shape: Shape
  ) -> PreparedStep {
    let norm = StatisticNormalization(norm, over: shape), scale = parameters[.gamma], shift = parameters[.beta]
    guard let coding else { return norm.step(scale: scale, shift: shift) }
    return norm.step(scale: scale, shift: shift, from: coding.from, to: coding.to)
  }

  static func prelu(_ parameters: [ParameterRole: [Float]], _ shape: Shape) -> PreparedStep {
    let slopes = parameters[.slope]!
    return .prelu(rows: shape.count / max(slopes.count, 1), slopes: slopes)
  }
}
