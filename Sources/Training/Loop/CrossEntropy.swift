import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Softmax and cross-entropy in one: the mean over the batch of `-log(softmax(scores)[label])`.
///
/// Fused, the gradient is `(softmax(scores) - onehot(label)) / batch`, exact even where the softmax
/// saturates.
final class CrossEntropy {
  /// Per sample, so that the sum does not depend on who computed what.
  private let losses: FloatBuffer
  private let hits: FloatBuffer

  init(batchSize: Int) throws {
    losses = try FloatBuffer(batchSize)
    hits = try FloatBuffer(batchSize)
  }

  /// Loss (mean) and number of samples whose highest score is the label's; writes the scores' gradient.
  ///
  /// - Precondition: labels, one for each sample, are below the number of scores.
  func evaluate(_ scores: Value, labels: [Int32], pool: ThreadPool) -> (loss: Double, correct: Int) {
    let classes = scores.size, count = labels.count
    let (losses, hits, gradient) = (losses, hits, scores.gradient!)
    pool.forRows(count, width: classes) { range in
      let scale = 1 / Float(count)
      for sample in range {
        let x = scores.data.base + sample * classes, dx = gradient.base + sample * classes
        let label = Int(labels[sample])
        var best = 0
        for i in 1..<max(1, classes) where x[i] > x[best] { best = i }
        hits[sample] = best == label ? 1 : 0
        let (largest, logSum) = softmax(x, dx, classes)
        losses[sample] = logSum - (x[label] - largest)
        dx[label] -= 1
        for i in 0..<classes { dx[i] *= scale }
      }
    }
    var loss = 0.0, correct = 0
    for sample in 0..<count {
      loss += Double(losses[sample])
      correct += hits[sample] == 1 ? 1 : 0
    }
    return (loss / Double(count), correct)
  }
}

/// Softmax of one row, shifted by its maximum so that nothing overflows. Returns the maximum and the logarithm
/// of the sum of shifted exponentials: an element's log-probability is `(x - largest) - logSum`.
private func softmax(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ width: Int
) -> (largest: Float, logSum: Float) {
  var largest = x[0]
  for i in 1..<max(1, width) { largest = max(largest, x[i]) }
  var sum: Float = 0
  for i in 0..<width {
    y[i] = exp(x[i] - largest)
    sum += y[i]
  }
  let scale = 1 / sum
  for i in 0..<width { y[i] *= scale }
  return (largest, log(sum))
}
