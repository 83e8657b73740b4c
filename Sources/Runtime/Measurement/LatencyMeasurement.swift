import Diagnostics

/// Times of single runs, every one kept.
public struct LatencyMeasurement: Sendable {
  /// In nanoseconds, in the order they were taken.
  public let samples: [UInt64]
  /// Runs before the first sample; they are not counted.
  public let warmUp: Int

  /// Of one sample, the timed one included, where a measurement is stretched.
  public static let mostRuns = 1000

  /// Calls `body` with 0, 1, … and times each call by the monotonic clock. Nothing is allocated
  /// between the first sample and the last, as long as `body` does not.
  ///
  /// - Parameters:
  ///   - runs: how many samples; at least one.
  ///   - warmUp: calls before the first sample; `body` gets the same numbers again afterwards.
  ///   - seconds: how long all should take at least. A machine has slow spells of some hundredths of a second; what is over
  ///     sooner may lie in one altogether. Runs that are not timed, up to `mostRuns` for each sample, stretch it: as many
  ///     as the warm-up says are needed.
  ///   - prepare: called before each `body` with the same number, outside the time taken: fetches an image, say.
  /// - Throws: `CompressError` when the counts are out of range; what `body` throws.
  public init(
    runs: Int, warmUp: Int = 50, lasting seconds: Double = 0, prepare: (_ run: Int) throws -> Void = { _ in }, _ body: (_ run: Int) throws -> Void
  ) throws {
    guard (1...100_000_000).contains(runs), (0...100_000_000).contains(warmUp) else {
      throw CompressError("\(runs) runs after \(warmUp) warm-up runs cannot be measured")
    }
    // Written once, so that no page is touched for the first time inside the loop.
    var samples = [UInt64](repeating: 0, count: runs)
    let begin = monotonicNanoseconds()
    for run in 0..<warmUp {
      try Cancellation.checkCurrent()
      try prepare(run % runs)
      try body(run % runs)
    }
    let pace = max(Double(monotonicNanoseconds() - begin), 1) / 1e9 / Double(max(warmUp, 1))
    let untimed = warmUp == 0 ? 0 : Int(min(seconds / pace / Double(runs), Double(Self.mostRuns))).advanced(by: -1)
    try samples.withUnsafeMutableBufferPointer { samples in
      for run in samples.indices {
        try Cancellation.checkCurrent()
        // The very same image: whatever it finds in the caches, the timed run finds.
        for _ in 0..<max(untimed, 0) {
          try prepare(run)
          try body(run)
        }
        try prepare(run)
        let start = monotonicNanoseconds()
        try body(run)
        samples[run] = monotonicNanoseconds() - start
      }
    }
    self.samples = samples
    self.warmUp = warmUp
  }

  public var statistics: LatencyStatistics { LatencyStatistics(nanoseconds: samples) }
}

/// What latencies come to, in milliseconds.
public struct LatencyStatistics: Sendable, Hashable {
  public let mean, min, p50, p90, p99, max: Double
  /// How many samples there were.
  public let count: Int

  /// See `init(milliseconds:)`.
  public init(nanoseconds samples: [UInt64]) { self.init(milliseconds: samples.map { Double($0) / 1e6 }) }

  /// Percentiles are by nearest rank: the p-th is the smallest sample that at least p % of all
  /// samples do not exceed, so each is a latency that was in fact measured.
  ///
  /// - Precondition: there is at least one sample.
  public init(milliseconds samples: [Double]) {
    precondition(!samples.isEmpty, "statistics of no samples")
    let sorted = samples.sorted()
    func percentile(_ p: Int) -> Double { sorted[(sorted.count * p + 99) / 100 - 1] }
    mean = sorted.reduce(0, +) / Double(sorted.count)
    min = sorted[0]
    p50 = percentile(50)
    p90 = percentile(90)
    p99 = percentile(99)
    max = sorted[sorted.count - 1]
    count = sorted.count
  }
}
