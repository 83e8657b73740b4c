import Diagnostics

/// How often values fall into equal bins over a range; the last bin holds the upper bound as well.
public struct Histogram: Sendable, Hashable {
  public let low: Float
  public let high: Float
  public private(set) var counts: [Int]
  /// Values below, above, or no number.
  public private(set) var outside = 0

  /// - Throws: `CompressError` unless there are 1 to 65,536 bins and the range is finite and not empty.
  public init(bins: Int, low: Float, high: Float) throws {
    guard (1...65_536).contains(bins) else { throw CompressError("a histogram has 1 to 65536 bins, not \(bins)") }
    guard low < high, low.isFinite, high.isFinite else {
      throw CompressError("a histogram over the range \(low) to \(high)")
    }
    self.low = low
    self.high = high
    counts = Array(repeating: 0, count: bins)
  }

  /// Counts the elements of one more tensor.
  public mutating func add(_ tensor: Tensor) {
    let bins = Double(counts.count)
    let origin = Double(low), scale = bins / (Double(high) - Double(low))
    tensor.converted(to: .float32).withElements(Float.self) { values in
      for run in Cancellation.runs(values.count) {
        for value in values[run] {
          if value >= low, value <= high {
            counts[Int(min((Double(value) - origin) * scale, bins - 1))] += 1
          } else {
            outside += 1
          }
        }
      }
    }
  }
}
