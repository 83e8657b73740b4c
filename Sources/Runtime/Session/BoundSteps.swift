import CKernels
import Kernels

/// The steps of a plan with their memory, as C runs them one after the other.
///
/// Steps whose results are the same in every call come apart: they run once.
final class BoundSteps {
  /// By their place in the plan.
  private let all: UnsafeMutableBufferPointer<ck_bound_step>
  /// Those that every call runs, and their places in the plan.
  private let active: UnsafeMutableBufferPointer<ck_bound_step>
  private let activePlaces: [Int]
  /// What every step reads and writes: its inputs, then its outputs.
  private let operands: UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>
  /// Operands that lie in the caller's memory, and where among it.
  private let callers: [(operand: Int, place: Int)]
  private let kernels: UnsafePointer<ck_kernels>
  /// What holds the structs and constants.
  private let steps: [Plan.Step]

  /// - Parameter base: of the arena.
  init(_ plan: Plan, _ memory: StepMemory, base: UnsafeMutableRawPointer) {
    steps = plan.steps
    kernels = plan.machine.isa.kernels
    all = .allocate(capacity: steps.count)
    let constants = steps.count(where: \.isConstant)
    active = .allocate(capacity: steps.count - constants)
    operands = .allocate(capacity: steps.reduce(0) { $0 + $1.inputs.count + $1.outputs.count })
    operands.initialize(repeating: nil)
    var callers: [(operand: Int, place: Int)] = [], activePlaces: [Int] = [], next = 0
    for (index, step) in steps.enumerated() {
      let first = next
      for value in step.inputs + step.outputs {
        switch memory.places[value] {
        case .arena(let offset): operands[next] = base + offset
        case .callersInput(let place): callers.append((next, place))
        case .callersOutput(let place): callers.append((next, plan.inputs.count + place))
        }
        next += 1
      }
      let own = UnsafeRawPointer(operands.baseAddress! + first)
      let outputs = own + step.inputs.count * MemoryLayout<UnsafeRawPointer?>.stride
      let bound = ck_bound_step(
        run: step.kernel.run, step: step.kernel.descriptor.base,
        inputs: own.assumingMemoryBound(to: UnsafeRawPointer?.self),
        outputs: outputs.assumingMemoryBound(to: UnsafeMutableRawPointer?.self), constants: step.kernel.constants?.base,
        scratch: base + memory.scratch[index].lowerBound)
      all.initializeElement(at: index, to: bound)
      if !step.isConstant {
        active.initializeElement(at: activePlaces.count, to: bound)
        activePlaces.append(index)
      }
    }
    self.callers = callers
    self.activePlaces = activePlaces
  }

  deinit {
    all.deallocate()
    active.deallocate()
    operands.deallocate()
  }

  /// Computes what is the same in every call, for so many samples.
  func runConstants(batch: Int, pool: ThreadPool) {
    pool.withWorkers { workers in
      for (index, step) in steps.enumerated() where step.isConstant {
        ck_run_steps(all.baseAddress! + index, 1, kernels, batch, workers)
      }
    }
  }

  /// Sets where the inputs and then the outputs of the next call lie.
  func place(_ places: UnsafePointer<UnsafeMutableRawPointer>) {
    for (operand, place) in callers { operands[operand] = places[place] }
  }

  /// Runs all steps of a call.
  func run(batch: Int, pool: ThreadPool) {
    pool.withWorkers { ck_run_steps(active.baseAddress, active.count, kernels, batch, $0) }
  }

  /// The same one by one; `done` is told each step's place in the plan, before and after.
  func run(batch: Int, pool: ThreadPool, around body: (_ index: Int, _ run: () -> Void) -> Void) {
    pool.withWorkers { workers in
      for (position, index) in activePlaces.enumerated() {
        body(index) { ck_run_steps(active.baseAddress! + position, 1, kernels, batch, workers) }
      }
    }
  }

  /// Runs one step, unless it has run once for all.
  func run(_ index: Int, batch: Int, pool: ThreadPool) {
    guard !steps[index].isConstant else { return }
    pool.withWorkers { ck_run_steps(all.baseAddress! + index, 1, kernels, batch, $0) }
  }

  /// Where a step's first result lies.
  func output(_ index: Int) -> UnsafeMutableRawPointer { all[index].outputs[0]! }
}
