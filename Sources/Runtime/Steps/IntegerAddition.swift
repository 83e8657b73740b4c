import Kernels

/// A sum of two quantized values.
struct IntegerAddition: Sendable {
  let count: Int
  let a, b, result: AffineQuantization
  let clamp: ClosedRange<UInt8>

  /// Of one element each: the arithmetic of `ReferenceInteger`.
  func sum(_ x: UInt8, _ y: UInt8) -> UInt8 {
    let sum =
      Float(Int(x) - Int(a.zeroPoint)) * (a.scale / result.scale)
      + Float(Int(y) - Int(b.zeroPoint)) * (b.scale / result.scale)
    let q = sum.rounded(.toNearestOrEven) + Float(result.zeroPoint)
    return UInt8(min(max(q, Float(clamp.lowerBound)), Float(min(clamp.upperBound, result.limit))))
  }
}
