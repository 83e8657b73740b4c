import Runtime

/// The form in files, flat in the object of whoever holds it: `latency_ms`, `peak_memory_bytes` and `turns`, as
/// docs/results.md describes them. These keys are published: none is ever renamed.
extension Timing: Codable {
  private enum CodingKeys: String, CodingKey {
    case latency = "latency_ms", peakMemory = "peak_memory_bytes", turns
  }

  private enum LatencyKeys: String, CodingKey { case mean, min, p50, p90, p99, max, samples }

  private enum TurnKeys: String, CodingKey {
    case runs, median = "p50_ms", peakMemory = "peak_memory_bytes", load
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let samples = try container.nestedContainer(keyedBy: LatencyKeys.self, forKey: .latency)
      .decode([Double].self, forKey: .samples)
    func broken(_ what: String) -> DecodingError {
      .dataCorruptedError(forKey: .turns, in: container, debugDescription: what)
    }
    guard !samples.isEmpty else { throw broken("no run was timed") }
    guard container.contains(.turns) else {
      // A file of an older version: one process measured all.
      let peak = try container.decode(Int.self, forKey: .peakMemory)
      self.init(turns: [Turn(samples: samples, peakMemoryBytes: peak, load: nil)])
      return
    }
    var list = try container.nestedUnkeyedContainer(forKey: .turns)
    var turns: [Turn] = [], rest = samples[...]
    while !list.isAtEnd {
      let turn = try list.nestedContainer(keyedBy: TurnKeys.self)
      let runs = try turn.decode(Int.self, forKey: .runs)
      guard runs > 0, runs <= rest.count else { throw broken("a turn of \(runs) runs where \(rest.count) are left") }
      turns.append(
        Turn(
          samples: Array(rest.prefix(runs)), peakMemoryBytes: try turn.decode(Int.self, forKey: .peakMemory),
          load: try turn.decodeIfPresent(MachineLoad.self, forKey: .load)))
      rest = rest.dropFirst(runs)
    }
    guard rest.isEmpty else { throw broken("\(rest.count) runs are of no turn") }
    self.init(turns: turns)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    var latency = container.nestedContainer(keyedBy: LatencyKeys.self, forKey: .latency)
    try latency.encode(mean, forKey: .mean)
    try latency.encode(min, forKey: .min)
    try latency.encode(p50, forKey: .p50)
    try latency.encode(p90, forKey: .p90)
    try latency.encode(p99, forKey: .p99)
    try latency.encode(max, forKey: .max)
    try latency.encode(samples, forKey: .samples)
    try container.encode(peakMemoryBytes, forKey: .peakMemory)
    var list = container.nestedUnkeyedContainer(forKey: .turns)
    for turn in turns {
      var entry = list.nestedContainer(keyedBy: TurnKeys.self)
      try entry.encode(turn.samples.count, forKey: .runs)
      try entry.encode(turn.statistics.p50, forKey: .median)
      try entry.encode(turn.peakMemoryBytes, forKey: .peakMemory)
      try entry.encodeIfPresent(turn.load, forKey: .load)
    }
  }
}

extension MachineLoad: Codable {
  private enum CodingKeys: String, CodingKey {
    case seconds = "wall_s", own = "own_cpu_s", preemptions, processors, others = "others_cpu_s", stolen = "stolen_cpu_s"
    case waiting = "waiting_s"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      seconds: try container.decode(Double.self, forKey: .seconds),
      own: try container.decode(Double.self, forKey: .own),
      preemptions: try container.decode(Int.self, forKey: .preemptions),
      processors: try container.decodeIfPresent(Int.self, forKey: .processors),
      others: try container.decodeIfPresent(Double.self, forKey: .others),
      stolen: try container.decodeIfPresent(Double.self, forKey: .stolen),
      waiting: try container.decodeIfPresent(Double.self, forKey: .waiting))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(own, forKey: .own)
    try container.encode(preemptions, forKey: .preemptions)
    try container.encodeIfPresent(processors, forKey: .processors)
    try container.encodeIfPresent(others, forKey: .others)
    try container.encodeIfPresent(stolen, forKey: .stolen)
    try container.encodeIfPresent(waiting, forKey: .waiting)
  }
}
