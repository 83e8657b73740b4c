import Diagnostics
import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  /// - Parameter window: nil for the whole image.
  static func pooling(
    _ window: Window?, _ reduction: Pool2D.Reduction, countsPadding: Bool, _ coding: IntegerCoding?, _ image: Shape
  ) throws -> PreparedStep {
    let pooling = try Pooling(window, image: image, countsPadding: countsPadding)
    switch (reduction, coding) {
    case (.max, nil): return pooling.step(.max)
    case (.average, nil): return pooling.step(.average)
    case (.max, let coding?): return pooling.maximumStep(table: coding.table())
    case (.average, let coding?):
      guard pooling.window.taps <= Int(Int32.max) / 255 else {
        throw CompressError("the sum of \(pooling.window.taps) uint8 values can exceed 32 bits")
      }
      return pooling.averageStep(from: coding.from, to: coding.to)
    }
  }
}
