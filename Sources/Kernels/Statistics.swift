import CKernels

/// Normalization of each sample by its own statistics (see steps/f32-norm.h).
public struct StatisticNormalization: Sendable {
  public enum Statistic: Sendable { case variance, meanSquare, length }

  public let positions, channels: Int
  /// nil: each position by itself.
  public let groups: Int?
  public let statistic: Statistic
  private let native: ck_f32_norm

  /// - Precondition: the groups divide the channels.
  public init(_ statistic: Statistic, positions: Int, channels: Int, groups: Int?, epsilon: Float) {
    self.statistic = statistic
    self.positions = positions
    self.channels = channels
    self.groups = groups
    let kind =
      switch statistic {
      case .variance: ck_norm_variance
      case .meanSquare: ck_norm_mean_square
      case .length: ck_norm_length
      }
    native = ck_f32_norm(
      statistic: kind, epsilon: epsilon, positions: positions, channels: channels, groups: groups ?? 0)
  }

  /// What a plan holds of it.
  ///
  /// - Parameters:
  ///   - scale: gamma, one number a channel; nil for ones.
  ///   - shift: beta; nil for zeros.
  public func step(scale: [Float]?, shift: [Float]?) -> PreparedStep {
    PreparedStep(
      "f32_norm", native,
      constants: OwnedMemory(
        (scale ?? [Float](repeating: 1, count: channels)) + (shift ?? [Float](repeating: 0, count: channels))),
      worksInPlace: true, run: ck_run_f32_norm)
  }

  /// The same of codes, coded (see steps/u8-norm.h).
  ///
  /// - Precondition: a set has no more than `mostInSet` elements.
  public func step(
    scale: [Float]?, shift: [Float]?, from: AffineQuantization, to: AffineQuantization
  ) -> PreparedStep {
    precondition(positions * channels / max(sets, 1) <= Self.mostInSet)
    return Self.step(
      native, hasStatistics: true, scale: (scale ?? [Float](repeating: 1, count: channels)).map { $0 / to.scale },
      shift: (shift ?? [Float](repeating: 0, count: channels)).map { $0 / to.scale }, from, to)
  }

  /// `factor * x + shift` of codes, coded: a batch norm.
  public static func affineStep(
    positions: Int, factor: [Float], shift: [Float], from: AffineQuantization, to: AffineQuantization
  ) -> PreparedStep {
    step(
      ck_f32_norm(statistic: ck_norm_variance, epsilon: 0, positions: positions, channels: factor.count, groups: 0),
      hasStatistics: false, scale: factor.map { $0 * from.scale / to.scale }, shift: shift.map { $0 / to.scale }, from,
      to)
  }

  private static func step(
    _ native: ck_f32_norm, hasStatistics: Bool, scale: [Float], shift: [Float], _ from: AffineQuantization,
    _ to: AffineQuantization
  ) -> PreparedStep {
    PreparedStep(
      "u8_norm",
      ck_u8_norm(
        norm: native, has_statistics: hasStatistics, zero: from.zeroPoint, zero_point: to.zeroPoint, limit: to.limit,
        scale: from.scale),
      constants: OwnedMemory(scale + shift), worksInPlace: true, run: ck_run_u8_norm)
  }

  /// Of so many codes the number times the sum of squares fits 64 bits.
  public static let mostInSet = 1 << 23

  /// The sets of elements that are normalized together, of one sample.
  public var sets: Int { groups ?? positions }

  /// Where a set begins in a sample, its rows, the elements of each, and the channel of the first.
  public func set(_ index: Int) -> (start: Int, rows: Int, width: Int, channel: Int) {
    guard let groups else { return (index * channels, 1, channels, 0) }
    let width = channels / groups
    return (index * width, positions, width, index * width)
  }

  /// Mean and inverse divisor of a set that begins at `a`.
  public func statistics(_ a: UnsafePointer<Float>, rows: Int, width: Int) -> (mean: Float, inverse: Float) {
    var mean: Float = 0, inverse: Float = 0
    withUnsafePointer(to: native) { ck_f32_norm_statistics($0, a, rows, width, channels, &mean, &inverse) }
    return (mean, inverse)
  }
}
