import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  static func matmul(_ product: MatMul, _ inputs: [Shape], _ output: Shape) -> PreparedStep {
    BatchedProduct(product, inputs[0], inputs[1], output).step
  }

  static func attention(_ attention: Attention, _ inputs: [Shape]) -> PreparedStep {
    AttentionGeometry(attention, inputs).step()
  }
}
