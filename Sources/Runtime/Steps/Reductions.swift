import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  static func reduction(_ reduce: Reduce, _ input: Shape) -> PreparedStep { AxisReduction(reduce, over: input).step }
}
