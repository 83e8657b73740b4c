import Datasets
import Diagnostics
import Kernels
import Synchronization

/// Reads batches with all threads, a few samples each.
final class BatchReader {
  private let classes: Int
  private var labels: [Int32]
  private var ahead: (queue: BatchQueue, next: Int)?

  init(batchSize: Int, classes: Int) {
    self.classes = classes
    labels = [Int32](repeating: 0, count: batchSize)
  }

  /// Batch `number`, into `images`; batches that are read one after the other are decoded ahead where that pays.
  ///
  /// - Throws: `CompressError` when reading fails, a label is outside the classes, or, naming data set and sample, when
  ///   a value is no number: some layers make numbers of it again, and the weights would be wrong before anybody sees.
  func read(_ batches: Batches, _ number: Int, into images: FloatBuffer, pool: ThreadPool) throws -> [Int32] {
    let indices = batches.indices(number)
    guard batches.data.decodesOnRead else {
      let labels = try read(batches.data, indices, into: images, pool: pool)
      try checkFinite(images, indices, of: batches.data, pool: pool)
      return labels
    }
    // Every epoch, and everything else that is read, begins at 0 or is taken up in the middle.
    let queue =
      if let ahead, ahead.next == number, number > 0 {
        ahead.queue
      } else {
        BatchQueue(batches, from: number, threads: pool.threads)
      }
    ahead = number + 1 < batches.count ? (queue, number + 1) : nil
    guard let batch = try queue.next() else { return [] }
    try check(batch.labels, indices)
    batch.images.withElements(Float.self) { images.base.update(from: $0.baseAddress!, count: $0.count) }
    try checkFinite(images, indices, of: batches.data, pool: pool)
    return batch.labels
  }

  private func checkFinite(_ images: FloatBuffer, _ indices: [Int], of data: any Dataset, pool: ThreadPool) throws {
    let size = data.sampleShape.count
    let values = UnsafeBufferPointer(start: UnsafePointer(images.base), count: indices.count * size)
    guard Distribution.finiteRange(of: values, pool: pool) == nil else { return }
    guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return }
    throw data.notFinite(values[bad], sample: indices[bad / size])
  }

  /// Writes the samples at `indices` into `images` one after the other; returns their labels.
  ///
  /// - Throws: `CompressError` when reading fails or a label is outside the classes.
  func read(_ data: any Dataset, _ indices: [Int], into images: FloatBuffer, pool: ThreadPool) throws -> [Int32] {
    let size = data.sampleShape.count
    // The error of the first samples concerned, whichever thread meets one first.
    let failure = Mutex<(at: Int, error: any Error)?>(nil)
    labels.withUnsafeMutableBufferPointer { labels in
      pool.forRows(indices.count, width: size) { range in
        do {
          try data.read(
            Array(indices[range]),
            images: UnsafeMutableBufferPointer(start: images.base + range.lowerBound * size, count: range.count * size),
            labels: UnsafeMutableBufferPointer(rebasing: labels[range]))
        } catch {
          failure.withLock { if $0 == nil || range.lowerBound < $0!.at { $0 = (range.lowerBound, error) } }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure.error }
    try check(labels, indices)
    return Array(labels.prefix(indices.count))
  }

  private func check(_ labels: [Int32], _ indices: [Int]) throws {
    for (label, index) in zip(labels, indices) where !(0..<Int32(classes)).contains(label) {
      throw CompressError(
        "sample \(index + 1) has the label \(label); the labels of \(classes) classes are 0 to \(classes - 1)",
        kind: .input)
    }
  }
}
