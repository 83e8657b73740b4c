import Kernels
import Network

/// Batch normalization over the last axis: in training by the batch's own mean and variance, over samples
/// and positions.
///
/// As in Keras, the variance is the biased one (divided by the number of values), both for normalizing and
/// for the running variance: `running = momentum * running + (1 - momentum) * batch`.
struct BatchNormLayer: Layer {
  private let spec: BatchNorm
  private let input: Value
  private let output: Value
  private let gamma, beta, mean, variance: TrainableParameter
  private let width: Int
  private let sums: ColumnSums
  /// What this pass normalizes with, kept for the way back.
  private let center: FloatBuffer
  private let inverseDeviation: FloatBuffer

  init(
    _ spec: BatchNorm, _ input: Value, _ output: Value, gamma: TrainableParameter, beta: TrainableParameter,
    mean: TrainableParameter, variance: TrainableParameter, batchSize: Int
  ) throws {
    self.spec = spec
    self.input = input
    self.output = output
    (self.gamma, self.beta, self.mean, self.variance) = (gamma, beta, mean, variance)
    width = output.shape.dims.last!
    sums = try ColumnSums(rows: batchSize * (width == 0 ? 0 : output.size / width), width: width)
    center = try FloatBuffer(width)
    inverseDeviation = try FloatBuffer(width)
  }

  var keeps: Keeping { .inputs }

  private func rows(_ pass: Pass) -> Int { width == 0 ? 0 : pass.count * (output.size / width) }

  func forward(_ pass: Pass) {
    if pass.usesBatchStatistics {
      measureBatch(pass)
    } else {
      for c in 0..<width {
        center[c] = mean.values[c]
        inverseDeviation[c] = 1 / (variance.values[c] + spec.epsilon).squareRoot()
      }
    }
    let (width, x, y) = (width, input.data, output.data)
    let (center, inverse, gamma, beta) = (center, inverseDeviation, gamma.values, beta.values)
    pass.pool.forRows(rows(pass), width: width) { range in
      let center = center.base, inverse = inverse.base, gamma = gamma.base, beta = beta.base
      for row in range {
        let x = x.base + row * width, y = y.base + row * width
        for c in 0..<width { y[c] = (x[c] - center[c]) * inverse[c] * gamma[c] + beta[c] }
      }
    }
  }

  private func measureBatch(_ pass: Pass) {
    let rows = rows(pass), count = Double(rows)
    let (x, width, center) = (input.data, width, center)
    sums(rows: rows, pool: pass.pool) { range, sums in
      for row in range {
        let x = x.base + row * width
        for c in 0..<width { sums[c] += x[c] }
      }
    } store: { center[$0] = Float($1 / count) }
    let momentum: Double? =
      switch pass.mode {
      case .training: Double(spec.momentum)
      case .recalibrating(let batch): Double(batch) / Double(batch + 1)
      case .refreshing, .inference: nil
      }
    sums(rows: rows, pool: pass.pool) { range, sums in
      let center = center.base
      for row in range {
        let x = x.base + row * width
        for c in 0..<width { sums[c] += (x[c] - center[c]) * (x[c] - center[c]) }
      }
    } store: { c, total in
      let batch = total / count
      inverseDeviation[c] = Float(1 / (batch + Double(spec.epsilon)).squareRoot())
      guard let momentum else { return }
      mean.values[c] = Float(momentum * Double(mean.values[c]) + (1 - momentum) * Double(center[c]))
      variance.values[c] = Float(momentum * Double(variance.values[c]) + (1 - momentum) * batch)
    }
  }

  func parameterGradients(_ pass: Pass) {
    let (width, rows) = (width, rows(pass))
    let (x, dy, center, inverse) = (input.data, output.gradient!, center, inverseDeviation)
    sums.sum(dy, rows: rows, into: beta.gradient!, pool: pass.pool)
    sums(rows: rows, pool: pass.pool) { range, sums in
      let center = center.base
      for row in range {
        let x = x.base + row * width, dy = dy.base + row * width
        for c in 0..<width { sums[c] += dy[c] * (x[c] - center[c]) }
      }
    } store: { [dGamma = gamma.gradient!] c, total in dGamma[c] = Float(total * Double(inverse[c])) }
  }

  // Through the batch's mean and variance: dx = gamma / deviation * (dy - mean(dy) - z * mean(dy * z)), z
  // being the normalized input; its means are the gradients of beta and gamma over the number of rows.
  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let (width, rows) = (width, rows(pass))
    let (x, dy, center, inverse) = (input.data, output.gradient!, center, inverseDeviation)
    let (gamma, dGamma, dBeta) = (gamma.values, gamma.gradient!, beta.gradient!)
    let share = pass.usesBatchStatistics ? 1 / Float(rows) : 0  // running statistics are constants
    pass.pool.forRows(rows, width: width) { range in
      let center = center.base, inverse = inverse.base
      let gamma = gamma.base, dGamma = dGamma.base, dBeta = dBeta.base
      for row in range {
        let x = x.base + row * width, dy = dy.base + row * width, dx = target.base + row * width
        for c in 0..<width {
          let z = (x[c] - center[c]) * inverse[c]
          dx[c] = gamma[c] * inverse[c] * (dy[c] - share * (dBeta[c] + z * dGamma[c]))
        }
      }
    }
  }
}
