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
  /// - Throws: as below.
  func read(_ batches: Batches, _ number: Int, into images: FloatBuffer, pool: ThreadPool) throws -> [Int32] {
    let indices = batches.indices(number)
    guard batches.data.decodesOnRead else { return try read(batches.data, indices, into: images, pool: pool) }
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
    return batch.labels
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
      throw CompressError("label \(label) of sample \(index) is outside 0..<\(classes)", kind: .input)
    }
  }
}
