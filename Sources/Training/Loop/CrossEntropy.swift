import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Softmax and cross-entropy in one: the mean over the batch of `-sum(target * log(softmax(scores)))`.
///
/// The target is the label, or with smoothing `(1 - s)` of it and `s` shared by all classes (Szegedy et al. 2016); a
/// teacher's scores may have their part (see `Distillation`). Fused, the gradient is
/// `(softmax(scores) - target) / batch`, exact even where the softmax saturates.
final class CrossEntropy {
  private let smoothing: Float
  private let distillation: Distillation?
  /// Per sample, so that the sum does not depend on who computed what.
  private let losses: FloatBuffer
  private let hits: FloatBuffer
  /// Two rows of scores for each sample: the softened softmaxes of teacher and student.
  private let softened: FloatBuffer?

  init(batchSize: Int, classes: Int, smoothing: Double = 0, distillation: Distillation? = nil) throws {
    self.smoothing = Float(smoothing)
    self.distillation = distillation
    losses = try FloatBuffer(batchSize)
    hits = try FloatBuffer(batchSize)
    softened = distillation == nil ? nil : try FloatBuffer(2 * batchSize * classes)
  }

  /// Loss (mean) and number of samples whose highest score is the label's; writes the scores' gradient.
  ///
  /// - Parameter teacher: the teacher's scores of the same samples, when there is a distillation.
  /// - Precondition: labels, one for each sample, are below the number of scores.
  func evaluate(
    _ scores: Value, labels: [Int32], teacher: FloatBuffer? = nil, pool: ThreadPool
  ) -> (loss: Double, correct: Int) {
    let classes = scores.size, count = labels.count
    let (losses, hits, gradient, smoothing) = (losses, hits, scores.gradient!, smoothing)
    pool.forRows(count, width: classes) { range in
      let scale = 1 / Float(count)
      for sample in range {
        let x = scores.data.base + sample * classes, dx = gradient.base + sample * classes
        let label = Int(labels[sample])
        hits[sample] = highest(x, classes) == label ? 1 : 0
        let (largest, logSum) = softmax(x, dx, classes)
        var loss = logSum - (x[label] - largest)
        dx[label] -= 1 - smoothing
        if smoothing > 0 {
          let share = smoothing / Float(classes)
          var sum: Float = 0
          for i in 0..<classes {
            sum += logSum - (x[i] - largest)
            dx[i] -= share
          }
          loss = (1 - smoothing) * loss + share * sum
        }
        if let distillation, let teacher, let softened {
          let rows = softened.base + 2 * sample * classes
          let weight = Float(distillation.weight), temperature = Float(distillation.temperature)
          let divergence = soften(
            x, teacher.base + sample * classes, classes, temperature, student: rows, teacher: rows + classes)
          loss = (1 - weight) * loss + weight * temperature * temperature * divergence
          for i in 0..<classes {
            dx[i] = (1 - weight) * dx[i] + weight * temperature * (rows[i] - rows[classes + i])
          }
        }
        losses[sample] = loss
        for i in 0..<classes { dx[i] *= scale }
      }
    }
    return totals(count)
  }

  /// Plain cross-entropy and hits, without smoothing, teacher or gradient: for validation.
  func measure(_ scores: Value, labels: [Int32], pool: ThreadPool) -> (loss: Double, correct: Int) {
    let classes = scores.size, count = labels.count
    let (losses, hits) = (losses, hits)
    pool.forRows(count, width: classes) { range in
      for sample in range {
        let x = scores.data.base + sample * classes
        let label = Int(labels[sample]), best = highest(x, classes)
        hits[sample] = best == label ? 1 : 0
        var sum: Float = 0
        for i in 0..<classes { sum += exp(x[i] - x[best]) }
        losses[sample] = log(sum) - (x[label] - x[best])
      }
    }
    return totals(count)
  }

  private func totals(_ count: Int) -> (loss: Double, correct: Int) {
    var loss = 0.0, correct = 0
    for sample in 0..<count {
      loss += Double(losses[sample])
      correct += hits[sample] == 1 ? 1 : 0
    }
    return (loss / Double(count), correct)
  }
}

/// The index of the largest, the first of equals.
private func highest(_ x: UnsafePointer<Float>, _ width: Int) -> Int {
  var best = 0
  for i in 1..<max(1, width) where x[i] > x[best] { best = i }
  return best
}

/// Softmax of one row, shifted by its maximum so that nothing overflows. Returns the maximum and the logarithm
/// of the sum of shifted exponentials: an element's log-probability is `(x - largest) - logSum`.
private func softmax(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ width: Int, temperature: Float = 1
) -> (largest: Float, logSum: Float) {
  var largest = x[0]
  for i in 1..<max(1, width) { largest = max(largest, x[i]) }
  var sum: Float = 0
  for i in 0..<width {
    y[i] = exp((x[i] - largest) / temperature)
    sum += y[i]
  }
  let scale = 1 / sum
  for i in 0..<width { y[i] *= scale }
  return (largest, log(sum))
}

/// Softmaxes of both rows at a temperature; returns the divergence of the student's from the teacher's.
private func soften(
  _ x: UnsafePointer<Float>, _ taught: UnsafePointer<Float>, _ width: Int, _ temperature: Float,
  student p: UnsafeMutablePointer<Float>, teacher q: UnsafeMutablePointer<Float>
) -> Float {
  let own = softmax(x, p, width, temperature: temperature)
  let other = softmax(taught, q, width, temperature: temperature)
  var divergence: Float = 0
  for i in 0..<width {
    let logP = (x[i] - own.largest) / temperature - own.logSum
    let logQ = (taught[i] - other.largest) / temperature - other.logSum
    divergence += q[i] * (logQ - logP)
  }
  return divergence
}
