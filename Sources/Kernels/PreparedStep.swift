import CKernels

/// A step of a plan made ready: the bytes of a C struct, the constants that it reads, and the C function that runs it
/// (see ck-step.h).
///
/// `@unchecked Sendable`: nothing of it changes.
public struct PreparedStep: @unchecked Sendable {
  public typealias Run =
    @convention(c) (UnsafeRawPointer?, UnsafePointer<ck_kernels>?, UnsafePointer<ck_call>?) -> Void
  public typealias Scratch = @convention(c) (UnsafeRawPointer?, Int, Int) -> Int

  /// The C function's name without its prefix, for instance `f32_patches`.
  public let kernel: String
  /// The struct: plain numbers and offsets into the constants.
  public let descriptor: OwnedMemory
  /// Packed weights, tables and the like, aligned for vectors.
  public let constants: OwnedMemory?
  /// Whether the result may take the place of an input of the same size.
  public let worksInPlace: Bool
  public let run: Run
  private let scratch: Scratch?

  public init<Step: BitwiseCopyable>(
    _ kernel: String, _ step: Step, constants: OwnedMemory? = nil, worksInPlace: Bool = false, run: @escaping Run,
    scratch: Scratch? = nil
  ) {
    self.kernel = kernel
    descriptor = OwnedMemory(byteCount: MemoryLayout<Step>.size)
    descriptor.base.storeBytes(of: step, as: Step.self)
    self.constants = constants
    self.worksInPlace = worksInPlace
    self.run = run
    self.scratch = scratch
  }

  /// The same step with bytes and constants of its own.
  init(copying other: PreparedStep) {
    func copy(_ memory: OwnedMemory) -> OwnedMemory {
      let copy = OwnedMemory(byteCount: memory.byteCount)
      copy.base.copyMemory(from: memory.base, byteCount: memory.byteCount)
      return copy
    }
    kernel = other.kernel
    descriptor = copy(other.descriptor)
    constants = other.constants.map(copy)
    worksInPlace = other.worksInPlace
    run = other.run
    scratch = other.scratch
  }

  package var takesScratch: Bool { scratch != nil }

  /// Bytes of the constants.
  public var constantBytes: Int { constants?.byteCount ?? 0 }

  /// What the step's own check finds wrong with it, for operands of so many bytes a sample (see ck-steps.h); nil where it
  /// can be run.
  package func fault(inputs: [Int], outputs: [Int], on isa: InstructionSet) -> String? {
    guard let kind = ck_step_kind_named(kernel) else { return "there is no such kernel" }
    let content = OwnedMemory(byteCount: kind.pointee.bytes)
    content.base.copyMemory(from: descriptor.base, byteCount: kind.pointee.bytes)
    ck_clear_gaps(kind, content.base)
    var of = ck_operands()
    of.kernels = isa.kernels
    (of.inputs, of.outputs) = (inputs.count, outputs.count)
    of.constants = constants.map { UnsafeRawPointer($0.base) }
    of.constant_bytes = constantBytes
    return inputs.withUnsafeBufferPointer { inputs in
      outputs.withUnsafeBufferPointer { outputs in
        of.input_bytes = inputs.baseAddress
        of.output_bytes = outputs.baseAddress
        return ck_check_step(kind, content.base, kind.pointee.bytes, &of).map { String(cString: $0) }
      }
    }
  }

  /// Scratch that the step needs for up to so many samples on so many threads.
  public func scratchBytes(batch: Int, threads: Int) -> Int { scratch?(descriptor.base, batch, threads) ?? 0 }
}

extension ThreadPool {
  /// Runs a C step once, for descriptors that are used outside a plan.
  func run<Step: BitwiseCopyable>(
    _ step: Step, _ function: PreparedStep.Run, on kernels: UnsafePointer<ck_kernels>,
    _ input: UnsafeRawPointer?, _ otherInput: UnsafeRawPointer? = nil, to output: UnsafeMutableRawPointer?,
    _ otherOutput: UnsafeMutableRawPointer? = nil, constants: UnsafeRawPointer? = nil,
    scratch: UnsafeMutableRawPointer? = nil, batch: Int
  ) {
    withUnsafePointer(to: step) { step in
      withUnsafeBytes(of: (input, otherInput)) { inputs in
        withUnsafeBytes(of: (output, otherOutput)) { outputs in
          withWorkers { workers in
            let call = ck_call(
              inputs: inputs.baseAddress!.assumingMemoryBound(to: UnsafeRawPointer?.self),
              outputs: outputs.baseAddress!.assumingMemoryBound(to: UnsafeMutableRawPointer?.self),
              constants: constants, scratch: scratch, batch: batch, workers: workers)
            withUnsafePointer(to: call) { function(step, kernels, $0) }
          }
        }
      }
    }
  }
}

extension ThreadPool {
  /// Runs a step that was made ready, outside a plan.
  func run(
    _ step: PreparedStep, on kernels: UnsafePointer<ck_kernels>, _ inputs: [UnsafeRawPointer?],
    to outputs: [UnsafeMutableRawPointer?], constants: UnsafeRawPointer?, scratch: UnsafeMutableRawPointer?, batch: Int
  ) {
    inputs.withUnsafeBytes { inputs in
      outputs.withUnsafeBytes { outputs in
        withWorkers { workers in
          let call = ck_call(
            inputs: inputs.baseAddress!.assumingMemoryBound(to: UnsafeRawPointer?.self),
            outputs: outputs.baseAddress!.assumingMemoryBound(to: UnsafeMutableRawPointer?.self),
            constants: constants, scratch: scratch, batch: batch, workers: workers)
          withUnsafePointer(to: call) { step.run(step.descriptor.base, kernels, $0) }
        }
      }
    }
  }
}
