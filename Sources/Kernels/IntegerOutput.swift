/// How real numbers are coded in at most 8 bits: x = (q - zeroPoint) * scale.
public struct AffineQuantization: Hashable, Sendable {
  public var scale: Float
  public var zeroPoint: UInt8
  /// The greatest q.
  public var limit: UInt8

  public init(scale: Float, zeroPoint: UInt8, limit: UInt8 = 255) {
    self.scale = scale
    self.zeroPoint = zeroPoint
    self.limit = limit
  }

  /// The coding whose 256 steps cover the range and zero: scale (max - min) / 255, zero point
  /// roundHalfEven(-min / scale). A range of nothing but zero has scale 1.
  public init(covering range: ClosedRange<Float>) {
    let low = min(range.lowerBound, 0), high = max(range.upperBound, 0)
    let scale = high / 255 - low / 255
    guard scale.isFinite, scale >= .leastNormalMagnitude * 255 else {
      self.init(scale: 1, zeroPoint: 0)
      return
    }
    let zero = (-low / scale).rounded(.toNearestOrEven)
    self.init(scale: scale, zeroPoint: UInt8(max(0, min(zero, 255))))
  }
}

/// What becomes of the exact 32-bit sums of an integer convolution.
public enum IntegerOutput: Sendable {
  /// 8-bit codes: q = min(max(roundHalfEven(float(sum + bias) * scale) + zeroPoint, lo), hi), where the sum is
  /// that of (activation - inputZeroPoint) * weight, and scale is per output channel: input scale * weight
  /// scale / output scale.
  case codes(
    inputZeroPoint: UInt8, bias: [Int32]?, scales: [Float], zeroPoint: UInt8, clamp: ClosedRange<UInt8>)
  /// Real numbers: fma(float(sum), input scale * scale, bias), clamped. The input's scale and zero point are
  /// given for each run and image; `scales` are those of the weights per output channel.
  case floats(scales: [Float], bias: [Float]?, clamp: ClosedRange<Float>)
}
