import Kernels
import Network

/// The product of two values: matrices of each sample.
struct MatMulLayer: Layer {
  private let inputs: [Value]
  private let output: Value
  private let product: BatchedProduct
  private let step: StandaloneStep

  init(_ product: BatchedProduct, _ inputs: [Value], _ output: Value) {
    self.inputs = inputs
    self.output = output
    self.product = product
    step = StandaloneStep(product.step)
  }

  var savedForBackward: SavedForBackward { .inputs }

  func forward(_ pass: Pass) {
    step.run(
      inputs.map { UnsafePointer($0.data.base) }, to: [output.data.base], batch: pass.count, pool: pass.pool)
  }

  // dA = dY B', dB = A' dY; what one matrix was for several adds up over them.
  func inputGradient(_ input: Int, into target: FloatBuffer, _ pass: Pass) {
    let (m, n, k) = (product.m, product.n, product.k), p = product
    let isFirst = input == 0, repeats = isFirst ? p.repeatsA : p.repeatsB
    let gradient =
      isFirst
      ? MatrixProduct(m: m, n: k, k: n, transposeB: !p.transposesB)
      : p.transposesB
        ? MatrixProduct(m: n, n: k, k: m, transposeA: true) : MatrixProduct(m: k, n: n, k: m, transposeA: true)
    let scratch = pass.scratch.bytes(gradient.scratchBytes)
    for sample in 0..<pass.count {
      for matrix in 0..<p.matrices {
        let dy = UnsafePointer(output.gradient!.base + (sample * p.matrices + matrix) * m * n)
        let other = inputs[1 - input], otherRepeats = isFirst ? p.repeatsB : p.repeatsA
        let factor = UnsafePointer(
          other.data.base + sample * other.size + (otherRepeats ? 0 : matrix * (isFirst ? k * n : m * k)))
        let to = target.base + sample * inputs[input].size + (repeats ? 0 : matrix * (isFirst ? m * k : k * n))
        let accumulates = repeats && matrix > 0
        if isFirst {
          gradient.run(a: dy, b: factor, c: to, accumulate: accumulates, scratch: scratch, pool: pass.pool)
        } else if p.transposesB {
          gradient.run(a: dy, b: factor, c: to, accumulate: accumulates, scratch: scratch, pool: pass.pool)
        } else {
          gradient.run(a: factor, b: dy, c: to, accumulate: accumulates, scratch: scratch, pool: pass.pool)
        }
      }
    }
  }
}

/// Scaled dot-product attention.
final class AttentionLayer: Layer {
  private let inputs: [Value]
  private let output: Value
  private let geometry: AttentionGeometry
  private let step: StandaloneStep
  /// What the softmax gave, kept for the backward pass: (heads, queries, keys) for each sample.
  private let weights: FloatBuffer

  init(_ geometry: AttentionGeometry, _ inputs: [Value], _ output: Value, batchSize: Int) throws {
    self.inputs = inputs
    self.output = output
    self.geometry = geometry
    step = StandaloneStep(geometry.step(givesWeights: true))
    weights = try FloatBuffer(batchSize * geometry.heads * geometry.queries * geometry.keys)
  }

  var savedForBackward: SavedForBackward { .inputs }

  func forward(_ pass: Pass) {
    step.run(
      inputs.map { UnsafePointer($0.data.base) }, to: [output.data.base, weights.base], batch: pass.count,
      pool: pass.pool)
  }

  func inputGradient(_ input: Int, into target: FloatBuffer, _ pass: Pass) {
    let gradient = AttentionGradient(geometry)
    gradient.run(
      AttentionGradient.Input(rawValue: input)!, queries: inputs[0].data.base, keys: inputs[1].data.base,
      values: inputs[2].data.base, weights: weights.base, outputGradient: output.gradient!.base,
      gradient: target.base, batch: pass.count,
      scratch: pass.scratch.bytes(gradient.scratchBytes(threads: pass.pool.threads)), pool: pass.pool)
  }
}
