import Kernels
import Network

/// A layer's output as its readers will get it: `q = clamp(round(x / scale) + zeroPoint, 0, limit)`, passed on as
/// `scale * (q - zeroPoint)`.
struct ActivationRounding: Layer {
  private let input: Value
  private let output: Value
  private let quantization: ActivationQuantization
  /// The logarithm of how far the scale has moved; nil where it is fixed.
  private let learned: TrainableParameter?
  private let partials: FloatBuffer

  init(
    _ quantization: ActivationQuantization, learned: TrainableParameter?, _ input: Value, _ output: Value,
    batchSize: Int
  ) throws {
    self.quantization = quantization
    self.learned = learned
    self.input = input
    self.output = output
    partials = try FloatBuffer(ThreadPool.chunks(batchSize * input.size))
  }

  var savedForBackward: SavedForBackward { .inputs }

  private var scale: Float { quantization.scale * (learned?.values[0].exponential ?? 1) }

  func forward(_ pass: Pass) {
    Conversion.round(
      input.data.base, output: output.data.base, count: pass.count * input.size, scale: scale,
      zeroPoint: quantization.zeroPoint, limit: quantization.limit, pool: pass.pool)
  }

  // By the logarithm of the scale, with v = x / scale: below and above `-zeroPoint` and `limit - zeroPoint`, elsewhere
  // `round(v) - v`; times the scale, divided by sqrt(count * limit).
  func parameterGradients(_ pass: Pass) {
    guard let learned, let gradient = output.gradient else { return }
    let count = pass.count * input.size
    let inverse = 1 / scale
    let low = Float(-quantization.zeroPoint), high = Float(quantization.limit - quantization.zeroPoint)
    let (x, g, partials) = (input.data, gradient, partials)
    pass.pool.forChunks(count) { range in
      let x = x.base, g = g.base
      var sum: Float = 0
      for i in range {
        let v = x[i] * inverse
        let clamped = min(max(v, low), high)
        sum += g[i] * (clamped == v ? WeightRounding.nearest(v) - v : clamped)
      }
      partials.base[range.lowerBound / ThreadPool.chunk] = sum
    }
    var total = 0.0
    for chunk in 0..<ThreadPool.chunks(count) { total += Double(partials[chunk]) }
    let share = 1 / (Double(count) * Double(quantization.limit)).squareRoot()
    learned.gradient![0] = Float(total * share) * scale
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let inverse = 1 / scale
    let low = Float(-quantization.zeroPoint) - 0.5, high = Float(quantization.limit - quantization.zeroPoint) + 0.5
    let (x, g) = (input.data, output.gradient!)
    pass.pool.forChunks(pass.count * input.size) { range in
      let x = x.base, g = g.base, out = target.base
      for i in range {
        let v = x[i] * inverse, passing = g[i]
        out[i] = v >= low && v <= high ? passing : 0
      }
    }
  }
}
