import Diagnostics

/// The learning rate over the course of training.
public enum LearningRate {
  case constant(Double)
  /// A function of progress `t`: steps done / steps in all, from 0 at the first step to just below 1 at the last.
  case schedule((_ t: Double) throws -> Double)

  /// - Throws: `CompressError` unless the rate is a number and not negative; what the schedule throws.
  public func value(step: Int, of total: Int) throws -> Double {
    let t = Double(step) / Double(max(1, total))
    let rate: Double
    switch self {
    case .constant(let value): rate = value
    case .schedule(let function): rate = try function(t)
    }
    guard rate.isFinite, rate >= 0 else {
      throw CompressError(
        "learning rate \(rate) at progress \(t) (step \(step + 1) of \(total)) is not a number from 0 up")
    }
    return rate
  }
}
