import Kernels
import Network
import Tensors

extension Operator {
  /// Why it is computed in float although everything it touches is held as integers, and there is an arithmetic of
  /// integers for it: for these shapes its sums could exceed their bits, or its scales are out of all proportion.
  func integerHindrance(
    _ shapes: [Shape], _ inputs: [ActivationQuantization], _ output: ActivationQuantization
  ) -> String? {
    func sums(of count: Int) -> String? {
      count <= IntegerSums.most ? nil : "sums of \(count) products of its integers can exceed 32 bits"
    }
    func product(_ scales: Float...) -> String? {
      let product = scales.reduce(1, *)
      return (0...0x1p60).contains(product) ? nil : "its scales multiply to \(product)"
    }
    switch self {
    case .mul: return product(inputs[0].scale, inputs[1].scale, 1 / output.scale)
    case .matmul:
      return sums(of: shapes[0].dims.last!) ?? product(inputs[0].scale, inputs[1].scale, 1 / output.scale)
    case .attention(let attention):
      return sums(of: shapes[0][1] / attention.heads) ?? sums(of: shapes[1][0])
        ?? product(inputs[0].scale, inputs[1].scale, attention.scale(shapes[0]), 256)
    case .normalization(let norm):
      let channels = shapes[0].dims.last!
      let count = norm.groups.map { shapes[0].count / $0 } ?? channels
      return count <= StatisticNormalization.mostInSet ? nil : "sums of \(count) squares can exceed 64 bits"
    default: return nil  // the declared fallback: what is bounded by its own operands
    }
  }
}
