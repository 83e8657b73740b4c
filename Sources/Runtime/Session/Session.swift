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
  let steps: UnsafeMutableBufferPointer<BoundStep>
  private let operands: UnsafeMutableBufferPointer<Operand>

  /// Whether each step is timed; costs some 50 ns a step.
  public var isTimingSteps = false
  /// How long each step of the plan took in the timed runs together, in nanoseconds.
  public private(set) var stepNanoseconds: [UInt64]

  /// - Parameter pool: the threads that share out the work within a step; results do not depend on them.
  public init(_ plan: Plan, pool: ThreadPool = .serial) {
    self.plan = plan
    self.pool = pool
    stepNanoseconds = [UInt64](repeating: 0, count: plan.steps.count)
    let memory = StepMemory(plan, threads: pool.threads)
    // Zeroed, so that every page is there before the first run.
    let base = allocateZeroed(byteCount: memory.byteCount, alignment: ArenaPlan.alignment, for: "values and scratch")
    arena = base
    arenaBytes = memory.byteCount
    func operand(_ value: Int) -> Operand {
      switch memory.places[value] {
      case .arena(let offset): .fixed(base + offset)
      case .callersInput: .callersInput
      case .callersOutput: .callersOutput
      }
    }
    operands = .allocate(capacity: max(1, plan.steps.reduce(0) { $0 + $1.inputs.count }))
    steps = .allocate(capacity: plan.steps.count)
    var next = operands.baseAddress!
    for (index, step) in plan.steps.enumerated() {
      let inputs = UnsafeMutableBufferPointer(start: next, count: step.inputs.count)
      _ = inputs.initialize(from: step.inputs.map(operand))
      next += step.inputs.count
      let scratch = memory.scratch[index]
      steps.initializeElement(
        at: index,
        to: BoundStep(
          kernel: step.kernel, inputs: UnsafeBufferPointer(inputs), output: operand(step.output),
          scratch: UnsafeMutableRawBufferPointer(start: base + scratch.lowerBound, count: scratch.count)))
    }
  }

  deinit {
    steps.deinitialize()
    steps.deallocate()
    operands.deallocate()
    free(arena)
  }

  /// Bytes of values and scratch.
  public let arenaBytes: Int

  /// Computes as many samples as the input holds. Nothing is allocated.
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
    let call = Call(
      input: UnsafeMutableRawPointer(mutating: input.baseAddress!),
      output: UnsafeMutableRawPointer(output.baseAddress!), batch: batch, pool: pool)
    if isTimingSteps {
      for index in 0..<steps.count {
        let start = monotonicNanoseconds()
        steps[index].run(call)
        stepNanoseconds[index] += monotonicNanoseconds() - start
      }
    } else {
      for index in 0..<steps.count { steps[index].run(call) }
    }
  }

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
