import Diagnostics
import Descriptors
import Kernels
import Network
import Tensors

extension PreparedStep {
  static func convolution(
    _ conv: Conv2D, _ weights: Program.Weights, _ operation: Program.Operation, _ input: Program.Value,
    _ output: Program.Value, _ machine: Machine
  ) throws -> PreparedStep {
    try layer(ConvolutionGeometry(conv, image: input.shape), weights, operation, input, output, machine)
  }

  static func dense(
    _ dense: Dense, _ weights: Program.Weights, _ operation: Program.Operation, _ input: Program.Value,
    _ output: Program.Value, _ machine: Machine
  ) throws -> PreparedStep {
    try layer(.dense(over: input.shape, outputs: dense.units), weights, operation, input, output, machine)
  }

  /// `factor * x + shift` for each channel.
  static func affine(
    _ factor: [Float], _ shift: [Float], _ operation: Program.Operation, _ shape: Shape, _ machine: Machine
  ) throws -> PreparedStep {
    let geometry = try ConvolutionGeometry.perChannel(shape), choice = operation.choice
    return factor.withUnsafeBufferPointer { factor in
      shift.withUnsafeBufferPointer {
        FloatConvolution(
          geometry, weights: factor, bias: $0, algorithm: choice?.algorithm, limits: choice?.limits ?? .standard,
          isa: machine.isa
        ).step
      }
    }
  }

  private static func layer(
    _ geometry: ConvolutionGeometry, _ weights: Program.Weights, _ operation: Program.Operation,
    _ input: Program.Value, _ output: Program.Value, _ machine: Machine
  ) throws -> PreparedStep {
    let (algorithm, limits) = (operation.choice?.algorithm, operation.choice?.limits ?? .standard)
    let clamp = ClosedRange<Float>(operation.clamp)
    let bias: [Float]? = weights.bias?.decoded.array()
    let isInteger = operation.arithmetic == .int8 || operation.arithmetic == .dynamicRange
    if isInteger, case .integer(let integers) = weights.weight {
      func convolution(_ output: IntegerOutput) throws -> IntegerConvolution {
        try integers.values.withElements(Int8.self) {
          try IntegerConvolution(
            geometry, weights: $0, zeroPoints: integers.zeroPoints, output: output, algorithm: algorithm,
            limits: limits, isa: machine.isa)
        }
      }
      let floats = IntegerOutput.floats(scales: integers.channelScales, bias: bias, clamp: clamp)
      guard let from = input.coding, operation.arithmetic == .int8 else { return try convolution(floats).dynamicStep }
      guard let to = output.coding else { return try convolution(floats).step(input: from) }
      return try convolution(
        .codes(
          inputZeroPoint: from.zeroPoint, bias: integers.bias(weights.bias, inputScale: from.scale),
          scales: integers.sumScales(inputScale: from.scale).map { $0 / to.scale }, zeroPoint: to.zeroPoint,
          clamp: to.codes(of: operation.clamp))
      ).step()
    }
    let storage: WeightStorage = operation.arithmetic == .float16Weights ? .float16 : .float32
    return weights.weight.decoded.withElements(Float.self) { values in
      func step(_ bias: UnsafeBufferPointer<Float>?) -> PreparedStep {
        FloatConvolution(
          geometry, weights: values, bias: bias, clamp: clamp, storage: storage, algorithm: algorithm, limits: limits,
          isa: machine.isa
        ).step
      }
      return bias?.withUnsafeBufferPointer { step($0) } ?? step(nil)
    }
  }
}
