import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  static func matmul(_ product: MatMul, _ coding: IntegerCoding?, _ inputs: [Shape], _ output: Shape) -> PreparedStep {
    let product = BatchedProduct(product, inputs[0], inputs[1], output)
    return coding.map { product.step($0.inputs[0], $0.inputs[1], to: $0.to) } ?? product.step
  }

  static func attention(_ attention: Attention, _ coding: IntegerCoding?, _ inputs: [Shape]) -> PreparedStep {
    let attention = AttentionGeometry(attention, inputs)
    guard let coding else { return attention.step() }
    return attention.step(queries: coding.inputs[0], keys: coding.inputs[1], values: coding.inputs[2], to: coding.to)
  }
}
