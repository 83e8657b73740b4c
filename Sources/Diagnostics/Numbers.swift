import Foundation

extension Double {
  /// With that many digits after the point, for labels.
  public func formatted(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }

  /// With three significant digits: `1.1`, `3.5e+10`.
  public var short: String { String(format: "%.3g", self) }

  /// A share as `46.0 %`.
  public var percent: String { (self * 100).formatted(1) + " %" }
}
