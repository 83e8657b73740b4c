import Diagnostics
import Kernels
import Network
import Tensors

extension StepKernel {
  /// The kernel of an operation, its weights packed.
  init(_ operation: Program.Operation, _ inputs: [Program.Value], _ output: Program.Value, maxBatch: Int) throws {
    let input = inputs[0], count = output.shape.count
    /// Quantizations of input and output, for what is computed in integers.
    let coding: (from: AffineQuantization, to: AffineQuantization)? =
      if operation.arithmetic == .int8, let from = input.coding, let to = output.coding { (from, to) } else { nil }

    switch operation.kind {
    case .conv2d(let conv, let weights):
      let geometry = try ConvolutionGeometry(conv, image: input.shape)
      self = try Self.layer(geometry, weights, operation, input, output, maxBatch)
    case .dense(let dense, let weights):
      let geometry = try ConvolutionGeometry.dense(inputs: input.shape.count, outputs: dense.units)
      self = try Self.layer(geometry, weights, operation, input, output, maxBatch)
    case .affine(let factor, let shift):
      let geometry = try ConvolutionGeometry.perChannel(output.shape)
      self = factor.withUnsafeBufferPointer { factor in
        shift.withUnsafeBufferPointer { .floatConvolution(FloatConvolution(geometry, weights: factor, bias: $0)) }
      }

    case .activation(let function):
      switch (function, coding) {
      case (.relu, let coding?), (.relu6, let coding?):
        self = .lookup(count: count, table: Conversion.table(from: coding.from, to: coding.to, clamp: function))
      case (.relu, nil), (.relu6, nil): self = .floatClamp(count: count, to: .init(function))
      case (.sigmoid, _): self = .sigmoid(count: count)
      case (.softmax, _):
        let columns = output.shape.dims.last!
        self = .softmax(rows: count / columns, columns: columns)
      }
    case .pool2d(let pool):
      self = try .pool(
        Pooling(pool.window, image: input.shape, countsPadding: pool.countsPadding), pool.reduction, coding)
    case .globalPool(let pool):
      self = try .pool(Pooling(nil, image: input.shape), pool.reduction, coding)

    case .add:
      if let coding, let other = inputs[1].coding {
        self = .integerAdd(
          IntegerAddition(
            count: count, a: coding.from, b: other, result: coding.to,
            clamp: coding.to.codes(of: operation.activation)))
      } else {
        self = .floatAdd(count: count, clamp: .init(operation.activation))
      }
    case .concat:
      self = .concatenate(
        Concatenation(
          rows: count / output.shape.dims.last!,
          parts: inputs.map { part in
            let columns = part.shape.dims.last!
            guard let coding, let from = part.coding else { return .init(rowBytes: columns * 4, table: nil) }
            let table = from == coding.to ? nil : Conversion.table(from: from, to: coding.to)
            return .init(rowBytes: columns, table: table)
          }))

    case .pad(let pad):
      let padding = ZeroPadding(shape: input.shape.dims, before: pad.before, after: pad.after)
      if let coding {
        let table = coding.from == coding.to ? nil : Conversion.table(from: coding.from, to: coding.to)
        self = .integerPad(padding, table: table, zeroPoint: coding.from.zeroPoint)
      } else {
        self = .floatPad(padding)
      }
    case .reshape: self = .copy(count: count)
    case .round(.affine(let quantization)):
      self = .roundAffine(
        count: count, scale: quantization.scale, zeroPoint: quantization.zeroPoint, limit: quantization.limit)
    case .round(.levels(let levels)):
      let none = [Float](repeating: .infinity, count: 255 - levels.middles.count)
      self = .roundLevels(count: count, middles: levels.middles + none, levels: levels.values)
    case .convert:
      self =
        switch (input.coding, output.coding) {
        case (nil, nil): .copy(count: count)
        case (nil, let to?): .quantize(count: count, to)
        case (let from?, nil): .dequantize(count: count, from)
        case (let from?, let to?): .lookup(count: count, table: Conversion.table(from: from, to: to))
        }
    }
  }

