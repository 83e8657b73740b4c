import Diagnostics
import Tensors

/// The output of a node for a whole batch, samples one after the other, and the loss's gradient with
/// respect to it.
final class Value {
  /// Of one sample.
  let shape: Shape
  /// Elements of one sample.
  let size: Int
  let dataSlot: BufferSlot
  /// nil when nothing that can be trained lies before it.
  let gradientSlot: BufferSlot?

  var data: FloatBuffer { dataSlot.buffer }
  var gradient: FloatBuffer? { gradientSlot?.buffer }

  /// - Parameter other: whose gradient, which then takes the place of this one's, has as many elements and no other
  ///   source.
  /// - Throws: `CompressError` when so many samples cannot be counted.
  init(_ shape: Shape, batchSize: Int, needsGradient: Bool, sharing other: Value? = nil) throws {
    let (count, overflow) = shape.count.multipliedReportingOverflow(by: batchSize)
    guard !overflow else { throw CompressError("a batch of \(batchSize) samples of shape \(shape) is too large") }
    self.shape = shape
    size = shape.count
    dataSlot = BufferSlot(count)
    gradientSlot = needsGradient ? other?.gradientSlot ?? BufferSlot(count) : nil
  }

  /// The same memory under another shape: for layers that compute in place.
  init(_ shape: Shape, sharing other: Value) {
    precondition(shape.count == other.size)
    self.shape = shape
    size = other.size
    dataSlot = other.dataSlot
    gradientSlot = other.gradientSlot
  }
}

/// Memory that several values may share, in place of one another; where it lies is known when the whole graph is.
final class BufferSlot {
  let count: Int
  private var placed: FloatBuffer?

  init(_ count: Int) { self.count = count }

  /// - Precondition: the graph is complete.
  var buffer: FloatBuffer { placed! }

  func place(at offset: Int, of arena: FloatBuffer) { placed = FloatBuffer(count, at: offset, of: arena) }
}
