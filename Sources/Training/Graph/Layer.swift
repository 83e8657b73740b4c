import Kernels

/// One pass over the first `count` samples of a batch.
struct Pass {
  let count: Int
  let mode: Mode
  /// What dropout draws from: another number, other draws.
  let noise: UInt64
  let pool: ThreadPool
  let scratch: Scratch

  enum Mode: Equatable {
    /// Batch norms use the running statistics.
    case inference
    /// Batch norms use the batch's statistics and move the running ones.
    case training
    /// A layer of a training pass again, for its output alone: nothing else changes.
    case refreshing
    /// Running statistics become the mean of those of all batches since number 0.
    case recalibrating(batch: Int)
  }

  /// Whether batch norms use the batch's statistics.
  var usesBatchStatistics: Bool { mode != .inference }
  /// Whether dropout drops.
  var drops: Bool { mode == .training || mode == .refreshing }
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
  /// What the backward pass reads of the data; its memory is kept until then.
  var savedForBackward: SavedForBackward { get }

  /// Computes the output's data from the inputs' data.
  func forward(_ pass: Pass) throws

  /// Computes the gradients of the layer's parameters from the output's gradient.
  func parameterGradients(_ pass: Pass) throws

  /// Computes the gradient with respect to one input, after `parameterGradients`. `target` is the
  /// output's own gradient when the layer works in place.
  func inputGradient(_ input: Int, into target: FloatBuffer, _ pass: Pass) throws
}

/// Data that a layer's gradients depend on.
struct SavedForBackward: OptionSet {
  let rawValue: Int
  static let inputs = SavedForBackward(rawValue: 1)
  static let output = SavedForBackward(rawValue: 2)
}

extension Layer {
  var savedForBackward: SavedForBackward { [.inputs, .output] }
  func parameterGradients(_ pass: Pass) {}
}

/// A layer that can clamp its output as it writes it, in place of an activation behind it.
protocol ClampingLayer: AnyObject, Layer {
  /// Whether its gradients are then those through the clamp; otherwise they follow from the gradient of what would be
  /// clamped.
  var goesBackThroughClamp: Bool { get }

  /// From now on.
  func clamp(to range: ClosedRange<Float>)
}
