extension Int {
  /// The nearest whole number there is to one that may be anything: 0 for what is no number, the ends for what lies
  /// beyond them. `Int(_:)` ends the process there.
  public init(clamping value: Double) {
    // 2^63 itself is beyond.
    self = value.isNaN ? 0 : value >= 0x1p63 ? .max : value <= -0x1p63 ? .min : Int(value)
  }
}