  private static func pool(
    _ pooling: Pooling, _ reduction: Pool2D.Reduction, _ coding: (from: AffineQuantization, to: AffineQuantization)?
  ) throws -> StepKernel {
    switch (reduction, coding) {
    case (.max, nil): return .floatMaxPool(pooling)
    case (.average, nil): return .floatAveragePool(pooling)
    case (.max, let (from, to)?):
      return .integerMaxPool(pooling, table: from == to ? nil : Conversion.table(from: from, to: to))
    case (.average, let (from, to)?):
      guard pooling.window.taps <= Int(Int32.max) / 255 else {
        throw CompressError("the sum of \(pooling.window.taps) uint8 values can exceed 32 bits")
      }
      return .integerAveragePool(pooling, from: from, to: to)
    }
  }

  private static func layer(
    _ geometry: ConvolutionGeometry, _ weights: Program.Weights, _ operation: Program.Operation,
    _ input: Program.Value, _ output: Program.Value, _ maxBatch: Int
  ) throws -> StepKernel {
    let clamp = ClosedRange(operation.activation)
    let bias: [Float]? = weights.bias?.decoded.array()
    let isInteger = operation.arithmetic == .int8 || operation.arithmetic == .dynamicRange
    if isInteger, case .integer(let integers) = weights.weight {
      func convolution(_ output: IntegerOutput) throws -> IntegerConvolution {
        try integers.values.withElements(Int8.self) { try IntegerConvolution(geometry, weights: $0, output: output) }
      }
      let floats = IntegerOutput.floats(scales: integers.channelScales, bias: bias, clamp: clamp)
      guard let from = input.coding, operation.arithmetic == .int8 else {
        return .dynamicConvolution(DynamicConvolution(convolution: try convolution(floats)))
      }
      guard let to = output.coding else {
        return .decodingConvolution(try convolution(floats), [AffineQuantization](repeating: from, count: maxBatch))
      }
      return .integerConvolution(
        try convolution(
          .codes(
            inputZeroPoint: from.zeroPoint, bias: integers.bias(weights.bias, inputScale: from.scale),
            scales: integers.sumScales(inputScale: from.scale).map { $0 / to.scale }, zeroPoint: to.zeroPoint,
            clamp: to.codes(of: operation.activation))))
    }
    let storage: WeightStorage = operation.arithmetic == .float16Weights ? .float16 : .float32
    return weights.weight.decoded.withElements(Float.self) { values in
      func convolution(_ bias: UnsafeBufferPointer<Float>?) -> StepKernel {
        .floatConvolution(FloatConvolution(geometry, weights: values, bias: bias, clamp: clamp, storage: storage))
      }
      return bias?.withUnsafeBufferPointer { convolution($0) } ?? convolution(nil)
    }
  }
}

extension Program.Value {
  /// The quantization, as the kernels know it.
  fileprivate var coding: AffineQuantization? {
    quantization.map {
      AffineQuantization(scale: $0.scale, zeroPoint: UInt8($0.zeroPoint), limit: UInt8($0.limit))
    }
  }
}

extension ClosedRange<Float> {
  /// The range an activation clamps to; without one, everything.
  fileprivate init(_ activation: Activation?) {
    let range = activation?.clamp ?? (-.infinity, .infinity)
    self = range.low...range.high
  }
}

extension AffineQuantization {
  /// The quantized bounds of the range an activation clamps to.
  fileprivate func codes(of activation: Activation?) -> ClosedRange<UInt8> {
    let range = ClosedRange(activation)
    var codes: (UInt8, UInt8) = (0, 0)
    for (value, code) in [(range.lowerBound, \(UInt8, UInt8).0), (range.upperBound, \.1)] {
      Conversion.quantize([value], output: &codes[keyPath: code], count: 1, self, pool: .serial)
    }
    return codes.0...codes.1
  }
}

extension Conversion {
  /// The table that codes anew and clamps.
  fileprivate static func table(from: AffineQuantization, to: AffineQuantization, clamp: Activation) -> [UInt8] {
    let bounds = to.codes(of: clamp)
    return table(from: from, to: to).map { min(max($0, bounds.lowerBound), bounds.upperBound) }
  }
}
