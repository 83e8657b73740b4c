import Kernels

/// A layer in a training graph, and where the gradients of its inputs go.
struct TrainingStep {
  let layer: any Layer
  let name: String
  let inputs: [Value]
  let output: Value
  let targets: [Target]

  struct Target {
    let input: Int
    /// Where the layer writes its contribution.
    let place: BufferSlot
    /// The value it is then added to, unless it is the first.
    let sum: Value?
  }

  /// Whether the output takes the place of an input.
  var isInPlace: Bool { inputs.contains { $0.dataSlot === output.dataSlot } }

  func backward(_ pass: Pass) throws {
    try layer.parameterGradients(pass)
    for target in targets {
      try layer.inputGradient(target.input, into: target.place.buffer, pass)
      if let sum = target.sum {
        let total = sum.gradient!.base
        Elementwise.add(
          total, target.place.buffer.base, output: total, count: pass.count * sum.size, pool: pass.pool)
      }
    }
  }
}
