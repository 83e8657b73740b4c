import Analysis

/// A scan that a script made, for reports.
public struct SensitivityScan: Sendable {
  public var label: String
  public var key: String
  public var result: Sensitivity

  public init(label: String, key: String, result: Sensitivity) {
    self.label = label
    self.key = key
    self.result = result
  }
}
