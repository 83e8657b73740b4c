import Diagnostics
import Kernels
import Network
import Tensors

extension StepKernel {
  /// The kernel of an operation, its weights packed.
  init(_ operation: Program.Operation, _ inputs: [Program.Value], _ output: Program.Value, maxBatch: Int) throws {
    let count = output.shape.count
    switch operation.kind {
    case .node(let op, let weights):
      self = try Self.kernel(of: op, weights, operation, inputs, output, maxBatch)
    case .affine(let factor, let shift):
      let geometry = try ConvolutionGeometry.perChannel(output.shape)
      self = factor.withUnsafeBufferPointer { factor in
        shift.withUnsafeBufferPointer { .floatConvolution(FloatConvolution(geometry, weights: factor, bias: $0)) }
      }
    case .constant(let values): self = .constant(values)
    case .reshape: self = .copy(count: count)
    case .round(.affine(let quantization)):
      self = .roundAffine(
        count: count, scale: quantization.scale, zeroPoint: quantization.zeroPoint, limit: quantization.limit)
    case .round(.levels(let levels)):
      let none = [Float](repeating: .infinity, count: 255 - levels.middles.count)
      self = .roundLevels(count: count, middles: levels.middles + none, levels: levels.values)
    case .convert:
      self =
        switch (inputs[0].coding, output.coding) {
        case (nil, nil): .copy(count: count)
        case (nil, let to?): .quantize(count: count, to)
        case (let from?, nil): .dequantize(count: count, from)
        case (let from?, let to?): .lookup(count: count, table: Conversion.table(from: from, to: to))
        }
    }
  }

  /// The kernel of a node's operator: one of the places where every operator must be answered for.
  private static func kernel(
    of op: Operator, _ weights: Program.Weights?, _ operation: Program.Operation, _ inputs: [Program.Value],
    _ output: Program.Value, _ maxBatch: Int
  ) throws -> StepKernel {
    let count = output.shape.count
    /// Quantizations of input and output, for what is computed in integers.
    let coding: (from: AffineQuantization, to: AffineQuantization)? =
      if operation.arithmetic == .int8, let from = inputs.first?.coding, let to = output.coding {
        (from, to)
      } else { nil }
    switch op {
    case .input, .constant, .batchNorm, .flatten, .reshape, .dropout:
      preconditionFailure("\(op.spec.kind) is no step by itself")
    case .conv2d(let conv):
      let geometry = try ConvolutionGeometry(conv, image: inputs[0].shape)
      return try layer(geometry, weights!, operation, inputs[0], output, maxBatch)
    case .dense(let dense):
      let geometry = try ConvolutionGeometry.dense(over: inputs[0].shape, outputs: dense.units)
      return try layer(geometry, weights!, operation, inputs[0], output, maxBatch)
    case .activation(let function):
      if let coding, let element = function.elementFunction {
        return .lookup(
          count: count,
          table: function.clampRange == nil
            ? Conversion.table(from: coding.from, to: coding.to, element)
            : Conversion.table(from: coding.from, to: coding.to, clamp: op))
      }
      switch function {
      case .relu, .relu6: return .floatClamp(count: count, to: .init(op))
      case .sigmoid: return .sigmoid(count: count)
      case .hardSwish: return .prepared(HardSwish(count: count))
      case .softmax:
        let columns = output.shape.dims.last!
        return .softmax(rows: count / columns, columns: columns)
      }
    case .pool2d(let pool):
      let pooling = try Pooling(pool.window, image: inputs[0].shape, countsPadding: pool.countsPadding)
      return try .pool(pooling, pool.reduction, coding)
    case .globalPool(let pool): return try .pool(Pooling(nil, image: inputs[0].shape), pool.reduction, coding)
    case .add:
      let broadcast = try Broadcast(inputs[0].shape, inputs[1].shape)
      if let coding, let other = inputs[1].coding {
        return .integerAdd(
          IntegerAddition(
            count: count, a: coding.from, b: other, result: coding.to, clamp: coding.to.codes(of: operation.clamp)),
          broadcast)
      }
      return .floatAdd(count: count, clamp: .init(operation.clamp), broadcast)
    case .mul:
      let broadcast = try Broadcast(inputs[0].shape, inputs[1].shape)
      guard let coding, let other = inputs[1].coding else {
        return .prepared(FloatProduct(broadcast: broadcast, clamp: .init(operation.clamp)))
      }
      return .prepared(
        IntegerProduct(
          broadcast: broadcast, a: coding.from, b: other, result: coding.to,
          clamp: coding.to.codes(of: operation.clamp)))
    case .concat(let concat):
      let axis = concat.axis(rank: output.shape.rank)
      let inner = output.shape.dims[(axis + 1)...].reduce(1, *)
      return .concatenate(
        Concatenation(
          rows: output.shape.dims[..<axis].reduce(1, *),
          parts: inputs.map { part in
            let columns = part.shape[axis] * inner
            guard let coding, let from = part.coding else { return .init(rowBytes: columns * 4, table: nil) }
            let table = from == coding.to ? nil : Conversion.table(from: from, to: coding.to)
            return .init(rowBytes: columns, table: table)
          }))
    case .pad(let pad):
      let padding = ZeroPadding(shape: inputs[0].shape.dims, before: pad.before, after: pad.after)
      guard let coding else { return .floatPad(padding) }
      let table = coding.from == coding.to ? nil : Conversion.table(from: coding.from, to: coding.to)
      return .integerPad(padding, table: table, zeroPoint: coding.from.zeroPoint)
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
    let clamp = ClosedRange<Float>(operation.clamp)
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
            clamp: to.codes(of: operation.clamp))))
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
  /// The range an operator clamps to; without one, everything.
  fileprivate init(_ clamp: Operator?) { self = clamp?.clampRange ?? -.infinity ... .infinity }
}

extension AffineQuantization {
  /// The quantized bounds of the range an operator clamps to.
  fileprivate func codes(of clamp: Operator?) -> ClosedRange<UInt8> {
    let range = ClosedRange<Float>(clamp)
    var codes: (UInt8, UInt8) = (0, 0)
    for (value, code) in [(range.lowerBound, \(UInt8, UInt8).0), (range.upperBound, \.1)] {
      Conversion.quantize([value], output: &codes[keyPath: code], count: 1, self, pool: .serial)
    }
    return codes.0...codes.1
  }
}

extension Conversion {
  /// The table that codes anew and clamps.
  fileprivate static func table(from: AffineQuantization, to: AffineQuantization, clamp: Operator) -> [UInt8] {
    let bounds = to.codes(of: clamp)
    return table(from: from, to: to).map { min(max($0, bounds.lowerBound), bounds.upperBound) }
  }

  /// The table of a function of each element: decoded by the one, computed in float32, coded by the other.
  fileprivate static func table(
    from: AffineQuantization, to: AffineQuantization, _ function: (Float) -> Float
  ) -> [UInt8] {
    let values = (0..<256).map { function(Float($0 - Int(from.zeroPoint)) * from.scale) }
    var codes = [UInt8](repeating: 0, count: 256)
    quantize(values, output: &codes, count: 256, to, pool: .serial)
    return codes
  }
}
