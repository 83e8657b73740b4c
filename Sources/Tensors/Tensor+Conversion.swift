import Diagnostics

// Conversions between element types. Floats become integers by rounding to nearest even and
// saturating; NaN becomes zero.
extension Tensor {
  /// The same values as another type; itself when it already has it.
  public func converted(to target: DType) -> Tensor {
    guard target != dtype else { return self }
    var out = Tensor(zeros: shape, dtype: target)
    switch (dtype, target) {
    case (.float32, .float16):
      withElements(Float.self) { from in
        out.withMutable(Half.self) { Tensor.each(from, $0) { Half($0) } }
      }
    case (.float32, .bfloat16):
      withElements(Float.self) { from in
        out.withMutable(BFloat.self) { Tensor.each(from, $0) { BFloat($0) } }
      }
    case (.bfloat16, _):
      withElements(BFloat.self) { from in
        var wide = Tensor(zeros: shape)
        wide.withMutable(Float.self) { Tensor.each(from, $0) { Float($0) } }
        out = wide.converted(to: target)
      }
    case (.float16, _):
      withElements(Half.self) { from in
        var wide = Tensor(zeros: shape)
        wide.withMutable(Float.self) { Tensor.each(from, $0) { Float($0) } }
        out = wide.converted(to: target)
      }
    case (.float32, .int8): round(Int8.self, &out)
    case (.float32, .uint8): round(UInt8.self, &out)
    case (.float32, .int32): round(Int32.self, &out)
    case (.float32, .int64): round(Int64.self, &out)
    case (.int8, _): widen(Int8.self, &out)
    case (.uint8, _): widen(UInt8.self, &out)
    case (.int32, _): widen(Int32.self, &out)
    case (.int64, _): widen(Int64.self, &out)
    case (.float32, .float32): break
    }
    return out
  }

  // Through Int64: the initializers that are generic over both types take 20 times longer.

  private func round<T: TensorElement & FixedWidthInteger>(_: T.Type, _ out: inout Tensor) {
    let low = Float(Int64(T.min)), high = Float(Int64(T.max))  // `high` may have been rounded up to what is no T
    withElements(Float.self) { from in
      out.withMutable(T.self) { to in
        for run in Cancellation.runs(to.count) {
          for i in run {
            let value = from[i].roundedToEven
            to[i] =
              value >= high ? T.max : value > low ? T(truncatingIfNeeded: Int64(value)) : value.isNaN ? 0 : T.min
          }
        }
      }
    }
  }

  private func widen<T: TensorElement & FixedWidthInteger>(_: T.Type, _ out: inout Tensor) {
    withElements(T.self) { from in
      switch out.dtype {
      case .float32: out.withMutable(Float.self) { Tensor.each(from, $0) { Float(Int64($0)) } }
      case .float16:
        out.withMutable(Half.self) { Tensor.each(from, $0) { Half(Float(Int64($0))) } }
      case .bfloat16:
        out.withMutable(BFloat.self) { Tensor.each(from, $0) { BFloat(Float(Int64($0))) } }
      case .int8: out.withMutable(Int8.self) { Tensor.each(from, $0) { Int8(clamping: $0) } }
      case .uint8: out.withMutable(UInt8.self) { Tensor.each(from, $0) { UInt8(clamping: $0) } }
      case .int32: out.withMutable(Int32.self) { Tensor.each(from, $0) { Int32(clamping: $0) } }
      case .int64: out.withMutable(Int64.self) { Tensor.each(from, $0) { Int64(clamping: $0) } }
      }
    }
  }
}

extension Tensor {
  /// Writes what a function makes of each element by itself.
  @inline(__always)
  static func each<In, Out>(
    _ from: UnsafeBufferPointer<In>, _ to: UnsafeMutableBufferPointer<Out>, _ function: (In) -> Out
  ) {
    guard let source = from.baseAddress, let target = to.baseAddress else { return }
    for run in Cancellation.runs(to.count) {
      for i in run { target[i] = function(source[i]) }
    }
  }
}

extension Float {
  /// To the nearest integer, ties to even; unlike `rounded` no call into the C library where the
  /// processor's baseline has no instruction for it.
  @inline(__always)
  var roundedToEven: Float {
    let distance = magnitude < 0x1p23 ? (magnitude + 0x1p23) - 0x1p23 : magnitude  // from there on all are integers
    return Float(bitPattern: distance.bitPattern | bitPattern & 0x8000_0000)
  }
}

extension Half {
  /// The nearest half; ties to even; beyond 65504 infinity.
  public init(_ value: Float) {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude >= 0x7F80_0000 {  // infinity, NaN (kept quiet)
      let payload = 0x0200 | UInt16(truncatingIfNeeded: (magnitude >> 13) & 0x3FF)
      self.init(bits: sign | 0x7C00 | (magnitude > 0x7F80_0000 ? payload : 0))
    } else if magnitude >= 0x3880_0000 {  // normal halves; rounding may carry into the exponent, even to infinity
      let rounded = magnitude &+ 0xFFF &+ ((magnitude >> 13) & 1)
      self.init(bits: sign | UInt16(truncatingIfNeeded: min((rounded &- 0x3800_0000) >> 13, 0x7C00)))
    } else {  // subnormal halves are multiples of 2^-24
      let steps = (Float(bitPattern: magnitude) * 0x1p24).rounded(.toNearestOrEven)
      self.init(bits: sign | UInt16(steps))
    }
  }
}

extension Float {
  /// Exact.
  public init(_ half: Half) {
    let exponent = UInt32(half.bits >> 10) & 0x1F
    let fraction = UInt32(half.bits) & 0x3FF
    let sign = UInt32(half.bits & 0x8000) << 16
    switch exponent {
    case 0: self = Float(fraction) * 0x1p-24 * (sign == 0 ? 1 : -1)
    case 0x1F: self.init(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: self.init(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}

extension BFloat {
  /// The nearest one; ties to even; a NaN stays one.
  public init(_ value: Float) {
    let bits = value.bitPattern
    guard !value.isNaN else {
      self.init(bits: UInt16(truncatingIfNeeded: bits >> 16) | 0x40)
      return
    }
    self.init(bits: UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16))
  }
}

extension Float {
  /// Exact.
  public init(_ value: BFloat) { self.init(bitPattern: UInt32(value.bits) << 16) }
}
