/// What a runner is to measure, as the file says that it is given.
public struct RunnerJob: Sendable {
  public var plans: Int
  /// 0: as many as the device has processors.
  public var threads = 0
  /// Samples at once.
  public var batch = 1
  /// In the file of samples.
  public var samples: Int
  /// Runs before the first that counts.
  public var warmUp = 50
  /// Of each turn; 0: as many as fit two seconds, at least 20.
  public var runs = 0
  public var turns = 1
  /// How long a turn lasts at least, by runs that do not count.
  public var leastMilliseconds = 0
  /// Whether to time each step as well, in runs of their own.
  public var timesSteps = false

  /// Of all turns of a plan together.
  public static let mostRuns = 100_000

  public init(plans: Int, samples: Int) {
    self.plans = plans
    self.samples = samples
  }

  var text: String {
    let fields = [
      ("plans", plans), ("threads", threads), ("batch", batch), ("samples", samples), ("warm_up", warmUp),
      ("runs", runs), ("turns", turns), ("least_ms", leastMilliseconds), ("layers", timesSteps ? 1 : 0),
    ]
    return fields.map { "\($0.0) \($0.1)\n" }.joined()
  }
}
