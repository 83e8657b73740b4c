import Foundation

extension Double {
  /// With that many digits after the point, for labels.
  func formatted(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
