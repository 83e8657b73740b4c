import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An exponential moving average of all parameters, running statistics included:
/// `average = decay * average + (1 - decay) * w` after every step, from zero.
///
/// Divided by `1 - decay^steps`, as Adam corrects its own, it is a weighted mean of the weights so far: good from the
/// first step on.
final class WeightAverage {
  let decay: Double
  /// In the parameters' order.
  let sums: [FloatBuffer]
  /// Where the trained values wait while the averages are in their place.
  private let waiting: [FloatBuffer]

  init(_ weights: TrainableWeights, decay: Double) throws {
    self.decay = decay
    sums = try weights.parameters.map { try FloatBuffer($0.values.count) }
    waiting = try weights.parameters.map { try FloatBuffer($0.values.count) }
  }

  func add(_ weights: TrainableWeights, pool: ThreadPool) {
    let keep = Float(decay), take = Float(1 - decay)
    for (parameter, sum) in zip(weights.parameters, sums) {
      pool.forChunks(sum.count) { range in
        let a = sum.base, w = parameter.values.base
        for i in range { a[i] = keep * a[i] + take * w[i] }
      }
    }
  }

  /// Puts the averages in the weights' place; what masks remove stays zero.
  func use(for weights: TrainableWeights, steps: Int, pool: ThreadPool) {
    let scale = Float(1 / (1 - pow(decay, Double(steps))))
    for (index, parameter) in weights.parameters.enumerated() {
      pool.copy(parameter.values, to: waiting[index], count: parameter.values.count)
      let sum = sums[index]
      pool.forChunks(sum.count) { range in
        let a = sum.base, w = parameter.values.base
        for i in range { w[i] = scale * a[i] }
      }
      parameter.holdMask(pool, withState: false)
    }
  }

  /// Puts the trained values back.
  func putBack(_ weights: TrainableWeights, pool: ThreadPool) {
    for (parameter, values) in zip(weights.parameters, waiting) {
      pool.copy(values, to: parameter.values, count: values.count)
    }
  }
}
