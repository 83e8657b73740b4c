import Kernels

extension TrainableWeights {
  /// The Euclidean norm of all gradients together. Chunks of fixed size are summed in float32 and those sums in
  /// double, in order, so that it does not depend on the number of threads.
  func gradientNorm(_ pool: ThreadPool, partials: FloatBuffer) -> Double {
    var total = 0.0
    for parameter in parameters {
      guard let gradient = parameter.gradient else { continue }
      let count = gradient.count
      pool.forChunks(count) { range in
        let g = gradient.base
        var sum: Float = 0
        for i in range { sum += g[i] * g[i] }
        partials[range.lowerBound / ThreadPool.chunk] = sum
      }
      for chunk in 0..<ThreadPool.chunks(count) { total += Double(partials[chunk]) }
    }
    return total.squareRoot()
  }

  /// Memory for the sums of `gradientNorm`.
  func makeGradientPartials() throws -> FloatBuffer {
    try FloatBuffer(parameters.map { ThreadPool.chunks($0.values.count) }.max() ?? 0)
  }
}
