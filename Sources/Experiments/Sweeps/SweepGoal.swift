import Diagnostics
import Foundation
import Runs

/// What a search aims at: one metric, limits on others, and how much of the work a hopeless point may cost.
public struct SweepGoal: Codable, Sendable, Equatable {
  /// A metric that must not be exceeded; of accuracy and agreement, must be reached.
  public struct Limit: Codable, Sendable, Equatable {
    public var metric: Metric
    public var value: Double

    /// `gzip=20000`, `p50=0.5`.
    public init(_ text: String) throws {
      let parts = text.split(separator: "=", maxSplits: 1).map { $0.trimmed }
      guard parts.count == 2, let metric = Metric(name: parts[0]), let value = Double(parts[1]), value.isFinite else {
        throw CompressError(
          "--limit \(text): write --limit METRIC=NUMBER",
          hint: "metrics: \(Metric.allCases.map(\.name).joined(separator: ", "))")
      }
      self.metric = metric
      self.value = value
    }
  }

  /// The param that decides how much work a point is, from its least to its full value.
  public struct Budget: Codable, Sendable, Equatable {
    public var param: String
    public var least: Double
    public var full: Double

    /// `epochs=1:9`.
    public init(_ text: String) throws {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      let ends = parts.count == 2 ? parts[1].split(separator: ":").map { Double($0) } : []
      guard ends.count == 2, let least = ends[0], let full = ends[1], least > 0, full > least, full.isFinite else {
        throw CompressError("--budget \(text): write --budget PARAM=LEAST:FULL, both above 0")
      }
      (param, self.least, self.full) = (parts[0], least, full)
    }
  }

  public var metric: Metric
  public var limits: [Limit]
  /// How much less accurate than the run's first variant a model may be, or agree with it, 0…1.
  public var drop: Double?
  /// The variant that counts; nil: the best of all.
  public var variant: String?
  public var budget: Budget?
  /// Of every so many points one goes on, with so many times the budget.
  public var factor: Int

  public init(
    metric: Metric, limits: [Limit], drop: Double?, variant: String?, budget: Budget?, factor: Int
  ) {
    self.metric = metric
    self.limits = limits
    self.drop = drop
    self.variant = variant
    self.budget = budget
    self.factor = factor
  }

  /// As the command line says it: `--search gzip --drop 0.5`.
  var text: String {
    var words = ["--search", metric.name]
    for limit in limits { words += ["--limit", "\(limit.metric.name)=\(SweepAxis.text(limit.value))"] }
    if let drop { words += ["--drop", SweepAxis.text(drop * 100)] }
    if let variant { words += ["--variant", variant] }
    if let budget {
      words += ["--budget", "\(budget.param)=\(SweepAxis.text(budget.least)):\(SweepAxis.text(budget.full))"]
      words += ["--factor", "\(factor)"]
    }
    return words.joined(separator: " ")
  }

  /// The budget of each rung, rising by the factor up to the full one.
  public var rungs: [Double] {
    guard let budget else { return [] }
    var rungs = [budget.full]
    while let last = rungs.last, last / Double(factor) >= budget.least * (1 - 1e-9) {
      rungs.append(last / Double(factor))
    }
    return rungs.reversed()
  }

  /// How good a run is: less is better, and what meets all limits comes before what does not.
  struct Rank: Comparable {
    /// 0: meets the limits; 1: misses them; 2: failed.
    let tier: Int
    let value: Double

    static func < (a: Rank, b: Rank) -> Bool { (a.tier, a.value) < (b.tier, b.value) }
  }

  /// The variant of a run that serves the goal best, and how well.
  func best(of run: RunRecord) -> (variant: RunRecord.Variant?, rank: Rank) {
    let ranked = run.variants.compactMap { candidate -> (RunRecord.Variant, Rank)? in
      guard variant == nil || candidate.name == variant, let value = candidate[metric] else { return nil }
      let missing = miss(candidate, run)
      return (
        candidate, missing > 0 ? Rank(tier: 1, value: missing) : Rank(tier: 0, value: metric.isGain ? -value : value)
      )
    }
    // The first of equals, so that the same runs give the same answer.
    guard let best = ranked.enumerated().min(by: { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) })?.element
    else {
      return (nil, Rank(tier: 2, value: 0))
    }
    return (best.0, best.1)
  }

  /// By how much of the limits a model misses them, all shares added up.
  private func miss(_ candidate: RunRecord.Variant, _ run: RunRecord) -> Double {
    var sum = 0.0
    func add(_ value: Double, atMost limit: Double) {
      if value > limit { sum += (value - limit) / max(abs(limit), 1e-12) }
    }
    for limit in limits {
      let value = candidate[limit.metric] ?? (limit.metric.isGain ? -.infinity : .infinity)
      if limit.metric.isGain { add(-value, atMost: -limit.value) } else { add(value, atMost: limit.value) }
    }
    if let drop, let first = run.variants.first?.share, let share = candidate.share {
      add(-share, atMost: -(first - drop))
    }
    return sum
  }
}
