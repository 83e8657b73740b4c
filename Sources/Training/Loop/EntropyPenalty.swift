import Kernels
import Network

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the weights would take once they are rounded and entropy-coded, as part of the loss: an estimate, in bits for
/// each weight, that has slopes (in the manner of Oktay et al. 2020, "Scalable Model Compression by Entropy Penalized
/// Reparameterization").
///
/// A layer's weights are seen on whole steps, those they are rounded to in training if they are, else so wide that the
/// greatest weight is sixteen of them. A weight between two levels counts for both, for the nearer one more; a level
/// takes what its share of the layer's weights says, and a weight between two what lies on the straight line between theirs.
/// So weights are drawn to levels that many have, zero above all. It remembers nothing from step to step.
struct EntropyPenalty {
  /// Loss for a bit of each weight.
  let price: Double

  /// Steps to the greatest weight where nothing else says how wide they are.
  static let levels = 16

  /// Adds to the gradients of all weights what the estimate adds to the loss.
  func addGradients(_ weights: TrainableWeights, pool: ThreadPool) {
    let penalized = weights.parameters.filter { $0.role == .weight && $0.gradient != nil }
    let total = penalized.reduce(0) { $0 + $1.values.count }
    for parameter in penalized {
      let scales = steps(of: parameter, weights)
      let width = parameter.values.count / max(scales.count, 1)
      let slopes = Self.slopes(of: Self.bits(parameter.values, scales))
      let (w, g, price) = (parameter.values.base, parameter.gradient!.base, Float(price / Double(total)))
      pool.forChunks(parameter.values.count) { range in
        for i in range where w[i] != 0 {
          let scale = scales[i / width], place = min(abs(w[i]) / scale, Float(Self.most))
          let slope = price * slopes[Int(place)] / scale
          g[i] += w[i] > 0 ? slope : -slope
        }
      }
    }
  }

  /// Higher levels are taken for this one.
  static let most = 127

  /// One step, or one for each filter.
  private func steps(of parameter: TrainableParameter, _ weights: TrainableWeights) -> [Float] {
    if let format = weights.quantization.weights[parameter.layer] {
      guard let learned = weights.parameter(parameter.layer, .weightScale) else {
        return WeightRounding.followingScales(parameter.values, rows: format.scales.count, limit: format.limit)
      }
      return format.scales.indices.map { format.scales[$0] * learned.values[$0].exponential }
    }
    var peak: Float = 0
    for i in 0..<parameter.values.count { peak = max(peak, abs(parameter.values[i])) }
    let step = peak / Float(Self.levels)
    return [step >= .leastNormalMagnitude ? step : 1]
  }

  /// By magnitude in steps, what a level takes, sign included.
  static func bits(_ values: FloatBuffer, _ scales: [Float]) -> [Double] {
    var counts = [Double](repeating: 0, count: most + 1)
    let width = values.count / max(scales.count, 1)
    for i in 0..<values.count {
      let place = min(abs(values[i]) / scales[i / width], Float(most)), level = min(Int(place), most - 1)
      let share = Double(place - Float(level))
      counts[level] += 1 - share
      counts[level + 1] += share
    }
    // A little for each, so that levels nobody has have an end.
    let little = 0.01, total = Double(values.count) + little * Double(most + 1)
    return counts.enumerated().map { ($0.offset == 0 ? 0 : 1) - log2(($0.element + little) / total) }
  }

  /// By the level below, how steep the line to the next one is.
  static func slopes(of bits: [Double]) -> [Float] {
    bits.indices.map { $0 + 1 < bits.count ? Float(bits[$0 + 1] - bits[$0]) : 0 }
  }
}
