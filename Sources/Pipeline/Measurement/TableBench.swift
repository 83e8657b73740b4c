import Compression
import Devices
import Diagnostics
import Files
import Formats
import Kernels
import Network
import Runtime
import Tensors

/// Measures the layers of a model for a latency table, here or on another machine.
///
/// A float model is measured in float32, in int8, and twice as a mixture of the two, every other layer of each, so that
/// conversions are known where arithmetic changes. Plans are those of the machine's instruction set, whatever its caches.
public struct TableBench {
  /// As `LatencyTable.add` takes them.
  public let measured: [(key: LatencyTable.Key, milliseconds: Double)]
  public let machine: LatencyTable.Machine
  /// Which machine it was, where it was another.
  public let device: DeviceRecord?
  /// Layers whose time depends on where their zeros lie, and so is none of a table.
  public let leftOut: [String]

  /// - Parameters:
  ///   - precision: nil: as it is, and if that is float32 in the four ways.
  ///   - runs: of each layer; nil: as many as fit two seconds, at least 20.
  ///   - name: of this machine.
  /// - Throws: as `BenchReport` does.
  public init(
    model path: String, on remote: RemoteDevice?, reading: ModelFile.ReadOptions, precision: BenchPrecision?,
    threads: Int, runs: Int?, name: String
  ) throws {
    try BenchReport.check(batch: 1, runs: runs, most: RunnerJob.mostRuns)
    let models = try Self.models(path, reading, precision)
    var random = SeededRandom(seed: 0)
    let input = Tensor(uniform: models[0].graph.inputShape.batched(1), 0, 1, using: &random)
    var measured: [(key: LatencyTable.Key, milliseconds: Double)] = [], leftOut: Set<String> = []
    func add(_ plan: Plan, _ milliseconds: [Double]) {
      for (step, time) in zip(plan.steps, milliseconds) where !step.isConstant {
        if let key = LatencyTable.Key(step) { measured.append((key, time)) } else { leftOut.insert(step.layer) }
      }
    }
    if let remote {
      let scratch = try ScratchFolder(), samples = "\(scratch.path)/samples.f32"
      try AtomicFile.write(to: samples) { writer in try input.withBytes { try writer.write($0) } }
      var job = RunnerJob(plans: models.count, samples: 1)
      (job.threads, job.runs, job.timesSteps) = (threads, runs ?? 0, true)
      let found = try DeviceMeasurement(
        on: remote, count: models.count, model: { models[$0] }, job: job, samples: samples, isExact: false)
      for one in found.measured { add(one.plan, one.answer.stepNanoseconds.map { Double($0) / 1e6 }) }
      let first = found.measured[0]
      machine = LatencyTable.Machine(
        name: found.device.name, isa: first.plan.machine.isa.rawValue, threads: first.answer.threads)
      device = found.device
    } else {
      let pool = try ThreadPool(threads: threads)
      for model in models {
        let plan = try compile(model, CompileOptions(machine: Machine(isa: .current)))
        let session = Session(plan, pool: pool), end = ContinuousClock.now + .seconds(2)
        _ = try session.run(input)
        let times = StepTimes([session], input: input) { done in
          runs.map { done < $0 } ?? (done < 20 || (done < RunnerJob.mostRuns && ContinuousClock.now < end))
        }
        add(plan, times.milliseconds[0])
      }
      machine = LatencyTable.Machine(name: name, isa: InstructionSet.current.rawValue, threads: pool.threads)
      device = nil
    }
    self.measured = measured
    self.leftOut = leftOut.sorted()
  }

  private static func models(
    _ path: String, _ reading: ModelFile.ReadOptions, _ precision: BenchPrecision?
  ) throws -> [Model] {
    let stored = try BenchReport.prepared(path, reading, precision ?? .stored, nil, .serial)
    let isFloat = stored.activations.isEmpty && ModelCost(stored).layers.allSatisfy { $0.bits ?? 32 == 32 }
    guard precision == nil, isFloat else { return [stored] }
    let pure = [stored, try BenchReport.prepared(path, reading, .int8, nil, .serial)]
    let layers = Dictionary(uniqueKeysWithValues: stored.weightLayers.enumerated().map { ($1, $0) })
    return pure + (try [0, 1].map { odd in try Model.mixing(pure) { (layers[$0]! + odd) % 2 } })
  }
}
