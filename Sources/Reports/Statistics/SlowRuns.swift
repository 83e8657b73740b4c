import Pipeline

/// Runs that were interrupted, or met a slower machine. They say nothing about the model, govern the mean all the same,
/// and are rare enough that no interval of a mean holds them: so they are counted apart, and the median stands for the
/// rest.
public struct SlowRuns: Sendable, Equatable {
  /// More than so many times the median is slow.
  public static let factor = 2.0

  public let count: Int
  /// Of all runs, milliseconds.
  public let slowest: Double

  public init(_ timing: Timing) {
    let limit = Self.factor * timing.p50
    count = timing.samples.count { $0 > limit }
    slowest = timing.max
  }
}
