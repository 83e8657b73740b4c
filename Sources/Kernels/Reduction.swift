import CKernels

/// Mean, sum, maximum or minimum along axes (see steps/f32-reduce.h).
public struct AxisReduction: Sendable {
  public enum Function: Sendable { case mean, sum, max, min }

  public let function: Function
  public let inputCount: Int
  /// The position of each result's first element, and those of a result's elements after it.
  public let starts, within: [Int]

  public init(_ function: Function, inputCount: Int, starts: [Int], within: [Int]) {
    self.function = function
    self.inputCount = inputCount
    self.starts = starts
    self.within = within
  }

  /// What a plan holds of it.
  public var step: PreparedStep {
    let kind =
      switch function {
      case .mean: ck_reduce_mean
      case .sum: ck_reduce_sum
      case .max: ck_reduce_max
      case .min: ck_reduce_min
      }
    return PreparedStep(
      "f32_reduce",
      ck_f32_reduce(reduction: kind, results: starts.count, elements: within.count, in_count: inputCount),
      constants: OwnedMemory((starts + within).map { UInt64($0) }), run: ck_run_f32_reduce)
  }
}

extension PreparedStep {
  /// The place of the greatest element along an axis of so many, within `outer` blocks of `inner` elements.
  public static func argMax(outer: Int, extent: Int, inner: Int) -> PreparedStep {
    PreparedStep(
      "f32_arg_max", ck_f32_arg_max(outer: outer, extent: extent, inner: inner), run: ck_run_f32_arg_max)
  }

  /// A slope for each channel, below zero.
  public static func prelu(rows: Int, slopes: [Float]) -> PreparedStep {
    PreparedStep(
      "f32_prelu", ck_f32_prelu(rows: rows, channels: slopes.count), constants: OwnedMemory(slopes),
      worksInPlace: true, run: ck_run_f32_prelu)
  }
}
