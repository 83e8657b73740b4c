import Kernels

/// One pass over the first `count` samples of a batch.
struct Pass {
  let count: Int
  /// Whether batch norms use the batch's statistics and move the running ones.
  let isTraining: Bool
  /// What dropout draws from: another number, other draws.
  let noise: UInt64
  let pool: ThreadPool
  let scratch: Scratch
}

/// Memory that a layer may use while it computes; it grows to what the greediest asks for.
final class Scratch {
  private var memory: UnsafeMutableRawBufferPointer?

  func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
    if let memory, memory.count >= count { return memory }
    memory?.deallocate()
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
    memory = larger
    return larger
  }

  deinit { memory?.deallocate() }
}

/// A node prepared for training: its operator, bound to the memory of its inputs, output and parameters.
///
/// Gradients overwrite what was there; where several consumers contribute to one value, the
/// `TrainingGraph` adds.
protocol Layer {
  /// Computes the output's data from the inputs' data.
  func forward(_ pass: Pass) throws

  /// Computes the gradients of the layer's parameters from the output's gradient.
  func parameterGradients(_ pass: Pass) throws

  /// Computes the gradient with respect to one input, after `parameterGradients`. `target` is the
  /// output's own gradient when the layer works in place.
  func inputGradient(_ input: Int, into target: FloatBuffer, _ pass: Pass) throws
}

extension Layer {
  func parameterGradients(_ pass: Pass) {}
}
