import Diagnostics
import Kernels
import Network

/// Watches the values that pass one point of the network during calibration, batch by batch, in memory that does not
/// grow with them, and then says how to quantize them.
public struct Observer {
  private let format: ActivationFormat
  /// What of the values matters; nil: all that are seen.
  private let sensitive: ClosedRange<Float>?
  /// Of all values, or averaged over batches.
  private var range: ClosedRange<Float>?
  private var histogram: ValueHistogram?

  /// - Parameter sensitive: what of the values matters to those who read them: the range goes no further, unless nothing
  ///   was seen within it.
  /// - Throws: `CompressError` when bits, percentile or momentum are out of range.
  public init(_ format: ActivationFormat, sensitive: ClosedRange<Float>? = nil) throws {
    let most = format.spacing == .linear ? 16 : 8
    guard (2...most).contains(format.bits) else {
      throw CompressError("activations of \(format.spacing) spacing have 2 to \(most) bits, not \(format.bits)")
    }
    switch format.observer {
    case .percentile(let percent) where !(50...100).contains(percent):
      throw CompressError("a percentile of \(percent) is not within 50 and 100")
    case .movingAverage(let momentum) where !(0..<1).contains(momentum):
      throw CompressError("a momentum of \(momentum) is not within 0 and 1")
    default: break
    }
    self.format = format
    self.sensitive = sensitive
    if format.observer.needsHistogram || format.spacing != .linear { histogram = ValueHistogram() }
  }

  /// Takes one batch in.
  ///
  /// - Throws: `CompressError` when a value is not finite, or of a size that no scale fits.
  public mutating func observe(_ values: UnsafeBufferPointer<Float>, pool: ThreadPool = .serial) throws {
    guard !values.isEmpty else { return }
    guard let seen = Distribution.finiteRange(of: values, pool: pool) else {
      throw CompressError("an activation is not finite; was the model trained to NaN?", kind: .input)
    }
    let peak = max(-seen.lowerBound, seen.upperBound)
    guard peak <= ActivationQuantization.scales.upperBound else {
      throw CompressError("a value of size \(peak) is too large to be quantized", kind: .input)
    }
    if case .movingAverage(let momentum) = format.observer, let range {
      func average(_ old: Float, _ new: Float) -> Float { Float(momentum * Double(old) + (1 - momentum) * Double(new)) }
      self.range =
        average(range.lowerBound, seen.lowerBound)...average(range.upperBound, seen.upperBound)
    } else {
      range =
        min(range?.lowerBound ?? .infinity, seen.lowerBound)...max(range?.upperBound ?? -.infinity, seen.upperBound)
    }
    histogram?.add(values, within: seen, pool: pool)
  }

  /// - Throws: `CompressError` when nothing was observed.
  public func encoding() throws -> ActivationEncoding {
    guard let range else { throw CompressError("no calibration data reached it") }
    guard let histogram else { return try encoding(range) }
    let chosen: ClosedRange<Float>
    switch format.observer {
    case .minmax, .movingAverage: chosen = range
    case .percentile(let percent): chosen = histogram.middle(percent / 100, of: range)
    case .entropy: chosen = histogram.leastDivergence(levels: 1 << min(format.bits, 8), of: range)
    case .mse: chosen = try histogram.leastError(of: range, encoding)
    }
    let found = try encoding(chosen), whole = try encoding(range)
    // Of values of few levels (a mask, an image of few grey levels) a bin is a level: what lies outside the range is not a
    // tail but one of them. Neither is there a distribution to compare with where there are few values in all.
    let isDiscrete = histogram.hitBins <= 1 << min(format.bits, 8)
    let isScarce = format.observer == .entropy && histogram.count < 4 * histogram.hitBins
    return (isDiscrete || isScarce) && histogram.error(found) > histogram.error(whole) ? whole : found
  }

  private func encoding(_ range: ClosedRange<Float>) throws -> ActivationEncoding {
    let range = sensitive.map { $0.overlaps(range) ? range.clamped(to: $0) : range } ?? range
    guard format.spacing == .linear else { return .levels(try levels(range)) }
    return .affine(
      try ActivationQuantization(
        low: range.lowerBound, high: range.upperBound, bits: format.bits, symmetric: format.symmetric,
        powerOfTwo: format.powerOfTwo))
  }

  private func levels(_ range: ClosedRange<Float>) throws -> RoundingLevels {
    try format.spacing.levels(low: range.lowerBound, high: range.upperBound, bits: format.bits) {
      histogram!.error(.levels($0))
    }
  }
}
