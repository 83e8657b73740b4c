/// In which numbers a step computes.
public enum Arithmetic: String, Sendable, Codable {
  case float32
  /// Weights held as float16 and widened as they are used; all else is float32.
  case float16Weights = "float16 weights"
  /// int8 weights; each image's input is quantized to uint8 over its own range when it arrives, summed
  /// in int32, and the result is float32.
  case dynamicRange = "dynamic range"
  /// uint8 activations, int8 weights, int32 sums.
  case int8
  /// float32 with numbers that were rounded to fewer bits: what there is no kernel for.
  case simulated

  /// Whether sums are formed of 8-bit integers.
  public var sumsIntegers: Bool { self == .int8 || self == .dynamicRange }
}

/// A layer that computes in float although its plan is of a quantized network.
public struct FloatFallback: Sendable, Hashable {
  public let layer: String
  public let reason: String
  /// Whether its numbers are rounded to fewer bits all the same.
  public let isSimulated: Bool

  init(layer: String, reason: String, isSimulated: Bool = false) {
    self.layer = layer
    self.reason = reason
    self.isSimulated = isSimulated
  }
}
