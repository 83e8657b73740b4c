import Diagnostics
import Network

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where the levels lie that values are rounded to.
public enum LevelSpacing: String, Sendable, CaseIterable {
  /// At equal distances.
  case linear
  /// Zero, and on each side that is needed magnitudes that fall from the peak by the same factor, `2^-step`.
  case log
  /// Denser around zero: `peak * atanh(k / n * tanh(1))`.
  case tanh
}

extension LevelSpacing {
  /// Of logarithms, the distance of levels in octaves.
  static let steps: [Double] = [1, 0.5, 0.25, 0.125, 0.0625]

  /// Levels for values in a range; where nothing is negative all lie above zero.
  ///
  /// - Parameter error: of rounding what was seen to some levels, by which the step of logarithms is chosen.
  /// - Throws: `CompressError` when the bits are not 2 to 8 or the range is not finite.
  func levels(low: Float, high: Float, bits: Int, error: (RoundingLevels) throws -> Double) throws -> RoundingLevels {
    guard (2...8).contains(bits) else { throw CompressError("levels have 2 to 8 bits, not \(bits)") }
    guard low.isFinite, high.isFinite else { throw CompressError("values reach from \(low) to \(high)") }
    let largest = max(abs(low), abs(high))
    let peak = largest >= .leastNormalMagnitude ? Double(largest) : 1
    let isSigned = low < 0
    let count = isSigned ? (1 << (bits - 1)) - 1 : (1 << bits) - 1
    /// Zero, the magnitudes, and on the other side the same.
    func mirrored(_ magnitudes: [Double]) throws -> RoundingLevels {
      let positive = magnitudes.map { Float($0) }.filter { $0 >= .leastNormalMagnitude }
      return try RoundingLevels((isSigned ? positive.reversed().map { -$0 } : []) + [0] + positive)
    }
    switch self {
    case .linear:
      let affine = try ActivationQuantization(low: low, high: high, bits: bits)
      return try RoundingLevels((0...affine.limit).map { Float($0 - affine.zeroPoint) * affine.scale })
    case .tanh:
      let edge = tanhOfOne
      return try mirrored((1...count).map { peak * atanh(Double($0) / Double(count) * edge) })
    case .log:
      var best: (levels: RoundingLevels, error: Double)?
      for step in Self.steps {
        let levels = try mirrored((1...count).map { peak * exp2(-Double(count - $0) * step) })
        let error = try error(levels)
        if best.map({ error < $0.error }) ?? true { best = (levels, error) }
      }
      return best!.levels
    }
  }
}

/// Outside the extension, where `tanh` is a case.
private let tanhOfOne = tanh(1.0)
