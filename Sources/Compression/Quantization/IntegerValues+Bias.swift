import Network
import Tensors

extension IntegerValues {
  /// The same weights with scales in which the layer's bias can be written as well, or nil where it can already.
  ///
  /// A bias is an integer in the scale of the products, `input scale * weight scale[c]`. Where a filter is nearly dead its
  /// own scale is so fine that the bias does not fit 32 bits; it is coarsened until that fits, at which point the weights
  /// are some 2^-16 of the bias. Where a filter is all zeros no weight asks for a scale: the bias alone decides.
  ///
  /// Weights with zero points came as they are, and stay so.
  ///
  /// - Parameter bias: as many values as the weights have output channels; finite.
  func scaled(forBias bias: [Float], inputScale: Float) -> IntegerValues? {
    guard zeroPoints == nil else { return nil }
    let width = values.count / max(scales.count, 1), limit = Float(Self.limit(bits: bits))
    var scales = scales, values = values
    var isChanged = false
    values.withMutable(Int8.self) { q in
      for row in scales.indices {
        let range = row * width..<(row + 1) * width
        let peak = scales.count == 1 ? bias.reduce(0) { max($0, abs($1)) } : abs(bias[row])
        let isZero = !q[range].contains { $0 != 0 }
        let needed = peak / inputScale / (isZero ? Self.biasOfZeros : Self.largestBias)
        guard needed.isNormal, (needed * inputScale).isNormal, isZero ? needed != scales[row] : needed > scales[row]
        else { continue }
        let ratio = scales[row] / needed
        for i in range { q[i] = Int8(min(max((Float(q[i]) * ratio).rounded(.toNearestOrEven), -limit), limit)) }
        scales[row] = needed
        isChanged = true
      }
    }
    return isChanged ? try? IntegerValues(values: values, scales: scales, bits: bits) : nil
  }

  /// What a coarsened filter's bias becomes: half of the most that is taken.
  private static let largestBias: Float = 0x1p29
  /// What the bias of a filter of zeros becomes: as many bits as a float has.
  private static let biasOfZeros: Float = 0x1p23
}
