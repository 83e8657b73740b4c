import CompiledPlans
import Devices
import Diagnostics
import Files
import Kernels
import Network
import Runtime
import Tensors

/// Plans of models measured on another machine.
struct DeviceMeasurement {
  /// Of each model, in their order.
  struct Measured {
    let timing: Timing
    let answer: RunnerAnswer.Plan
    /// What ran there.
    let plan: Plan
  }

  let device: DeviceRecord
  let measured: [Measured]

  /// - Parameters:
  ///   - models: how many there are, and each by its number: they need not be in memory at once.
  ///   - job: `plans` is theirs; the rest says what is wanted.
  ///   - samples: as `RemoteDevice.measure` takes them.
  /// - Throws: `CompressError` naming the device.
  init(
    on remote: RemoteDevice, count: Int, model: (Int) throws -> Model, job: RunnerJob, samples: String, isExact: Bool
  ) throws {
    let scratch = try ScratchFolder()
    var sets: [InstructionSet] = []
    let answer = try remote.measure(job, samples: samples, scratch: scratch.path) { machine in
      sets = machine == "x86_64" ? [.avx2, .avx512] : [.neon]
      return try (0..<count).map { number in
        let path = "\(scratch.path)/\(number + 1).\(CompiledPlanFile.fileExtension)"
        let file = try CompiledPlanFile(
          try model(number), for: sets.map { Machine(isa: $0) }, maxBatch: job.batch, isExact: isExact)
        try file.write(to: path)
        return path
      }
    }
    let address = remote.address
    measured = try answer.plans.enumerated().map { number, found in
      guard let isa = sets.first(where: { $0.nativeName == found.isa }) else {
        throw CompressError(
          "\(address): its answer is of a set of instructions that nothing was compiled for", kind: .input)
      }
      let plan = try compile(
        try model(number), CompileOptions(maxBatch: job.batch, machine: Machine(isa: isa), isExact: isExact))
      guard !job.timesSteps || found.stepNanoseconds.count == plan.steps.count else {
        throw CompressError(
          "\(address): its answer has times of \(found.stepNanoseconds.count) steps, where there are \(plan.steps.count)",
          kind: .input)
      }
      let turns = found.turns.map { turn in
        Timing.Turn(
          samples: turn.nanoseconds.map { Double($0) / 1e6 }, peakMemoryBytes: turn.peakMemoryBytes, load: nil)
      }
      return Measured(timing: Timing(turns: turns), answer: found, plan: plan)
    }
    device = DeviceRecord(address, answer)
  }
}

/// Which machine measured, where that is not the one that tells of it. The keys are published.
public struct DeviceRecord: Sendable, Codable, Equatable {
  public let address: String
  /// Of the board or the processor, its system, what the kernels were made for, and how many processors it has.
  public let name, system, isa: String
  public let processors: Int
  /// Of the turns the highest, in degrees Celsius; the lowest clock in MHz; nil where the system does not tell.
  public let temperature, clock: Double?

  private enum CodingKeys: String, CodingKey {
    case address, name, system, isa, processors, temperature = "temperature_c", clock = "clock_mhz"
  }

  init(_ address: DeviceAddress, _ answer: RunnerAnswer) {
    self.address = address.description
    name = answer.machine.name
    system = answer.machine.system
    isa = answer.plans.first?.isa ?? ""
    processors = answer.machine.processors
    let turns = answer.plans.flatMap(\.turns)
    temperature = turns.compactMap(\.temperature).max()
    clock = turns.compactMap(\.clock).min()
  }
}
