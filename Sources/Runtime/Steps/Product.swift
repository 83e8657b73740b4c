import Kernels

/// The product of two values, clamped.
struct FloatProduct: PreparedStep {
  let broadcast: Broadcast
  let clamp: ClosedRange<Float>

  var worksInPlace: Bool { !broadcast.isNeeded }

  func run(_ step: BoundStep, _ call: Call) {
    let clamp = clamp
    broadcast.run(
      step.floats(0, call), step.floats(1, call), output: step.floatOutput(call), batch: call.batch, pool: call.pool
    ) { ($0 * $1).clamped(to: clamp) }
  }
}

/// The product of two quantized values, in the arithmetic of `ReferenceInteger`.
struct IntegerProduct: PreparedStep {
  let broadcast: Broadcast
  let a, b, result: AffineQuantization
  let clamp: ClosedRange<UInt8>

  var worksInPlace: Bool { !broadcast.isNeeded }

  func run(_ step: BoundStep, _ call: Call) {
    let zeroA = Int32(a.zeroPoint), zeroB = Int32(b.zeroPoint), scale = a.scale * b.scale / result.scale
    let zeroPoint = Float(result.zeroPoint)
    let low = Float(clamp.lowerBound), high = Float(min(clamp.upperBound, result.limit))
    broadcast.run(
      step.codes(0, call), step.codes(1, call), output: step.codeOutput(call), batch: call.batch, pool: call.pool
    ) { x, y in
      let product = Float((Int32(x) - zeroA) * (Int32(y) - zeroB)) * scale
      return UInt8(min(max(product.rounded(.toNearestOrEven) + zeroPoint, low), high))
    }
  }
}
