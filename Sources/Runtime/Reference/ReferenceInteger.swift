import Kernels
import Network
import Tensors

/// The integer arithmetic of the runtime. Every operation on floats below is one float32 operation,
/// rounded to nearest even; `round` is to nearest even as well.
///
/// - A uint8 value `q` stands for `scale * (q - zeroPoint)`.
/// - Quantizing: `q = clamp(round(x * (1 / scale)) + zeroPoint, 0, limit)`; NaN becomes 0. The limit is
///   `2^bits - 1`, 255 for 8 bits; no q of that value is ever greater.
/// - Sums: `sum = bias + Σ (q - zeroPoint) * w`, exact in int32, w less its zero point if it has one.
///   `IntegerValues.bias` derives the bias.
/// - Requantizing a sum: `clamp(round(float(sum) * m[c]) + zeroPoint, low, high)` with
///   `m[c] = inputScale * weightScale[c] / outputScale`.
/// - A fused relu or relu6 narrows `low` and `high` to the quantized bounds of its range.
/// - A layer without an output quantization: `fma(float(sum), inputScale * weightScale[c], bias[c])` of
///   the sum without the bias, then the clamp.
/// - A function of each element (sigmoid): dequantized by the one, computed in float32, quantized by the other.
/// - From one quantization to another (relu, max pooling, concatenation, reshaping, padding): dequantized by the
///   one, `float(q - zeroPoint) * inputScale`, and quantized by the other.
/// - Sum of two: `round(float(qa - za) * (scaleA / outputScale) + float(qb - zb) * (scaleB / outputScale))`.
/// - Product of two: `round(float((qa - za) * (qb - zb)) * (scaleA * scaleB / outputScale))`.
/// - Average: `round(float(Σ (q - zeroPoint)) * (inputScale / outputScale) / float(count))`; padding that counts
///   stands for zeros.
/// - Padding: the zero point.
/// - Products of two values, attention, softmax, normalizations, bilinear resizing: `ReferenceIntegerRows`.
/// - A batch norm that stands alone: `round(float(q - zeroPoint) * (factor * inputScale / outputScale) + shift /
///   outputScale)`.
enum ReferenceInteger {
  // MARK: Between floats and integers

  static func quantize(_ tensor: Tensor, _ quantization: ActivationQuantization) -> Tensor {
    let q = tensor.array(Float.self).map { x in
      x.isNaN ? 0 : clamped(x * (1 / quantization.scale), quantization)
    }
    return Tensor(q, tensor.shape)
  }

  static func dequantize(_ tensor: Tensor, _ quantization: ActivationQuantization) -> Tensor {
    Tensor(centred(tensor, quantization).map { Float($0) * quantization.scale }, tensor.shape)
  }

  /// How the input of a dynamic-range layer is quantized: over the range of this one image, zero
  /// included. A range that is not finite, or hardly wider than zero, has scale 1 and zero point 0.
  static func dynamicQuantization(_ tensor: Tensor) throws -> ActivationQuantization {
    let values = tensor.array(Float.self)
    let coding = AffineQuantization(covering: (values.min() ?? 0)...(values.max() ?? 0))
    return try ActivationQuantization(scale: coding.scale, zeroPoint: Int(coding.zeroPoint))
  }

  // MARK: Layers with weights

  static func sums(
    _ geometry: ReferenceSums, _ input: Tensor, _ quantization: ActivationQuantization, _ weight: IntegerValues,
    _ bias: [Int32]?
  ) -> [Int32] {
    let x = centred(input, quantization)
    var w = [Int](repeating: 0, count: weight.values.count)
    weight.forEachWeight { w[$0] = Int($1) }
    return geometry.sums({ Int(bias?[$0] ?? 0) }) { sum, i, k in sum += x[i] * w[k] }.map { Int32($0) }
  }

