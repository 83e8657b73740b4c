import Datasets
import Diagnostics
import Kernels
import Synchronization

/// Reads batches with all threads, a few samples each.
final class BatchReader {
  private let classes: Int
  private var labels: [Int32]

  init(batchSize: Int, classes: Int) {
    self.classes = classes
    labels = [Int32](repeating: 0, count: batchSize)
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
    for (label, index) in zip(labels, indices) where !(0..<Int32(classes)).contains(label) {
      throw CompressError("label \(label) of sample \(index) is outside 0..<\(classes)", kind: .input)
    }
    return Array(labels.prefix(indices.count))
  }
}
