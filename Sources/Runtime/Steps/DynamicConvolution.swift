import Kernels

/// An integer convolution or dense layer of float values: each image is quantized over its own range first.
struct DynamicConvolution: Sendable {
  let convolution: IntegerConvolution

  private var imageCount: Int { convolution.geometry.inputCount }

  private func quantizationBytes(_ batch: Int) -> Int {
    ArenaPlan.aligned(batch * MemoryLayout<AffineQuantization>.stride)
  }
  private func codeBytes(_ batch: Int) -> Int { ArenaPlan.aligned(batch * imageCount) }

  func scratchBytes(batch: Int, threads: Int) -> Int {
    quantizationBytes(batch) + codeBytes(batch) + convolution.scratchBytes(batch: batch, threads: threads)
  }

  func run(
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, batch: Int,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    let base = scratch.baseAddress!
    let quantizations = base.assumingMemoryBound(to: AffineQuantization.self)
    let codes = (base + quantizationBytes(batch)).assumingMemoryBound(to: UInt8.self)
    let rest = quantizationBytes(batch) + codeBytes(batch)
    let count = imageCount
    pool.parallelFor(batch) { image in
      let values = input + image * count
      let quantization = AffineQuantization(covering: Conversion.range(of: values, count: count) ?? 0...0)
      quantizations[image] = quantization
      Conversion.quantize(values, output: codes + image * count, count: count, quantization, pool: .serial)
    }
    convolution.run(
      input: codes, quantization: UnsafeBufferPointer(start: quantizations, count: batch), output: output, batch: batch,
      scratch: UnsafeMutableRawBufferPointer(rebasing: scratch[rest...]), pool: pool)
  }
}
