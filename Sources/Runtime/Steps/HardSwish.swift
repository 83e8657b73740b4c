import Kernels

/// `x * relu6(x + 3) / 6` of floats.
struct HardSwish: PreparedStep {
  /// Elements of one sample.
  let count: Int

  var worksInPlace: Bool { true }

  func run(_ step: BoundStep, _ call: Call) {
    Elementwise.hardSwish(
      step.floats(0, call), output: step.floatOutput(call), count: call.batch * count, pool: call.pool)
  }
}
