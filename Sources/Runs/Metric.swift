/// A number that is found out about a variant. Its name is the same in filters, tables, files and the run store.
public enum Metric: String, CaseIterable, Sendable, Codable {
  case accuracy
  /// The share of samples answered as the run's first variant does: the measure where there are no labels.
  case agreement
  case flips, parameters, nonzero, macs
  case nativeBytes = "native_bytes"
  case gzipBytes = "gzip_bytes"
  case mean = "mean_ms"
  case p50 = "p50_ms"
  case p90 = "p90_ms"
  case p99 = "p99_ms"
  case memory = "peak_memory_bytes"

  public var name: String { rawValue }

  /// Whether it is measured on the machine, and so comes out a little different each time.
  public var isTiming: Bool {
    switch self {
    case .mean, .p50, .p90, .p99, .memory: true
    default: false
    }
  }

  /// Whether more of it is better.
  public var isGain: Bool { isShare }

  /// Whether it is a share of the samples; differences of it are told in percentage points.
  public var isShare: Bool { self == .accuracy || self == .agreement }

  /// - Parameter name: as in `rawValue`, or the short forms people use.
  public init?(name: String) {
    let short: [String: Metric] = [
      "size": .nativeBytes, "gzip": .gzipBytes, "mean": .mean, "p50": .p50, "latency": .p50, "p90": .p90, "p99": .p99,
      "memory": .memory,
    ]
    guard let metric = Metric(rawValue: name) ?? short[name] else { return nil }
    self = metric
  }
}
