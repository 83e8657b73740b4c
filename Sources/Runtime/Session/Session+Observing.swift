import Diagnostics
import Tensors

extension Session {
  /// Computes samples and shows every float value on the way, for calibration: the input first, then each
  /// step's result as it is computed. Activations are fused, so of a layer and the clamp behind it only
  /// the clamp's output is seen; converted and reshaped values are seen once.
  ///
  /// - Parameters:
  ///   - samples: `[n, …input]`, float32, n at most the plan's largest batch.
  ///   - observe: gets the layer's name and all n outputs of it.
  /// - Throws: `CompressError` when the shape does not fit; what `observe` throws.
  public func run(
    _ samples: Tensor, observe: (_ layer: String, _ values: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    let batch = try count(of: samples)
    guard batch <= plan.maxBatch else {
      throw CompressError("\(batch) samples at once for a plan of at most \(plan.maxBatch)")
    }
    var results = Tensor(zeros: plan.outputShape.batched(batch))
    try samples.withElements(Float.self) { input in
      try results.withMutable(Float.self) { output in
        try observe(plan.inputName, input)
        let call = Call(
          input: UnsafeMutableRawPointer(mutating: input.baseAddress!),
          output: UnsafeMutableRawPointer(output.baseAddress!), batch: batch, pool: pool)
        for (step, bound) in zip(plan.steps, steps) {
          bound.run(call)
          guard step.outputType == .float32 else { continue }
          let values = call.pointer(bound.output).assumingMemoryBound(to: Float.self)
          try observe(step.value, UnsafeBufferPointer(start: values, count: step.outputShape.count * batch))
        }
      }
    }
  }
}
