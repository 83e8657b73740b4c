import Kernels

/// Where a step of a session finds a value.
enum Operand {
  case fixed(UnsafeMutableRawPointer)
  case callersInput, callersOutput
}

/// What one call of `Session.run` is given.
struct Call {
  let input: UnsafeMutableRawPointer
  let output: UnsafeMutableRawPointer
  let batch: Int
  let pool: ThreadPool

  @inline(__always)
  func pointer(_ operand: Operand) -> UnsafeMutableRawPointer {
    switch operand {
    case .fixed(let pointer): pointer
    case .callersInput: input
    case .callersOutput: output
    }
  }
}

/// A step with its memory.
struct BoundStep {
  let kernel: StepKernel
  let inputs: UnsafeBufferPointer<Operand>
  let output: Operand
  let scratch: UnsafeMutableRawBufferPointer

  @inline(__always)
  func floats(_ index: Int, _ call: Call) -> UnsafePointer<Float> {
    UnsafePointer(call.pointer(inputs[index]).assumingMemoryBound(to: Float.self))
  }

  @inline(__always)
  func codes(_ index: Int, _ call: Call) -> UnsafePointer<UInt8> {
    UnsafePointer(call.pointer(inputs[index]).assumingMemoryBound(to: UInt8.self))
  }

  @inline(__always)
  func floatOutput(_ call: Call) -> UnsafeMutablePointer<Float> {
    call.pointer(output).assumingMemoryBound(to: Float.self)
  }

  @inline(__always)
  func codeOutput(_ call: Call) -> UnsafeMutablePointer<UInt8> {
    call.pointer(output).assumingMemoryBound(to: UInt8.self)
  }
}
