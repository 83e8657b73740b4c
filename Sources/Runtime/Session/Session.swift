import Diagnostics
import Kernels
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Runs a plan: the plan's weights, and memory of its own.
///
/// A session belongs to one thread at a time; make one for each thread that runs the plan on its own.
public final class Session {
  public let plan: Plan
  let pool: ThreadPool
  private let arena: UnsafeMutableRawPointer
  let steps: BoundSteps
  /// Where the inputs and the outputs of the current call lie.
  private let places: UnsafeMutablePointer<UnsafeMutableRawPointer>
  /// Memory for inputs and outputs that come, or go, sample by sample, in the places' order: empty where there is only
  /// one of each.
  private let records: UnsafeMutablePointer<Float>?
  /// For batches whose samples are computed apart; nil where none is.
  private let apart: SamplesApart?

  /// Whether each step is timed; costs some 50 ns a step.
  public var isTimingSteps = false
  /// How long each step of the plan took in the timed runs together, in nanoseconds.
  public private(set) var stepNanoseconds: [UInt64]

  /// - Precondition: this machine runs the kernels that the plan is made for (`InstructionSet.canBeRun`).
  /// - Parameter pool: the threads that share out the work within a step; results do not depend on them.
  public init(_ plan: Plan, pool: ThreadPool = .serial) {
    precondition(plan.machine.isa.canBeRun, "this machine does not run \(plan.machine.isa.rawValue)")
    self.plan = plan
    self.pool = pool
    stepNanoseconds = [UInt64](repeating: 0, count: plan.steps.count)
    let memory = StepMemory(plan, threads: pool.threads)
    // Zeroed, so that every page is there before the first run.
    let base = allocateZeroed(byteCount: memory.byteCount, alignment: ArenaPlan.alignment, for: "values and scratch")
    arena = base
    arenaBytes = memory.byteCount
    places = .allocate(capacity: plan.inputs.count + plan.outputs.count)
    places.initialize(repeating: base, count: plan.inputs.count + plan.outputs.count)
    records =
      plan.inputs.count + plan.outputs.count == 2
      ? nil
      : allocateZeroed(
        byteCount: plan.maxBatch * (plan.inputCount + plan.outputCount) * 4, alignment: ArenaPlan.alignment,
        for: "inputs and outputs"
      ).assumingMemoryBound(to: Float.self)
    apart = plan.computesSamplesApart(plan.maxBatch, threads: pool.threads) ? SamplesApart(plan, pool: pool) : nil
    steps = BoundSteps(plan, memory, base: base)
    steps.runConstants(batch: plan.maxBatch, pool: pool)
  }

  deinit {
    places.deallocate()
    free(records)
    free(arena)
  }

  /// Bytes of values and scratch.
  public let arenaBytes: Int

  /// Computes as many samples as the input holds, layer by layer or, where that keeps more in the caches, sample by sample
  /// (`SamplesApart`). Nothing is allocated. Of several inputs or outputs each sample has
  /// all, one after the other, as `Plan.inputShape` and `outputShape` say.
  ///
  /// - Precondition: the input holds 1 to `plan.maxBatch` whole samples, the output room for as many results.
  public func run(input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>) {
    let size = plan.inputCount
    let batch = input.count / size
    precondition(
      input.count == batch * size && (1...plan.maxBatch).contains(batch),
      "\(input.count) values are not 1 to \(plan.maxBatch) samples of \(size)")
    precondition(
      output.count == batch * plan.outputCount,
      "room for \(output.count) values, not \(batch) times \(plan.outputCount)")
    if let apart, !isTimingSteps, apart.takes(batch) {
      return apart.run(input: input.baseAddress!, output: output.baseAddress!, batch: batch)
    }
    begin(input: input.baseAddress!, output: output.baseAddress!, batch: batch)
    if isTimingSteps {
      steps.run(batch: batch, pool: pool) { index, run in
        let start = monotonicNanoseconds()
        run()
        stepNanoseconds[index] += monotonicNanoseconds() - start
      }
    } else {
      steps.run(batch: batch, pool: pool)
    }
    end(output: output.baseAddress!, batch: batch)
  }

  /// Sets the places of a call's inputs and outputs: the caller's memory, or, where there are several, memory of the
  /// session's, into which the inputs are sorted.
  func begin(input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, batch: Int) {
    defer { steps.place(places) }
    guard var next = records else {
      places[0] = UnsafeMutableRawPointer(mutating: input)
      places[1] = UnsafeMutableRawPointer(output)
      return
    }
    var offset = 0
    for (index, shape) in (plan.inputShapes + plan.outputShapes).enumerated() {
      places[index] = UnsafeMutableRawPointer(next)
      if index < plan.inputs.count {
        for sample in 0..<batch {
          (next + sample * shape.count).update(from: input + sample * plan.inputCount + offset, count: shape.count)
        }
        offset += shape.count
      }
      next += plan.maxBatch * shape.count
    }
  }

  /// Gives the caller what a call that `begin` began has computed.
  func end(output: UnsafeMutablePointer<Float>, batch: Int) {
    guard records != nil else { return }
    var offset = 0
    for (index, shape) in plan.outputShapes.enumerated() {
      let values = places[plan.inputs.count + index].assumingMemoryBound(to: Float.self)
      for sample in 0..<batch {
        (output + sample * plan.outputCount + offset).update(from: values + sample * shape.count, count: shape.count)
      }
      offset += shape.count
    }
  }

  /// Where an input of the current call lies.
  func input(_ index: Int) -> UnsafeMutablePointer<Float> { places[index].assumingMemoryBound(to: Float.self) }

  /// Computes any number of samples, `[n, …input]` → `[n, …output]`, as many at once as the plan allows.
  ///
  /// - Throws: `CompressError` when the shape does not fit or the type is not float32.
  public func run(_ samples: Tensor) throws -> Tensor {
    let count = try count(of: samples)
    var results = Tensor(zeros: plan.outputShape.batched(count))
    samples.withElements(Float.self) { from in
      results.withMutable(Float.self) { to in
        var done = 0
        while done < count {
          let end = min(done + plan.maxBatch, count)
          run(
            input: UnsafeBufferPointer(rebasing: from[done * plan.inputCount..<end * plan.inputCount]),
            output: UnsafeMutableBufferPointer(rebasing: to[done * plan.outputCount..<end * plan.outputCount]))
          done = end
        }
      }
    }
    return results
  }

  /// How many samples a tensor holds.
  ///
  /// - Throws: `CompressError` when the shape does not fit or the type is not float32.
  func count(of samples: Tensor) throws -> Int {
    guard samples.rank == plan.inputShape.rank + 1, Array(samples.shape.dims.dropFirst()) == plan.inputShape.dims,
      samples.dtype == .float32
    else {
      throw CompressError(
        "\(samples.dtype) samples of shape \(samples.shape) for a network that takes float32 [n] + \(plan.inputShape)")
    }
    return samples.shape[0]
  }
}
