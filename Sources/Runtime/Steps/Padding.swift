import Kernels
import Network
import Tensors

extension PreparedStep {
  /// Zeros around each sample; around codes the input's zero point.
  static func padding(_ pad: Pad, _ coding: IntegerCoding?, _ input: Shape) -> PreparedStep {
    let padding = ZeroPadding(shape: input.dims, before: pad.before, after: pad.after)
    return coding.map { padding.step(with: $0.from.zeroPoint, table: $0.table()) } ?? padding.step
  }
}
