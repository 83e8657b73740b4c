import Diagnostics
import Kernels
import Tensors

extension Session {
  /// Computes samples and shows the values on the way, for calibration and comparison: the inputs first, then each
  /// step's result as it is computed. Activations are fused, so of a layer and the clamp behind it only the clamp's
  /// output is seen; reshaped values are not seen again.
  ///
  /// - Parameters:
  ///   - samples: `[n, …input]`, float32, n at most the plan's largest batch.
  ///   - decodes: whether values are shown as their readers get them: rounded, or the floats that integers stand for.
  ///     Otherwise integers are not shown.
  ///   - observe: gets the layer's name and all n outputs of it.
  /// - Throws: `CompressError` when the shape does not fit; what `observe` throws.
  public func run(
    _ samples: Tensor, decodes: Bool = false,
    observe: (_ layer: String, _ values: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    let batch = try count(of: samples)
    guard batch <= plan.maxBatch else {
      throw CompressError("\(batch) samples at once for a plan of at most \(plan.maxBatch)")
    }
    var results = Tensor(zeros: plan.outputShape.batched(batch))
    try samples.withElements(Float.self) { input in
      try results.withMutable(Float.self) { output in
        let shown = decodes ? plan.finalSteps : nil
        begin(input: input.baseAddress!, output: output.baseAddress!, batch: batch)
        for (index, name) in plan.inputNames.enumerated() where shown?[name] == nil {
          try observe(name, UnsafeBufferPointer(start: self.input(index), count: plan.inputShapes[index].count * batch))
        }
        for (index, step) in plan.steps.enumerated() {
          steps.run(index, batch: batch, pool: pool)
          if let shown, shown[step.value] != index { continue }
          let count = step.outputShape.count * batch, result = steps.output(index)
          guard let quantization = step.outputQuantization else {
            let values = result.assumingMemoryBound(to: Float.self)
            try observe(step.value, UnsafeBufferPointer(start: values, count: count))
            continue
          }
          guard shown != nil else { continue }
          try withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { values in
            Conversion.dequantize(
              result.assumingMemoryBound(to: UInt8.self), output: values.baseAddress!, count: count,
              AffineQuantization(scale: quantization.scale, zeroPoint: UInt8(quantization.zeroPoint)), pool: pool)
            try observe(step.value, UnsafeBufferPointer(values))
          }
        }
      }
    }
  }
}

extension Plan {
  /// By value, the step that gives it the form in which it is read: integers where it is held as such, else what was
  /// computed last.
  fileprivate var finalSteps: [String: Int] {
    var final: [String: Int] = [:]
    for (index, step) in steps.enumerated() {
      if let known = final[step.value], steps[known].outputType == .uint8 { continue }
      final[step.value] = index
    }
    return final
  }
}
