import Kernels
import Tensors

/// Convolutions, and dense layers as convolutions of a 1x1 image: weights OHWI or (out, in).
final class LinearLayer: ClampingLayer {
  private let input: Value
  private let output: Value
  private let weight: TrainableParameter
  private let bias: TrainableParameter?
  private let geometry: ConvolutionGeometry
  private let precision: ProductPrecision
  private var method: Method
  private let gradient: ConvolutionGradient
  /// The weight as it will be quantized, while training for that.
  private let rounding: WeightRounding?
  private let ties: WeightTies?

  private enum Method {
    case direct(FloatConvolution)
    case winograd(WinogradConvolution, clamp: ClosedRange<Float>)
  }

  init(
    _ geometry: ConvolutionGeometry, _ input: Value, _ output: Value, weight: TrainableParameter,
    bias: TrainableParameter?, precision: ProductPrecision,
    rounding: WeightRounding? = nil, ties: WeightTies? = nil
  ) {
    self.rounding = rounding
    self.ties = ties
    self.precision = precision
    self.geometry = geometry
    self.input = input
    self.output = output
    self.weight = weight
    self.bias = bias
    method = Self.method(geometry, precision, weight, bias, clamp: -.infinity ... .infinity)
    gradient = ConvolutionGradient(geometry, precision: precision)
  }

  private static func method(
    _ geometry: ConvolutionGeometry, _ precision: ProductPrecision, _ weight: TrainableParameter,
    _ bias: TrainableParameter?, clamp: ClosedRange<Float>
  ) -> Method {
    if precision == .float32, let winograd = WinogradConvolution(geometry) {
      return .winograd(winograd, clamp: clamp)
    }
    return .direct(
      FloatConvolution(
        geometry, weights: weight.values.elements, bias: bias?.values.elements, clamp: clamp, precision: precision))
  }

  let goesBackThroughClamp = false

  func clamp(to range: ClosedRange<Float>) {
    method = Self.method(geometry, precision, weight, bias, clamp: range)
  }

  var savedForBackward: SavedForBackward { .inputs }

  /// The weight that is computed with.
  private var used: FloatBuffer { rounding?.rounded ?? weight.values }

  func forward(_ pass: Pass) {
    if pass.mode != .refreshing { rounding?.round(pass.pool) }  // nothing has changed since
    switch method {
    case .direct(let convolution):
      if pass.mode != .refreshing {
        convolution.update(weights: used.elements, bias: bias?.values.elements, pool: pass.pool)
      }
      convolution.run(
        input: input.data.base, output: output.data.base, batch: pass.count,
        scratch: pass.scratch.bytes(convolution.scratchBytes(batch: pass.count, threads: pass.pool.threads)),
        pool: pass.pool)
    case .winograd(let convolution, let clamp):
      convolution.run(
        input: input.data.base, weights: used.base, bias: bias?.values.base, clamp: clamp,
        output: output.data.base, batch: pass.count,
        scratch: pass.scratch.bytes(convolution.scratchBytes(threads: pass.pool.threads)), pool: pass.pool)
    }
  }

  func parameterGradients(_ pass: Pass) {
    let needed = gradient.weightGradientScratchBytes(batch: pass.count, threads: pass.pool.threads)
    gradient.weightGradient(
      input: input.data.base, outputGradient: output.gradient!.base, weightGradient: weight.gradient!.base,
      biasGradient: bias?.gradient!.base, batch: pass.count, scratch: pass.scratch.bytes(needed), pool: pass.pool)
    rounding?.gradient(pass.pool)
    ties?.gradient()
  }

  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let needed = gradient.inputGradientScratchBytes(batch: pass.count, threads: pass.pool.threads)
    gradient.inputGradient(
      outputGradient: output.gradient!.base, weights: used.base, inputGradient: target.base,
      batch: pass.count, scratch: pass.scratch.bytes(needed), pool: pass.pool)
  }
}
