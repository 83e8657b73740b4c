import Diagnostics

/// Affine quantization of an activation: `value = scale * (q - zeroPoint)`, with q from 0 to `2^bits - 1`.
public struct ActivationQuantization: Sendable, Hashable, Codable {
  public let scale: Float
  public let zeroPoint: Int
  /// 2 to 16.
  public let bits: Int

  /// Scales that are computed with: wide enough for anything that is trained, narrow enough that ratios of scales stay
  /// finite.
  public static let scales: ClosedRange<Float> = 0x1p-60...0x1p60

  /// The greatest q.
  public var limit: Int { 1 << bits - 1 }

  /// - Throws: `CompressError` when the bits are not 2 to 16, the scale is not positive or the zero point is no q.
  public init(scale: Float, zeroPoint: Int, bits: Int = 8) throws {
    guard (2...16).contains(bits) else {
      throw CompressError("activations have 2 to 16 bits, not \(bits)", kind: .input)
    }
    guard scale.isFinite, scale > 0, (0...(1 << bits - 1)).contains(zeroPoint) else {
      throw CompressError(
        "activation scale \(scale), zero point \(zeroPoint) of \(bits) bits is out of range", kind: .input)
    }
    self.scale = scale
    self.zeroPoint = zeroPoint
    self.bits = bits
  }

  /// The finest quantization that covers the range, widened to hold zero exactly.
  ///
  /// - Parameters:
  ///   - symmetric: the zero point is the middle, `2^(bits-1)`, or 0 where nothing is negative.
  ///   - powerOfTwo: the scale is the least power of two that covers the range.
  public init(low: Float, high: Float, bits: Int = 8, symmetric: Bool = false, powerOfTwo: Bool = false) throws {
    var low = min(low, 0), high = max(high, 0)
    guard low.isFinite, high.isFinite else { throw CompressError("activations reach from \(low) to \(high)") }
    guard (2...16).contains(bits) else {
      throw CompressError("activations have 2 to 16 bits, not \(bits)", kind: .input)
    }
    let limit = 1 << bits - 1, middle = 1 << (bits - 1)
    let isCentred = symmetric && low < 0
    if isCentred {  // 0 to limit reaches one step further down than up
      let reach = max(high, -low / Float(middle) * Float(middle - 1))
      (low, high) = (-reach, reach)
    }
    // Divided before subtracting: the width of a range of huge values must not overflow.
    var width = isCentred ? high / Float(middle - 1) : high / Float(limit) - low / Float(limit)
    guard width >= Self.scales.lowerBound else {
      // The value is always zero, or as good as that, and any scale holds it; but the bias of what reads it is written in this scale, so that
      // a coarse one would cost accuracy there. From 0 to 1, as pixels are.
      try self.init(scale: powerOfTwo ? 1 / Float(limit + 1) : 1 / Float(limit), zeroPoint: isCentred ? middle : 0, bits: bits)
      return
    }
    if powerOfTwo { width = width.significand == 1 ? width : 2 * width.binade }
    let zeroPoint = isCentred ? middle : Int(min(max((-low / width).rounded(.toNearestOrEven), 0), Float(limit)))
    try self.init(scale: width, zeroPoint: zeroPoint, bits: bits)
  }

  /// What becomes of a value: `scale * (clamp(round(x * (1 / scale)) + zeroPoint, 0, limit) - zeroPoint)`.
  /// NaN becomes what q = 0 stands for.
  public func rounded(_ value: Float) -> Float {
    let q = (value * (1 / scale)).rounded(.toNearestOrEven) + Float(zeroPoint)
    return ((q > 0 ? min(q, Float(limit)) : 0) - Float(zeroPoint)) * scale
  }

  private enum CodingKeys: String, CodingKey { case scale, zeroPoint = "zero_point", bits }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      scale: container.decode(Float.self, forKey: .scale), zeroPoint: container.decode(Int.self, forKey: .zeroPoint),
      bits: container.decodeIfPresent(Int.self, forKey: .bits) ?? 8)
  }
}
