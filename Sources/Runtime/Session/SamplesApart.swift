import Kernels

/// A plan's steps with memory for one sample, once for each thread: the samples of a batch are computed side by side, each
/// by one thread from the first step to the last, so that what lies between two layers stays in that thread's caches.
/// Results are the same bits.
final class SamplesApart {
  private let plan: Plan
  private let pool: ThreadPool
  private let lanes: [Lane]
  /// Kept, so that no call adds them up anew.
  private let bytes: Plan.SampleBytes

  /// - Precondition: `plan.computesSamplesApart` for some batch.
  init(_ plan: Plan, pool: ThreadPool) {
    self.plan = plan
    self.pool = pool
    bytes = Plan.SampleBytes(plan)
    let memory = StepMemory(plan, batch: 1, threads: 1)
    lanes = (0..<pool.threads).map { _ in Lane(plan, memory) }
  }

  /// Whether so many samples are computed apart.
  func takes(_ batch: Int) -> Bool { plan.computesSamplesApart(batch, threads: pool.threads, bytes) }

  static func byteCount(_ plan: Plan, threads: Int) -> Int {
    threads * StepMemory(plan, batch: 1, threads: 1).byteCount
  }

  func run(input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, batch: Int) {
    let (inputs, outputs) = (plan.inputCount, plan.outputCount)
    pool.parallelFor(batch) { sample, worker in
      lanes[worker].run(input: input + sample * inputs, output: output + sample * outputs)
    }
  }

  /// What one thread has.
  private final class Lane {
    private let memory: OwnedMemory
    private let steps: BoundSteps

    init(_ plan: Plan, _ layout: StepMemory) {
      memory = OwnedMemory(byteCount: layout.byteCount)
      steps = BoundSteps(plan, layout, base: memory.base)
      steps.runConstants(batch: 1, pool: .serial)
    }

    func run(input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>) {
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer.self, capacity: 2) { places in
        places[0] = UnsafeMutableRawPointer(mutating: input)
        places[1] = UnsafeMutableRawPointer(output)
        steps.place(places.baseAddress!)
      }
      steps.run(batch: 1, pool: .serial)
    }
  }
}

extension Plan {
  /// What decides whether samples are computed apart, in bytes.
  struct SampleBytes {
    /// The largest value of a sample, and all of them.
    let largest, all: Int
    let weights: Int

    init(_ plan: Plan) {
      let values = plan.steps.filter { !$0.isConstant }.flatMap(\.outputs).map { plan.valueBytes[$0] }
      largest = values.max() ?? 0
      all = values.reduce(0, +)
      weights = plan.weightBytes
    }
  }

  /// Whether so many samples are computed apart, each by one thread: where the layers' values of all of them would leave
  /// the caches, the weights, which are read for each sample then, are fewer bytes than these values, and no thread is
  /// left without work for long.
  func computesSamplesApart(_ batch: Int, threads: Int, _ bytes: SampleBytes? = nil) -> Bool {
    guard batch >= 2, inputs.count == 1, outputs.count == 1, batch % threads == 0 || batch >= 4 * threads else {
      return false
    }
    let bytes = bytes ?? SampleBytes(self)
    return bytes.largest * batch > 4 * machine.secondLevelBytes && bytes.weights < bytes.all
  }
}
