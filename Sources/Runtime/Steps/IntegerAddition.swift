import Kernels

/// A sum of two quantized values.
struct IntegerAddition: Sendable {
  let count: Int
  let a, b, result: AffineQuantization
  let clamp: ClosedRange<UInt8>
}
