import Runtime

/// How long a model takes, measured in one turn or several, each in a process of its own: the one record of it from the
/// measuring process to results.json, the run store and a sweep. `Timing+JSON.swift` has its form in files.
public struct Timing: Sendable, Equatable {
  /// What one process measured.
  public struct Turn: Sendable, Equatable {
    /// Milliseconds for one image, in the order they were taken.
    public let samples: [Double]
    public let statistics: LatencyStatistics
    /// The most memory the process held, from its start to the last timed run.
    public let peakMemoryBytes: Int
    /// What else the machine did meanwhile; nil where nobody looked.
    public let load: MachineLoad?

    /// - Precondition: there is at least one sample.
    public init(samples: [Double], peakMemoryBytes: Int, load: MachineLoad?) {
      self.samples = samples
      statistics = LatencyStatistics(milliseconds: samples)
      self.peakMemoryBytes = peakMemoryBytes
      self.load = load
    }
  }

  /// In the order they were taken.
  public let turns: [Turn]
  /// Of the samples of all turns together, milliseconds for one image.
  public let statistics: LatencyStatistics

  /// - Precondition: there is at least one turn.
  public init(turns: [Turn]) {
    self.turns = turns
    statistics = LatencyStatistics(milliseconds: turns.flatMap(\.samples))
  }

  /// Of all turns, in the order they were taken.
  public var samples: [Double] { turns.flatMap(\.samples) }
  /// Of each turn.
  public var medians: [Double] { turns.map(\.statistics.p50) }
  /// The largest over the turns.
  public var peakMemoryBytes: Int { turns.reduce(0) { Swift.max($0, $1.peakMemoryBytes) } }

  public var mean: Double { statistics.mean }
  public var min: Double { statistics.min }
  public var p50: Double { statistics.p50 }
  public var p90: Double { statistics.p90 }
  public var p99: Double { statistics.p99 }
  public var max: Double { statistics.max }
}
