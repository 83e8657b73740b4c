import Diagnostics
import Tensors

/// The output of a node for a whole batch, samples one after the other, and the loss's gradient with
/// respect to it.
final class Value {
  /// Of one sample.
  let shape: Shape
  /// Elements of one sample.
  let size: Int
  let data: FloatBuffer
  /// nil when nothing that can be trained lies before it.
  let gradient: FloatBuffer?

  /// - Throws: `CompressError` when there is no memory for so many samples.
  init(_ shape: Shape, batchSize: Int, needsGradient: Bool) throws {
    let (count, overflow) = shape.count.multipliedReportingOverflow(by: batchSize)
    guard !overflow else { throw CompressError("a batch of \(batchSize) samples of shape \(shape) is too large") }
    self.shape = shape
    size = shape.count
    data = try FloatBuffer(count)
    gradient = needsGradient ? try FloatBuffer(count) : nil
  }

  /// The same memory under another shape: for layers that compute in place.
  init(_ shape: Shape, sharing other: Value) {
    precondition(shape.count == other.size)
    self.shape = shape
    size = other.size
    data = other.data
    gradient = other.gradient
  }
}
