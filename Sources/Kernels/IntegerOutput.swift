import CKernels

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
    self.init(ck_quantization_covering(range.lowerBound, range.upperBound))
  }

  init(_ native: ck_quantization) { self.init(scale: native.scale, zeroPoint: native.zero_point, limit: native.limit) }

  public var native: ck_quantization { ck_quantization(scale: scale, zero_point: zeroPoint, limit: limit) }
}

/// What becomes of the exact 32-bit sums of an integer convolution.
public enum IntegerOutput: Sendable {
  /// 8-bit codes: q = min(max(roundHalfEven(float(sum + bias) * scale) + zeroPoint, lo), hi), where the sum is
  /// that of (activation - inputZeroPoint) * (weight - its zero point), and scale is per output channel: input
  /// scale * weight scale / output scale.
  case codes(
    inputZeroPoint: UInt8, bias: [Int32]?, scales: [Float], zeroPoint: UInt8, clamp: ClosedRange<UInt8>)
  /// Real numbers: fma(float(sum), input scale * scale, bias), clamped. The input's scale and zero point are
  /// given for each run and image; `scales` are those of the weights per output channel.
  case floats(scales: [Float], bias: [Float]?, clamp: ClosedRange<Float>)

  var yieldsCodes: Bool { if case .codes = self { true } else { false } }
}
