/// A sweep as its page shows it.
public struct SweepResults: Sendable {
  public struct Variant: Sendable {
    public var name: String
    /// 0…1; of models that were judged without labels, the share answered as the run's first variant does.
    public var accuracy: Double
    public var gzipBytes: Int
    public var macs: Int
    public var nonzero: Int
    /// Milliseconds.
    public var median: Double
    /// In how many processes it was timed; nil in runs recorded by older versions.
    public var turns: Int?

    public init(
      name: String, accuracy: Double, gzipBytes: Int, macs: Int, nonzero: Int, median: Double, turns: Int? = nil
    ) {
      self.name = name
      self.accuracy = accuracy
      self.gzipBytes = gzipBytes
      self.macs = macs
      self.nonzero = nonzero
      self.median = median
      self.turns = turns
    }
  }

  public struct Point: Sendable {
    public var number: Int
    /// One for each of the sweep's axes; nil where the point has none.
    public var values: [ParamValue?]
    public var seed: UInt64
    public var variants: [Variant]
    /// Of a point that failed.
    public var error: String?
    /// Its report, relative to the page; nil when it has none.
    public var report: String?

    public init(
      number: Int, values: [ParamValue?], seed: UInt64, variants: [Variant], error: String?, report: String?
    ) {
      self.number = number
      self.values = values
      self.seed = seed
      self.variants = variants
      self.error = error
      self.report = report
    }
  }

  public var script: String
  public var axes: [String]
  /// Points that ended, in order.
  public var points: [Point]
  /// How many the sweep has.
  public var total: Int
  public var threads: Int
  public var machine: ResultsFile.Machine
  /// What the shares of its variants are called.
  public var measure = "accuracy"

  public init(
    script: String, axes: [String], points: [Point], total: Int, threads: Int, machine: ResultsFile.Machine
  ) {
    self.script = script
    self.axes = axes
    self.points = points
    self.total = total
    self.threads = threads
    self.machine = machine
  }
}
