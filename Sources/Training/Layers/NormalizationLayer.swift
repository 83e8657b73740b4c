import Kernels
import Network

/// SampleNorm of each sample by its own statistics: layer, group and instance normalization, RMSNorm, unit length.
final class NormalizationLayer: Layer {
  private let input: Value
  private let output: Value
  private let scale, shift: TrainableParameter?
  private let norm: StatisticNormalization
  /// Mean and inverse divisor of each set of each sample, kept for the backward pass.
  private let means, inverses: FloatBuffer
  /// Sums of products for gamma, then sums for beta.
  private let sums: ColumnSums

  init(
    _ norm: StatisticNormalization, _ input: Value, _ output: Value, scale: TrainableParameter?,
    shift: TrainableParameter?, batchSize: Int
  ) throws {
    self.norm = norm
    self.input = input
    self.output = output
    self.scale = scale
    self.shift = shift
    means = try FloatBuffer(batchSize * norm.sets)
    inverses = try FloatBuffer(batchSize * norm.sets)
    sums = try ColumnSums(rows: batchSize * norm.positions, width: 2 * norm.channels)
  }

  var savedForBackward: SavedForBackward { .inputs }

  /// Calls `body` with each set of each sample: its number, its first element, its rows, the elements of each and the
  /// channel of the first.
  private func forEachSet(
    _ pass: Pass, _ body: (_ set: Int, _ start: Int, _ rows: Int, _ width: Int, _ channel: Int) -> Void
  ) {
    let norm = norm, size = input.size
    pass.pool.forRows(pass.count * norm.sets, width: size / max(norm.sets, 1)) { range in
      for set in range {
        let (start, rows, width, channel) = norm.set(set % norm.sets)
        body(set, set / norm.sets * size + start, rows, width, channel)
      }
    }
  }

  func forward(_ pass: Pass) {
    let x = input.data.base, y = output.data.base, channels = norm.channels, norm = norm
    let gamma = scale?.values.base, beta = shift?.values.base, means = means.base, inverses = inverses.base
    forEachSet(pass) { set, start, rows, width, channel in
      let (mean, inverse) = norm.statistics(x + start, rows: rows, width: width)
      means[set] = mean
      inverses[set] = inverse
      for row in 0..<rows {
        for c in 0..<width {
          let i = start + row * channels + c
          y[i] = (x[i] - mean) * inverse * (gamma?[channel + c] ?? 1) + (beta?[channel + c] ?? 0)
        }
      }
    }
  }

  func parameterGradients(_ pass: Pass) {
    guard scale != nil || shift != nil, let dy = output.gradient?.base else { return }
    let x = input.data.base, channels = norm.channels, positions = norm.positions, norm = norm
    let width = channels / (norm.groups ?? 1), means = means.base, inverses = inverses.base
    sums(rows: pass.count * positions, pool: pass.pool) { range, sums in
      for row in range {
        for c in 0..<channels {
          let set = norm.groups == nil ? row : row / positions * norm.sets + c / width
          let i = row * channels + c
          sums[c] += dy[i] * ((x[i] - means[set]) * inverses[set])
          sums[channels + c] += dy[i]
        }
      }
    } store: { [scale, shift] column, total in
      if column < channels {
        scale?.gradient?[column] = Float(total)
      } else {
        shift?.gradient?[column - channels] = Float(total)
      }
    }
  }

  // With z the normalized input and g = dy * gamma: by the deviation dx = inverse * (g - mean(g) - z * mean(g * z)), by
  // the root of the mean square without mean(g), by the length dx = inverse * (g - z * sum(g * z)).
  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let x = input.data.base, dy = output.gradient!.base, dx = target.base, channels = norm.channels
    let gamma = scale?.values.base, means = means.base, inverses = inverses.base, statistic = norm.statistic
    forEachSet(pass) { set, start, rows, width, channel in
      let mean = means[set], inverse = inverses[set]
      var sum = 0.0, products = 0.0
      for row in 0..<rows {
        for c in 0..<width {
          let i = start + row * channels + c, g = Double(dy[i] * (gamma?[channel + c] ?? 1))
          sum += g
          products += g * Double((x[i] - mean) * inverse)
        }
      }
      let count = Double(rows * width)
      let middle = statistic == .variance ? Float(sum / count) : 0
      let slope = Float(statistic == .length ? products : products / count)
      for row in 0..<rows {
        for c in 0..<width {
          let i = start + row * channels + c, g = dy[i] * (gamma?[channel + c] ?? 1)
          dx[i] = inverse * (g - middle - (x[i] - mean) * inverse * slope)
        }
      }
    }
  }
}
