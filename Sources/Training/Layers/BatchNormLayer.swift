import Kernels
import Network

/// Batch normalization over the last axis: in training by the batch's own mean and variance, over samples
/// and positions.
///
/// As in Keras, the variance is the biased one (divided by the number of values), both for normalizing and
/// for the running variance: `running = momentum * running + (1 - momentum) * batch`.
final class BatchNormLayer: ClampingLayer {
  private let spec: BatchNorm
  private let input: Value
  private let output: Value
  private let gamma, beta, mean, variance: TrainableParameter
  private let width: Int
  private let sums: ColumnSums
  private var clamp: ClosedRange<Float> = -.infinity ... .infinity
  /// What this pass normalizes with, kept for the backward pass.
  private let center, inverseDeviation, scale: FloatBuffer
  /// The constants of the input's gradient.
  private let gradientMean, gradientSlope: FloatBuffer

  init(
    _ spec: BatchNorm, _ input: Value, _ output: Value, gamma: TrainableParameter, beta: TrainableParameter,
    mean: TrainableParameter, variance: TrainableParameter, batchSize: Int
  ) throws {
    self.spec = spec
    self.input = input
    self.output = output
    (self.gamma, self.beta, self.mean, self.variance) = (gamma, beta, mean, variance)
    width = output.shape.dims.last!
    sums = try ColumnSums(rows: batchSize * (width == 0 ? 0 : output.size / width), width: 2 * width)
    center = try FloatBuffer(width)
    inverseDeviation = try FloatBuffer(width)
    scale = try FloatBuffer(width)
    gradientMean = try FloatBuffer(width)
    gradientSlope = try FloatBuffer(width)
  }

  var savedForBackward: SavedForBackward { .inputs }

  let goesBackThroughClamp = true

  func clamp(to range: ClosedRange<Float>) { clamp = range }

  private func rows(_ pass: Pass) -> Int { width == 0 ? 0 : pass.count * (output.size / width) }

  private var normalization: ColumnNormalization {
    ColumnNormalization(width: width, center: center.base, scale: scale.base, shift: beta.values.base, clamp: clamp)
  }

  func forward(_ pass: Pass) {
    if pass.usesBatchStatistics {
      measureBatch(pass)
    } else {
      for c in 0..<width {
        center[c] = mean.values[c]
        inverseDeviation[c] = 1 / (variance.values[c] + spec.epsilon).squareRoot()
      }
    }
    for c in 0..<width { scale[c] = gamma.values[c] * inverseDeviation[c] }
    let (width, x, y, normalization) = (width, input.data, output.data, normalization)
    pass.pool.forRows(rows(pass), width: width) { range in
      let start = range.lowerBound * width
      normalization.apply(rows: range.count, x.base + start, into: y.base + start)
    }
  }

  /// Means and squared distances chunk by chunk, each while it is in the cache, put together as Chan, Golub and LeVeque
  /// ("Updating formulae", 1979) do.
  private func measureBatch(_ pass: Pass) {
    let rows = rows(pass), count = Double(rows)
    let (x, width) = (input.data, width)
    let chunks = sums.chunks(rows: rows, pool: pass.pool) { range, partial in
      ColumnNormalization.moments(
        rows: range.count, width: width, x.base + range.lowerBound * width, mean: partial, squares: partial + width)
    }
    let momentum: Double? =
      switch pass.mode {
      case .training: Double(spec.momentum)
      case .recalibrating(let batch): Double(batch) / Double(batch + 1)
      case .refreshing, .inference: nil
      }
    for c in 0..<width {
      var total = 0.0, squares = 0.0
      for (rows, partial) in chunks { total += Double(rows) * Double(partial[c]) }
      let middle = total / count
      for (rows, partial) in chunks {
        let distance = Double(partial[c]) - middle
        squares += Double(partial[width + c]) + Double(rows) * distance * distance
      }
      let batch = squares / count
      center[c] = Float(middle)
      inverseDeviation[c] = Float(1 / (batch + Double(spec.epsilon)).squareRoot())
      guard let momentum else { continue }
      mean.values[c] = Float(momentum * Double(mean.values[c]) + (1 - momentum) * middle)
      variance.values[c] = Float(momentum * Double(variance.values[c]) + (1 - momentum) * batch)
    }
  }

  func parameterGradients(_ pass: Pass) {
    let (width, rows, normalization) = (width, rows(pass), normalization)
    let (x, dy, inverse) = (input.data, output.gradient!, inverseDeviation)
    let (dGamma, dBeta) = (gamma.gradient!, beta.gradient!)
    sums(rows: rows, pool: pass.pool) { range, sums in
      let start = range.lowerBound * width
      normalization.addGradients(
        rows: range.count, x.base + start, outputGradient: dy.base + start, sums: sums, products: sums + width)
    } store: { column, total in
      if column < width {
        dBeta[column] = Float(total)
      } else {
        dGamma[column - width] = Float(total * Double(inverse[column - width]))
      }
    }
  }

  // Through the batch's mean and variance: dx = gamma / deviation * (dy - mean(dy) - z * mean(dy * z)), z
  // being the normalized input; its means are the gradients of beta and gamma over the number of rows.
  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let rows = rows(pass)
    let share = pass.usesBatchStatistics ? 1 / Float(rows) : 0  // running statistics are constants
    for c in 0..<width {
      gradientMean[c] = share * beta.gradient![c]
      gradientSlope[c] = share * gamma.gradient![c] * inverseDeviation[c]
    }
    let (width, x, dy, normalization) = (width, input.data, output.gradient!, normalization)
    let (mean, slope) = (gradientMean, gradientSlope)
    pass.pool.forRows(rows, width: width) { range in
      let start = range.lowerBound * width
      normalization.inputGradient(
        rows: range.count, x.base + start, outputGradient: dy.base + start, mean: mean.base, slope: slope.base,
        into: target.base + start)
    }
  }
}
