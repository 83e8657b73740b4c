import Kernels

extension PreparedStep {
  /// Zeros around or within each sample; with codes the input's zero point.
  static func padding(_ padding: ZeroPadding, _ coding: IntegerCoding?) -> PreparedStep {
    coding.map { padding.step(with: $0.from.zeroPoint, table: $0.table()) } ?? padding.step
  }
}
