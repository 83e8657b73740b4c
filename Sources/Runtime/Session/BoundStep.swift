import Kernels

/// Where a step of a session finds a value.
enum Operand {
  case fixed(UnsafeMutableRawPointer)
  /// By position among the network's inputs or outputs.
  case callersInput(Int), callersOutput(Int)
}

/// What one call of `Session.run` is given: where each input and output of the network lies.
struct Call {
  let inputs: UnsafePointer<UnsafeMutableRawPointer>
  let outputs: UnsafePointer<UnsafeMutableRawPointer>
  let batch: Int
  let pool: ThreadPool

  @inline(__always)
  func pointer(_ operand: Operand) -> UnsafeMutableRawPointer {
    switch operand {
    case .fixed(let pointer): pointer
    case .callersInput(let index): inputs[index]
    case .callersOutput(let index): outputs[index]
    }
  }
}

/// A step with its memory.
struct BoundStep {
  let kernel: StepKernel
  let inputs: UnsafeBufferPointer<Operand>
  let outputs: UnsafeBufferPointer<Operand>
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
    call.pointer(outputs[0]).assumingMemoryBound(to: Float.self)
  }

  @inline(__always)
  func codeOutput(_ call: Call) -> UnsafeMutablePointer<UInt8> {
    call.pointer(outputs[0]).assumingMemoryBound(to: UInt8.self)
  }
}
