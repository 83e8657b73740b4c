extension Int {
  /// A number without its fraction; the least or greatest `Int` for what lies beyond, and 0 for NaN. For numbers that
  /// come from files, from scripts or out of divisions.
  public init(saturating value: Double) {
    // The bounds as doubles: 2^63 itself is no Int.
    self = value >= 0x1p63 ? .max : value < -0x1p63 ? .min : value.isNaN ? 0 : Int(value)
  }
}
