import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  /// Elements in another order.
  static func order(_ rearrangement: Rearrangement, _ coding: IntegerCoding?, _ input: Shape) -> PreparedStep {
    let order = ElementOrder(rearrangement, over: input)
    return coding.map { order.step(table: $0.table()) } ?? order.step
  }
}