  static func requantize(
    _ sums: [Int32], _ scales: [Float], _ output: ActivationQuantization, _ clamp: Operator?, _ shape: Shape
  ) -> Tensor {
    let (low, high) = bounds(clamp, output)
    let q = sums.enumerated().map { index, sum in
      clamped(Float(sum) * (scales[index % scales.count] / output.scale), output, low: low, high: high)
    }
    return Tensor(q, shape)
  }

  static func decode(
    _ sums: [Int32], _ scales: [Float], bias: [Float]?, _ clamp: Operator?, _ shape: Shape
  ) -> Tensor {
    let range = clamp?.clampRange ?? -.infinity ... .infinity
    let values = sums.enumerated().map { index, sum in
      let channel = index % scales.count
      let value = (bias?[channel] ?? 0).addingProduct(Float(sum), scales[channel])
      return value.clamped(to: range)
    }
    return Tensor(values, shape)
  }

  // MARK: Other nodes

  /// Nil for what is computed in float.
  static func evaluate(
    _ op: Operator, _ inputs: [(tensor: Tensor, quantization: ActivationQuantization)], clamp: Operator?,
    _ output: ActivationQuantization, shape: Shape, _ parameters: (ParameterRole) -> [Float]?
  ) -> Tensor? {
    guard let (tensor, quantization) = inputs.first else { return nil }
    let shapes = inputs.map(\.tensor.shape)
    guard op.integerHindrance(shapes, inputs.map(\.quantization), output) == nil else { return nil }
    let x = centred(tensor, quantization)
    func ratio(_ own: ActivationQuantization) -> Float { own.scale / output.scale }
    func anew(_ q: Int, _ own: ActivationQuantization) -> Float { Float(q) * own.scale * (1 / output.scale) }
    func requantized(_ values: [Float], _ clamp: Operator? = nil) -> Tensor {
      let (low, high) = bounds(clamp, output)
      return Tensor(values.map { clamped($0, output, low: low, high: high) }, shape)
    }
    func pooled(_ reduction: Pool2D.Reduction, _ window: Window?, countsPadding: Bool = false) -> Tensor {
      var values: [Float] = []
      let windows = ReferenceWindows(window: window, inputShape: tensor.shape, outputShape: shape)
      windows.forEach { _, inputs in
        switch reduction {
        case .max: values.append(anew(inputs.map { x[$0] }.max()!, quantization))
        case .average:
          let count = countsPadding ? windows.taps : inputs.count
          values.append(Float(inputs.reduce(0) { $0 + x[$1] }) * ratio(quantization) / Float(count))
        }
      }
      return requantized(values)
    }
    if let rearrangement = op.spec.rearrangement(inputs.map(\.tensor.shape)) {
      return requantized(rearrangement.sources.map { anew(x[$0], quantization) })
    }
    switch op {
    case .input, .constant, .conv2d, .dense: return nil
    case .prelu, .reduce, .argMax: return nil
    case .batchNorm(let norm):
      let (factors, shifts) = norm.factors(parameters)
      return requantized(
        x.enumerated().map { index, x in
          let c = index % factors.count
          return Float(x) * (factors[c] * quantization.scale / output.scale) + shifts[c] / output.scale
        })
    case .normalization(let norm):
      return requantized(
        ReferenceIntegerRows.normalized(
          x, norm, tensor.shape, scale: parameters(.gamma), shift: parameters(.beta), from: quantization.scale,
          to: output.scale))
    case .matmul(let product):
      let y = centred(inputs[1].tensor, inputs[1].quantization)
      return requantized(
        ReferenceIntegerRows.product(
          product, x, shapes[0], y, shapes[1], shape,
          scale: quantization.scale * inputs[1].quantization.scale / output.scale))
    case .attention(let attention):
      return requantized(
        ReferenceIntegerRows.attention(
          attention, inputs.map { centred($0.tensor, $0.quantization) }, shapes,
          step: quantization.scale * inputs[1].quantization.scale * attention.scale(shapes[0]) * 256,
          scale: ratio(inputs[2].quantization)))
    case .resize(let resize):
      return requantized(ReferenceIntegerRows.bilinear(x, resize, tensor.shape, scale: ratio(quantization)))
    case .activation(.softmax):
      return requantized(
        ReferenceIntegerRows.softmax(
          x, columns: shape.dims.last!, from: quantization.scale, to: output.scale))
    case .transpose, .gather, .expand, .tile, .depthToSpace, .spaceToDepth:
      preconditionFailure("it only rearranges")
    case .binary(let binary):
      let y = centred(inputs[1].tensor, inputs[1].quantization)
      let (a, b) = (ratio(quantization), ratio(inputs[1].quantization))
      let pairs = ReferenceFloat.broadcast(x, tensor.shape, y, inputs[1].tensor.shape, to: shape)
      switch binary.function {
      case .sub: return requantized(pairs.map { Float($0) * a - Float($1) * b }, clamp)
      case .minimum: return requantized(pairs.map { min(Float($0) * a, Float($1) * b) }, clamp)
      case .maximum: return requantized(pairs.map { max(Float($0) * a, Float($1) * b) }, clamp)
      case .div, .pow: return nil
      }
    case .activation(let function):
      guard let element = function.elementFunction else { return nil }
      if function.clampRange != nil { return requantized(x.map { anew($0, quantization) }, op) }
      return quantize(Tensor(x.map { element(Float($0) * quantization.scale) }, shape), output)
    case .pool2d(let pool): return pooled(pool.reduction, pool.window, countsPadding: pool.countsPadding)
    case .globalPool(let pool): return pooled(pool.reduction, nil)
    case .add:
      let y = centred(inputs[1].tensor, inputs[1].quantization)
      let (a, b) = (ratio(quantization), ratio(inputs[1].quantization))
      let pairs = ReferenceFloat.broadcast(x, tensor.shape, y, inputs[1].tensor.shape, to: shape)
      return requantized(pairs.map { Float($0) * a + Float($1) * b }, clamp)
    case .mul:
      let y = centred(inputs[1].tensor, inputs[1].quantization)
      let scale = quantization.scale * inputs[1].quantization.scale / output.scale
      let pairs = ReferenceFloat.broadcast(x, tensor.shape, y, inputs[1].tensor.shape, to: shape)
      return requantized(pairs.map { Float($0 * $1) * scale }, clamp)
    case .concat(let concat):
      return requantized(
        ReferenceFloat.concatenated(
          inputs.map { tensor, own in (centred(tensor, own).map { anew($0, own) }, tensor.shape) }, concat))
    case .flatten, .reshape, .dropout: return requantized(x.map { anew($0, quantization) })
    case .insertZeros(let zeros):
      let values = x.map { anew($0, quantization) }
      return requantized(ReferenceFloat.spread(values, 0, zeros, tensor.shape, count: shape.count))
    case .pad(let pad):
      return requantized(
        ReferenceFloat.padded(x.map { anew($0, quantization) }, 0, pad, from: tensor.shape, to: shape))
    }
  }

  // MARK: Parts

  private static func centred(_ tensor: Tensor, _ quantization: ActivationQuantization) -> [Int] {
    tensor.array(UInt8.self).map { Int($0) - quantization.zeroPoint }
  }

  /// The quantized bounds of a fused activation's range.
  private static func bounds(_ clamp: Operator?, _ output: ActivationQuantization) -> (low: Int, high: Int) {
    guard let range = clamp?.clampRange else { return (0, output.limit) }
    return (
      Int(clamped(range.lowerBound * (1 / output.scale), output)),
      Int(clamped(range.upperBound * (1 / output.scale), output))
    )
  }

  private static func clamped(
    _ value: Float, _ output: ActivationQuantization, low: Int = 0, high: Int? = nil
  ) -> UInt8 {
    let q = value.rounded(.toNearestOrEven) + Float(output.zeroPoint)
    return UInt8(min(max(q, Float(low)), Float(high ?? output.limit)))
  }
}
