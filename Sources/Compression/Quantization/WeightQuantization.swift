import Diagnostics
import Network
import Tensors

/// How a layer's weight is to be stored.
public enum WeightFormat: Sendable, Hashable {
  case float16
  case bfloat16
  /// Symmetric integers of 2 to 8 bits.
  case integer(
    bits: Int, granularity: Granularity, fit: Fit = .peak, powerOfTwo: Bool = false, rounding: Rounding = .nearest)
  /// Levels over the range of the weights, 2 to 8 bits; zero is one of them.
  case levels(LevelSpacing, bits: Int)
  /// The centres of so many clusters, 2 to 256.
  case clusters(Int)

  public enum Granularity: String, Sendable, CaseIterable {
    /// One scale per output channel (axis 0).
    case channel
    /// One scale for the whole tensor.
    case tensor
  }

  /// Which of its neighbours a weight becomes.
  public enum Rounding: String, Sendable, CaseIterable {
    case nearest
    /// The one with which the layer's output errs least on samples (see `LearnedRounding`).
    case learned
  }

  /// How a scale is found.
  public enum Fit: String, Sendable, CaseIterable {
    /// The greatest magnitude is the greatest integer.
    case peak = "minmax"
    /// The least mean squared error among scales down to a quarter of that.
    case error = "mse"
  }
}

extension IntegerValues {
  /// Nearest symmetric integers: per channel or for the whole tensor, `q = clamp(round-half-even(w / scale))`. Zero
  /// stays exactly zero, so pruned weights stay pruned.
  ///
  /// - Parameters:
  ///   - weight: float32, output channels first.
  ///   - powerOfTwo: scales are rounded up to powers of two.
  /// - Throws: `CompressError` when a weight is not finite or the bits are out of range.
  public init(
    quantizing weight: Tensor, bits: Int, granularity: WeightFormat.Granularity, fit: WeightFormat.Fit = .peak,
    powerOfTwo: Bool = false
  ) throws {
    guard (2...8).contains(bits) else { throw CompressError("weights have 2 to 8 bits, not \(bits)") }
    let limit = Float(IntegerValues.limit(bits: bits))
    let rows = granularity == .channel ? weight.shape[0] : 1
    let width = weight.count / max(rows, 1)
    var scales = [Float](repeating: 1, count: rows)
    var values = Tensor(zeros: weight.shape, dtype: .int8)
    try weight.withElements(Float.self) { w in
      try values.withMutable(Int8.self) { q in
        var pace = Cancellation.Pace()
        for row in 0..<rows {
          try pace.check(after: width)
          let range = row * width..<(row + 1) * width
          var peak: Float = 0
          for i in range {
            guard w[i].isFinite else { throw CompressError("weight \(w[i]) at \(i) is not finite", kind: .input) }
            peak = max(peak, abs(w[i]))
          }
          // A row of zeros, or of values too small to have a normal scale, becomes zeros.
          guard peak / limit >= .leastNormalMagnitude else { continue }
          let row = UnsafeBufferPointer(rebasing: w[range])
          let scale = try Self.scale(of: row, peak: peak, limit: limit, fit: fit, powerOfTwo: powerOfTwo)
          scales[range.lowerBound / max(width, 1)] = scale
          for i in range { q[i] = (w[i] / scale).nearestInteger(limit: limit) }
        }
      }
    }
    try self.init(values: values, scales: scales, bits: bits)
  }

  /// The nearest integers at given scales, one or one per output channel: `q = clamp(round-half-even(w / scale))`.
  ///
  /// - Throws: `CompressError` when a scale is not positive, their number is wrong, or the bits are out of range.
  public init(rounding weight: Tensor, scales: [Float], bits: Int) throws {
    let limit = Float(IntegerValues.limit(bits: bits))
    let width = weight.count / max(scales.count, 1)
    var values = Tensor(zeros: weight.shape, dtype: .int8)
    weight.withElements(Float.self) { w in
      values.withMutable(Int8.self) { q in
        for (row, scale) in scales.enumerated() {
          for i in row * width..<(row + 1) * width {
            q[i] = (w[i] / scale).nearestInteger(limit: limit)
          }
        }
      }
    }
    try self.init(values: values, scales: scales, bits: bits)
  }

  private static func scale(
    of weights: UnsafeBufferPointer<Float>, peak: Float, limit: Float, fit: WeightFormat.Fit, powerOfTwo: Bool
  ) throws -> Float {
    func grid(_ scale: Float) -> Float { powerOfTwo && scale.significand != 1 ? 2 * scale.binade : scale }
    let widest = grid(peak / limit)
    guard fit == .error else { return widest }
    var pace = Cancellation.Pace()
    func error(_ scale: Float) throws -> Double {
      let inverse = 1 / scale
      var sum = 0.0
      for run in Cancellation.runs(weights.count) {
        for w in weights[run] {
          let error = w - min(max((w * inverse).roundedToEven, -limit), limit) * scale
          sum += Double(error * error)
        }
      }
      try pace.check(after: weights.count)
      return sum
    }
    var best = (scale: widest, error: try error(widest))
    let candidates = powerOfTwo ? [widest / 2, widest / 4] : (1...36).map { widest * (1 - Float($0) / 48) }
    for scale in candidates where scale >= .leastNormalMagnitude {
      let found = try error(scale)
      if found < best.error { best = (scale, found) }
    }
    return best.scale
  }

  /// A bias as int32 in the scale of its layer's accumulator, `input scale * weight scale[c]`.
  ///
  /// - Throws: `CompressError` when a value is not finite or does not fit 32 bits with 2 to spare,
  ///   so that adding the products cannot overflow unnoticed.
  public init(bias: Tensor, inputScale: Float, weightScales: [Float]) throws {
    let values = bias.array(Float.self)
    let scales = values.indices.map { inputScale * weightScales[weightScales.count == 1 ? 0 : $0] }
    let integers = try zip(values, scales).map { value, scale in
      let q = (Double(value) / Double(scale)).rounded(.toNearestOrEven)
      guard q.magnitude < 0x1p30 else { throw CompressError("bias \(value) does not fit int32 at scale \(scale)") }
      return Int32(q)
    }
    try self.init(values: Tensor(integers), scales: scales, bits: 32)
  }
}
