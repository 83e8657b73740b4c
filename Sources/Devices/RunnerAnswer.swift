import Diagnostics
import Files
import Foundation

/// What a runner answers: one JSON object (docs/device.md), from a machine that nobody vouches for. All numbers are within
/// bounds and as many as were asked for, and texts are printable ASCII of some length.
public struct RunnerAnswer: Sendable, Equatable {
  public struct Machine: Sendable, Equatable, Codable {
    /// Of the board or the processor.
    public let name: String
    /// For instance `Linux 6.1.0`.
    public let system: String
    public let processors: Int
  }

  public struct Turn: Sendable, Equatable {
    /// Of each run.
    public let nanoseconds: [UInt64]
    public let peakMemoryBytes: Int
    /// Right after the last run, in degrees Celsius and MHz; nil where the system does not tell.
    public let temperature: Double?
    public let clock: Double?
  }

  public struct Plan: Sendable, Equatable {
    /// What it ran with, `avx2` for instance.
    public let isa: String
    public let threads: Int
    /// How many samples of the first batch it answers NaN to.
    public let undefined: Int
    public let turns: [Turn]
    /// Of each step of the plan, the median; empty where they were not timed.
    public let stepNanoseconds: [UInt64]
  }

  public let machine: Machine
  public let plans: [Plan]

  private struct Form: Decodable {
    struct Turn: Decodable {
      let ns: [UInt64]
      let peak_memory_bytes: Int
      let temperature_millidegrees: Int?
      let clock_khz: Int?
    }
    struct Plan: Decodable {
      let isa: String
      let threads, undefined: Int
      let turns: [Turn]
      let steps_ns: [UInt64]?
    }
    let runner: Int
    let machine: Machine
    let plans: [Plan]
  }

  /// - Throws: `CompressError` when it is not what the job asks for.
  init(_ bytes: [UInt8], to job: RunnerJob) throws {
    func wrong(_ what: String) -> CompressError { CompressError("its answer \(what)", kind: .input) }
    try BoundedJSON.check(bytes, values: 1 << 23, depth: 8)
    guard let form = try? JSONDecoder().decode(Form.self, from: Data(bytes)) else {
      throw wrong("is not what a runner prints")
    }
    guard form.runner == 1 else { throw wrong("is of version \(form.runner) of the runner; this program knows 1") }
    func text(_ text: String, _ what: String) throws {
      guard text.utf8.count <= 200, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
        throw wrong("has a \(what) that is no such text")
      }
    }
    func number(_ value: Int, _ range: ClosedRange<Int>, _ what: String) throws {
      guard range.contains(value) else { throw wrong("says that \(what) is \(value)") }
    }
    try text(form.machine.name, "name of its machine")
    try text(form.machine.system, "system")
    try number(form.machine.processors, 1...65_536, "the number of processors")
    guard form.plans.count == job.plans else { throw wrong("is of \(form.plans.count) plans, not of \(job.plans)") }
    /// A day, which no run takes that ends within the hour there is.
    let longest: UInt64 = 86_400_000_000_000
    plans = try form.plans.map { plan in
      try text(plan.isa, "set of instructions")
      try number(plan.threads, 1...65_536, "the number of threads")
      guard job.threads == 0 || plan.threads == job.threads else {
        throw wrong("is of \(plan.threads) threads, not of \(job.threads)")
      }
      try number(plan.undefined, 0...job.batch, "the number of samples answered NaN to")
      guard plan.turns.count == job.turns else { throw wrong("is of \(plan.turns.count) turns, not of \(job.turns)") }
      let turns = try plan.turns.map { turn in
        let runs = turn.ns.count
        guard job.runs == 0 ? (1...RunnerJob.mostRuns).contains(runs) : runs == job.runs else {
          throw wrong("is of \(runs) runs" + (job.runs == 0 ? "" : ", not of \(job.runs)"))
        }
        try number(turn.peak_memory_bytes, 1...1 << 50, "its memory in bytes")
        try turn.temperature_millidegrees.map { try number($0, -100_000...300_000, "its temperature in 1/1000 °C") }
        try turn.clock_khz.map { try number($0, 1...100_000_000, "its clock in kHz") }
        guard let most = turn.ns.max(), most <= longest else { throw wrong("has a run of more than a day") }
        return Turn(
          nanoseconds: turn.ns, peakMemoryBytes: turn.peak_memory_bytes,
          temperature: turn.temperature_millidegrees.map { Double($0) / 1e3 },
          clock: turn.clock_khz.map { Double($0) / 1e3 })
      }
      let steps = plan.steps_ns ?? []
      guard steps.isEmpty != job.timesSteps, steps.count <= 1 << 14, steps.allSatisfy({ $0 <= longest }) else {
        throw wrong("has times of \(steps.count) steps")
      }
      return Plan(isa: plan.isa, threads: plan.threads, undefined: plan.undefined, turns: turns, stepNanoseconds: steps)
    }
    machine = form.machine
  }
}
