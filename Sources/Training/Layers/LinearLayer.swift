import Kernels
import Tensors

/// Convolutions, and dense layers as a special case: weights OHWI or (out, in).
final class LinearLayer: Layer {
  private let geometry: ConvolutionGeometry
  private let input: Value
  private let output: Value
  private let weight: TrainableParameter
  private let bias: TrainableParameter?
  private let convolution: FloatConvolution
  private let biasSums: ColumnSums

  init(
    _ geometry: ConvolutionGeometry, _ input: Value, _ output: Value, weight: TrainableParameter,
    bias: TrainableParameter?, batchSize: Int
  ) throws {
    self.geometry = geometry
    self.input = input
    self.output = output
    self.weight = weight
    self.bias = bias
    convolution = FloatConvolution(geometry, weights: weight.values.elements, bias: bias?.values.elements)
    biasSums = try ColumnSums(rows: batchSize * output.size / geometry.outputChannels, width: geometry.outputChannels)
  }

  func forward(_ pass: Pass) {
    convolution.update(weights: weight.values.elements, bias: bias?.values.elements, pool: pass.pool)
    convolution.run(
      input: input.data.base, output: output.data.base, batch: pass.count,
      scratch: pass.scratch.bytes(convolution.scratchBytes(batch: pass.count, threads: pass.pool.threads)),
      pool: pass.pool)
  }

  func parameterGradients(_ pass: Pass) {
    weight.gradient!.base.update(repeating: 0, count: weight.values.count)
    taps(pass) { i, o, w in weight.gradient!.base[w] += output.gradient!.base[o] * input.data.base[i] }
    if let bias {
      let rows = pass.count * output.size / geometry.outputChannels
      biasSums.sum(output.gradient!, rows: rows, into: bias.gradient!, pool: pass.pool)
    }
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    target.base.update(repeating: 0, count: pass.count * input.size)
    taps(pass) { i, o, w in target.base[i] += output.gradient!.base[o] * weight.values.base[w] }
  }

  private func taps(_ pass: Pass, _ body: (Int, Int, Int) -> Void) {
    let g = geometry, win = geometry.window
    let depth = win.channels / g.groups, per = g.outputChannels / g.groups
    for n in 0..<pass.count { for oy in 0..<win.outputHeight { for ox in 0..<win.outputWidth {
      for ky in 0..<win.kernelHeight { for kx in 0..<win.kernelWidth {
        let iy = oy * win.strideHeight + ky * win.dilationHeight - win.padding.top
        let ix = ox * win.strideWidth + kx * win.dilationWidth - win.padding.left
        if iy < 0 || ix < 0 || iy >= win.height || ix >= win.width { continue }
        for f in 0..<g.outputChannels { for c in 0..<depth {
          body(n * g.inputCount + (iy * win.width + ix) * win.channels + f / per * depth + c,
            n * g.outputCount + (oy * win.outputWidth + ox) * g.outputChannels + f,
            ((f * win.kernelHeight + ky) * win.kernelWidth + kx) * depth + c)
        } }
      } }
    } } }
  }
}
