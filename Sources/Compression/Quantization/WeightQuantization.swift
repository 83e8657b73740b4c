import Diagnostics
import Network
import Tensors

/// How a layer's weight is to be stored.
public enum WeightFormat: Sendable, Hashable {
  case float16
  /// Symmetric integers of 2 to 8 bits.
  case integer(bits: Int, granularity: Granularity)

  public enum Granularity: String, Sendable, CaseIterable {
    /// One scale per output channel (axis 0).
    case channel
    /// One scale for the whole tensor.
    case tensor
  }
}

extension IntegerValues {
  /// Nearest symmetric integers: per channel or for the whole tensor, `scale = max|w| / limit`,
  /// `q = round-half-even(w / scale)`. Zero stays exactly zero, so pruned weights stay pruned.
  ///
  /// - Parameter weight: float32, output channels first.
  /// - Throws: `CompressError` when a weight is not finite or the bits are out of range.
  public init(quantizing weight: Tensor, bits: Int, granularity: WeightFormat.Granularity) throws {
    guard (2...8).contains(bits) else { throw CompressError("weights have 2 to 8 bits, not \(bits)") }
    let limit = Float(IntegerValues.limit(bits: bits))
    let rows = granularity == .channel ? weight.shape[0] : 1
    let width = weight.count / max(rows, 1)
    var scales = [Float](repeating: 1, count: rows)
    var values = Tensor(zeros: weight.shape, dtype: .int8)
    try weight.withElements(Float.self) { w in
      try values.withMutable(Int8.self) { q in
        for row in 0..<rows {
          let range = row * width..<(row + 1) * width
          var peak: Float = 0
          for i in range {
            guard w[i].isFinite else { throw CompressError("weight \(w[i]) at \(i) is not finite", kind: .input) }
            peak = max(peak, abs(w[i]))
          }
          // A row of zeros, or of values too small to have a normal scale, becomes zeros.
          let scale = peak / limit
          guard scale >= .leastNormalMagnitude else { continue }
          scales[row] = scale
          for i in range { q[i] = Int8(min(max((w[i] / scale).rounded(.toNearestOrEven), -limit), limit)) }
        }
      }
    }
    try self.init(values: values, scales: scales, bits: bits)
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
