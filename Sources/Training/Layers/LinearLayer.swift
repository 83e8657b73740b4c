import Kernels
import Tensors

/// Convolutions, and dense layers as convolutions of a 1x1 image: weights OHWI or (out, in).
final class LinearLayer: Layer {
  private let input: Value
  private let output: Value
  private let weight: TrainableParameter
  private let bias: TrainableParameter?
  private let geometry: ConvolutionGeometry
  private let precision: ProductPrecision
  private var convolution: FloatConvolution
  private let gradient: ConvolutionGradient

  init(
    _ geometry: ConvolutionGeometry, _ input: Value, _ output: Value, weight: TrainableParameter,
    bias: TrainableParameter?, precision: ProductPrecision
  ) {
    self.precision = precision
    self.geometry = geometry
    self.input = input
    self.output = output
    self.weight = weight
    self.bias = bias
    convolution = FloatConvolution(
      geometry, weights: weight.values.elements, bias: bias?.values.elements, precision: precision)
    gradient = ConvolutionGradient(geometry, precision: precision)
  }

  /// Applies a clamping activation to the output from now on.
  func fuse(_ clamp: (low: Float, high: Float)) {
    convolution = FloatConvolution(
      geometry, weights: weight.values.elements, bias: bias?.values.elements, clamp: clamp.low...clamp.high,
      precision: precision)
  }

  var keeps: Keeping { .inputs }

  func forward(_ pass: Pass) {
    if pass.mode != .refreshing {  // nothing has changed since
      convolution.update(weights: weight.values.elements, bias: bias?.values.elements, pool: pass.pool)
    }
    convolution.run(
      input: input.data.base, output: output.data.base, batch: pass.count,
      scratch: pass.scratch.bytes(convolution.scratchBytes(batch: pass.count, threads: pass.pool.threads)),
      pool: pass.pool)
  }

  func parameterGradients(_ pass: Pass) {
    let needed = gradient.weightGradientScratchBytes(batch: pass.count, threads: pass.pool.threads)
    gradient.weightGradient(
      input: input.data.base, outputGradient: output.gradient!.base, weightGradient: weight.gradient!.base,
      biasGradient: bias?.gradient!.base, batch: pass.count, scratch: pass.scratch.bytes(needed), pool: pass.pool)
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let needed = gradient.inputGradientScratchBytes(batch: pass.count, threads: pass.pool.threads)
    gradient.inputGradient(
      outputGradient: output.gradient!.base, weights: weight.values.base, inputGradient: target.base,
      batch: pass.count, scratch: pass.scratch.bytes(needed), pool: pass.pool)
  }
}
