/// How a value between layers is to be quantized.
public struct ActivationFormat: Sendable, Hashable {
  public var observer: RangeMethod
  /// 2 to 16; 2 to 8 for other spacings than linear.
  public var bits: Int
  public var spacing: LevelSpacing
  /// The zero point is the middle, or 0 where nothing is negative. Of linear spacing.
  public var symmetric: Bool
  /// The scale is a power of two. Of linear spacing.
  public var powerOfTwo: Bool

  public init(
    _ observer: RangeMethod = .minmax, bits: Int = 8, spacing: LevelSpacing = .linear, symmetric: Bool = false,
    powerOfTwo: Bool = false
  ) {
    self.observer = observer
    self.bits = bits
    self.spacing = spacing
    self.symmetric = symmetric
    self.powerOfTwo = powerOfTwo
  }
}

/// How the range of a value follows from what calibration shows of it.
public enum RangeMethod: Sendable, Hashable {
  /// All that was seen.
  case minmax
  /// The average of the batches' ranges, each new one counting `1 - momentum`.
  case movingAverage(momentum: Double)
  /// All but the outermost values: `percentile` percent of them lie inside, half of the rest on each side.
  case percentile(Double)
  /// The range whose quantized distribution diverges least, by Kullback and Leibler, from what was seen (Migacz 2017).
  case entropy
  /// The range with the least mean squared error.
  case mse
}

extension RangeMethod {
  /// The names of recipes, with the usual numbers.
  public static let named: [(name: String, method: RangeMethod)] = [
    ("minmax", .minmax), ("moving_average", .movingAverage(momentum: 0.9)), ("percentile", .percentile(99.99)),
    ("entropy", .entropy), ("mse", .mse),
  ]

  var needsHistogram: Bool {
    switch self {
    case .minmax, .movingAverage: false
    case .percentile, .entropy, .mse: true
    }
  }
}
