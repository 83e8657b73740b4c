import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  /// The step of an operation, its weights packed for the machine's kernels.
  init(
    _ operation: Program.Operation, _ inputs: [Program.Value], _ output: Program.Value, on machine: Machine
  ) throws {
    let count = output.shape.count
    switch operation.kind {
    case .node(let op, let weights): self = try .node(op, weights, operation, inputs, output, machine)
    case .affine(let factor, let shift):
      if let coding = IntegerCoding(operation, inputs, output) {
        self = StatisticNormalization.affineStep(
          positions: count / max(factor.count, 1), factor: factor, shift: shift, from: coding.from, to: coding.to)
      } else {
        self = try .affine(factor, shift, operation, output.shape, machine)
      }
    case .constant(let values): self = .constant(values)
    case .reshape: self = .copy(count: count)
    case .round(let encoding): self = .rounding(encoding, count: count)
    case .convert: self = .conversion(from: inputs[0].coding, to: output.coding, count: count)
    }
  }

  /// The step of a node's operator: one of the places where every operator must be answered for.
  private static func node(
    _ op: Operator, _ weights: Program.Weights?, _ operation: Program.Operation, _ inputs: [Program.Value],
    _ output: Program.Value, _ machine: Machine
  ) throws -> PreparedStep {
    let coding = IntegerCoding(operation, inputs, output), shapes = inputs.map(\.shape)
    if let rearrangement = op.spec.rearrangement(shapes) { return order(rearrangement, coding, shapes[0]) }
    switch op {
    case .input, .constant, .batchNorm, .flatten, .reshape, .dropout:
      preconditionFailure("\(op.spec.kind) is no step by itself")
    case .conv2d(let conv): return try convolution(conv, weights!, operation, inputs[0], output, machine)
    case .dense(let dense): return try self.dense(dense, weights!, operation, inputs[0], output, machine)
    case .activation(let function): return activation(function, coding, output.shape)
    case .pool2d(let pool):
      return try pooling(pool.window, pool.reduction, countsPadding: pool.countsPadding, coding, inputs[0].shape)
    case .globalPool(let pool): return try pooling(nil, pool.reduction, countsPadding: false, coding, inputs[0].shape)
    case .add: return try pairs(.add, operation, coding, inputs)
    case .mul: return try pairs(.multiply, operation, coding, inputs)
    case .concat(let concat): return concatenation(concat, coding, inputs, output.shape)
    case .pad(let pad): return padding(ZeroPadding(pad, over: shapes[0]), coding)
    case .insertZeros(let zeros): return padding(ZeroPadding(zeros, over: shapes[0]), coding)
    case .binary(let binary): return try pairs(.init(binary.function), operation, coding, inputs)
    case .prelu: return prelu(operation.parameters, output.shape)
    case .reduce(let reduce): return reduction(reduce, shapes[0])
    case .argMax(let argMax): return self.argMax(argMax, shapes[0])
    case .normalization(let norm): return normalization(norm, coding, operation.parameters, output.shape)
    case .matmul(let product): return matmul(product, coding, shapes, output.shape)
    case .attention(let attention): return self.attention(attention, coding, shapes)
    case .resize(let resize): return bilinear(resize, coding, shapes[0])
    case .transpose, .gather, .expand, .tile, .depthToSpace, .spaceToDepth:
      preconditionFailure("\(op.spec.kind) only rearranges")
    }
  }
}

/// The codings of the inputs and the output of what is computed in integers.
struct IntegerCoding {
  let inputs: [AffineQuantization]
  let to: AffineQuantization

  var from: AffineQuantization { inputs[0] }

  /// nil for what is computed in float.
  init?(_ operation: Program.Operation, _ inputs: [Program.Value], _ output: Program.Value) {
    let codings = inputs.compactMap(\.coding)
    guard operation.arithmetic == .int8, !codings.isEmpty, codings.count == inputs.count, let to = output.coding else {
      return nil
    }
    self.inputs = codings
    self.to = to
  }

  /// The table that codes an input anew; nil where it is coded as the result.
  func table(of input: Int = 0) -> [UInt8]? {
    inputs[input] == to ? nil : Conversion.table(from: inputs[input], to: to)
  }
}

extension Program.Value {
  /// The quantization, as the kernels know it.
  package var coding: AffineQuantization? {
    quantization.map {
      AffineQuantization(scale: $0.scale, zeroPoint: UInt8($0.zeroPoint), limit: UInt8($0.limit))
    }
  }
}

extension ClosedRange<Float> {
  /// The range an operator clamps to; without one, everything.
  init(_ clamp: Operator?) { self = clamp?.clampRange ?? -.infinity ... .infinity }
}

extension AffineQuantization {
  /// The quantized bounds of the range an operator clamps to.
  package func codes(of clamp: Operator?) -> ClosedRange<UInt8> {
    let range = ClosedRange<Float>(clamp)
    var codes: (UInt8, UInt8) = (0, 0)
    Conversion.quantize([range.lowerBound], output: &codes.0, count: 1, self, pool: .serial)
    Conversion.quantize([range.upperBound], output: &codes.1, count: 1, self, pool: .serial)
    return codes.0...codes.1
  }
}
