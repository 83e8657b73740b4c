/// A 95 % confidence interval; in JSON `[low, high]`.
public struct Interval: Sendable, Hashable, Codable {
  public let low: Double
  public let high: Double

  public init(_ low: Double, _ high: Double) {
    self.low = low
    self.high = high
  }

  public func contains(_ value: Double) -> Bool { low <= value && value <= high }

  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    self.init(try container.decode(Double.self), try container.decode(Double.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(low)
    try container.encode(high)
  }

  /// The standard normal distribution's quantile: 95 % lie within this many deviations.
  public static let deviations = 1.959963984540054
}
