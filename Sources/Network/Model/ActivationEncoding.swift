import Diagnostics

/// What becomes of a layer's output before anyone reads it.
public enum ActivationEncoding: Sendable, Hashable {
  /// Steps of equal width: held as uint8 up to 8 bits, as float32 beyond.
  case affine(ActivationQuantization)
  /// The nearest of some values, held as float32.
  case levels(RoundingLevels)

  /// How the value is held as uint8; nil when it is held as float32.
  public var integer: ActivationQuantization? {
    if case .affine(let quantization) = self, quantization.bits <= 8 { quantization } else { nil }
  }

  /// What a value becomes.
  public func rounded(_ value: Float) -> Float {
    switch self {
    case .affine(let quantization): quantization.rounded(value)
    case .levels(let levels): levels.values[levels.index(of: value)]
    }
  }

  /// For summaries: `uint8`, `16 bits`, `15 values`.
  public var name: String {
    switch self {
    case .affine(let quantization): quantization.bits <= 8 ? "uint\(quantization.bits)" : "\(quantization.bits) bits"
    case .levels(let levels): "\(levels.values.count) values"
    }
  }
}

/// Values that others are rounded to: the nearest one; of two equally near, the lower one.
public struct RoundingLevels: Sendable, Hashable {
  /// 2 to 256 finite numbers, ascending, zero among them.
  public let values: [Float]
  /// Half way between neighbours, `a / 2 + b / 2` in float32: up to here, inclusive, the lower one is taken.
  public let middles: [Float]

  /// - Throws: `CompressError` when these are no levels.
  public init(_ values: [Float]) throws {
    guard (2...256).contains(values.count) else {
      throw CompressError("values are rounded to 2 to 256 levels, not \(values.count)", kind: .input)
    }
    guard values.allSatisfy(\.isFinite), zip(values, values.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw CompressError("levels are finite and ascend", kind: .input)
    }
    guard values.contains(0) else { throw CompressError("zero is no level: padding would not be exact", kind: .input) }
    self.values = values
    middles = zip(values, values.dropFirst()).map { $0 / 2 + $1 / 2 }
  }

  /// Which level a value is rounded to; NaN to the first.
  public func index(of value: Float) -> Int {
    var low = 0, high = middles.count
    while low < high {
      let middle = (low + high) / 2
      if value > middles[middle] { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
