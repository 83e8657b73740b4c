import Kernels
import Network

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Float {
  var exponential: Float { expf(self) }
}

/// A layer's weight as the integers it will be: `q = clamp(round(w / scale))`, used as `scale * q`.
final class WeightRounding {
  private let weight: TrainableParameter
  /// Logarithms of how far the scales have moved; nil where they follow the weights.
  private let learned: TrainableParameter?
  private let initial: [Float]
  private let limit: Float
  /// What the layer computes with.
  let rounded: FloatBuffer
  private let scales: FloatBuffer

  init(_ weight: TrainableParameter, learned: TrainableParameter?, _ format: FakeQuantization.Weight) throws {
    self.weight = weight
    self.learned = learned
    initial = format.scales
    limit = Float(format.limit)
    rounded = try FloatBuffer(weight.values.count)
    scales = try FloatBuffer(format.scales.count)
  }

  private var rows: Int { initial.count }
  private var width: Int { weight.values.count / max(rows, 1) }

  static func followingScales(_ values: FloatBuffer, rows: Int, limit: Int) -> [Float] {
    let width = values.count / max(rows, 1)
    return (0..<rows).map { row in
      var peak: Float = 0
      for i in row * width..<(row + 1) * width { peak = max(peak, abs(values[i])) }
      let scale = peak / Float(limit)
      return scale >= .leastNormalMagnitude ? scale : 1
    }
  }

  func round(_ pool: ThreadPool) {
    let now: [Float] =
      if let learned { initial.indices.map { initial[$0] * learned.values[$0].exponential } } else {
        Self.followingScales(weight.values, rows: rows, limit: Int(limit))
      }
    for row in now.indices { scales[row] = now[row] }
    let (width, limit, w, out, scales) = (width, limit, weight.values, rounded, scales)
    pool.forRows(rows, width: width) { range in
      for row in range {
        let scale = scales.base[row]
        let w = w.base + row * width, out = out.base + row * width
        for i in 0..<width { out[i] = Self.nearest(min(max(w[i] / scale, -limit), limit)) * scale }
      }
    }
  }

  /// Makes of the gradient by the rounded weight that by the weight, and by the logarithm of its scale: where it was
  /// clamped the scale gets `±limit` and the weight nothing, elsewhere the scale gets `round(v) - v`, v being the
  /// weight in steps, all divided by `sqrt(count * limit)`.
  func gradient(_ pool: ThreadPool) {
    guard let learned else { return }
    let (width, limit, w, g, scales) = (width, limit, weight.values, weight.gradient!, scales)
    let share = 1 / (Double(width) * Double(limit)).squareRoot()
    let out = learned.gradient!
    pool.forRows(rows, width: width) { range in
      for row in range {
        let scale = scales.base[row]
        let w = w.base + row * width, g = g.base + row * width
        var sum = 0.0
        for i in 0..<width {
          let v = w[i] / scale
          if v >= limit || v <= -limit {
            sum += Double(g[i]) * Double(v > 0 ? limit : -limit)
            if abs(v) > limit { g[i] = 0 }
          } else {
            sum += Double(g[i]) * Double(Self.nearest(v) - v)
          }
        }
        out.base[row] = Float(sum * share) * scale
      }
    }
  }

  /// To the nearest integer, ties to even, of a magnitude below 2^22.
  @inline(__always)
  static func nearest(_ value: Float) -> Float { (value + 0x1.8p23) - 0x1.8p23 }
}

/// Values of a weight that are one value and stay so: each gets the mean of their gradients. Those that are zero stay
/// zero, as what was pruned must.
final class WeightTies {
  private let codes: [UInt8]
  private let weight: TrainableParameter
  /// By code: whether its values are zeros.
  private var isZero = [Bool](repeating: false, count: 256)

  init(_ weight: TrainableParameter, codes: [UInt8]) {
    self.weight = weight
    self.codes = codes
    for (i, code) in codes.enumerated() where weight.values[i] == 0 { isZero[Int(code)] = true }
  }

  func gradient() {
    let g = weight.gradient!
    var sums = [Double](repeating: 0, count: 256), counts = [Int](repeating: 0, count: 256)
    for (i, code) in codes.enumerated() {
      sums[Int(code)] += Double(g[i])
      counts[Int(code)] += 1
    }
    let means = sums.indices.map { isZero[$0] ? 0 : Float(sums[$0] / Double(max(counts[$0], 1))) }
    for (i, code) in codes.enumerated() { g[i] = means[Int(code)] }
  }
}
