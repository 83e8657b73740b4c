import Network
import Tensors

extension Program {
  /// Decides in which numbers each operation computes and inserts the conversions between them.
  ///
  /// A value that has a quantization is held as uint8, whoever reads it. What computes in float reads
  /// the value dequantized, and its own result is quantized after it. A value that is rounded is held as float32, and
  /// rounded by a step of its own.
  ///
  /// - Returns: what stays float in a network that holds quantized values, and why.
  mutating func assignArithmetic() -> [FloatFallback] {
    var assigned: [Operation] = []
    var floatFallbacks: [FloatFallback] = []
    var floats: [Int: Int] = [:]  // a quantized value: the float value it was converted to

    func float(_ value: Int) -> Int {
      guard values[value].quantization != nil else { return value }
      if let known = floats[value] { return known }
      let converted = addFloatValue(like: value)
      floats[value] = converted
      assigned.append(Operation(layer: values[value].name, kind: .convert, inputs: [value], outputs: [converted]))
      return converted
    }
    func quantize(_ value: Int, to quantized: Int) {
      assigned.append(Operation(layer: values[value].name, kind: .convert, inputs: [value], outputs: [quantized]))
    }

    func round(_ value: Int, to rounded: Int, _ rounding: ActivationEncoding) {
      assigned.append(
        Operation(layer: values[rounded].name, kind: .round(rounding), inputs: [value], outputs: [rounded]))
    }

    for (index, input) in inputs.enumerated() {  // the network is given floats all the same
      guard let encoding = values[input].encoding else { continue }
      inputs[index] = addFloatValue(like: input)
      if encoding.integer != nil {
        quantize(inputs[index], to: input)
      } else {
        round(inputs[index], to: input, encoding)
      }
    }
    for var operation in operations {
      let (arithmetic, reason) = decide(operation)
      operation.arithmetic = arithmetic
      if let reason {
        floatFallbacks.append(
          FloatFallback(layer: operation.layer, reason: reason, isSimulated: arithmetic == .simulated))
      }
      let results = operation.outputs
      if arithmetic != .int8 { operation.inputs = operation.inputs.map(float) }
      for (index, result) in results.enumerated()
      where values[result].rounding != nil || (arithmetic != .int8 && values[result].quantization != nil) {
        operation.outputs[index] = addFloatValue(like: result)
      }
      assigned.append(operation)
      for (computed, result) in zip(operation.outputs, results) where computed != result {
        if let rounding = values[result].rounding {
          round(computed, to: result, rounding)
        } else {
          quantize(computed, to: result)
        }
      }
    }
    // The caller's memory holds each output once, and no input: what is given as well is a copy.
    var given = Set(inputs)
    outputs = outputs.map { output in
      var output = float(output)
      if !given.insert(output).inserted {
        let copy = addFloatValue(like: output)
        assigned.append(Operation(layer: values[output].name, kind: .convert, inputs: [output], outputs: [copy]))
        output = copy
      }
      return output
    }
    operations = assigned
    let isQuantized = values.contains { $0.encoding != nil } || floatFallbacks.contains(where: \.isSimulated)
    return isQuantized ? floatFallbacks : []
  }

  private mutating func addFloatValue(like value: Int) -> Int {
    values.append(Value(name: values[value].name, shape: values[value].shape))
    return values.count - 1
  }

  /// The arithmetic of an operation; for one that is not int8, why not.
  private func decide(_ operation: Operation) -> (Arithmetic, reason: String?) {
    switch operation.kind {
    case .affine:
      let isInteger = (operation.inputs + operation.outputs).allSatisfy { values[$0].quantization != nil }
      return isInteger ? (.int8, nil) : (.float32, "a batch norm that could not be folded")
    case .reshape, .convert, .round: return (.int8, nil)
    case .constant: return (.float32, nil)
    case .node(let op, let weights):
      if let weights { return decide(weights, input: values[operation.inputs[0]], output: values[operation.output]) }
      guard op.spec.quantization != .float else { return (.float32, "\(op.spec.name) is computed in float") }
      if let input = operation.inputs.first(where: { values[$0].quantization == nil }) {
        return (.float32, "its input \"\(values[input].name)\" has no quantization")
      }
      guard operation.outputs.allSatisfy({ values[$0].quantization != nil }) else {
        return (.float32, "its output has no quantization")
      }
      let shapes = operation.shapes ?? operation.inputs.map { values[$0].shape }
      let hindrance = op.integerHindrance(
        shapes, operation.inputs.map { values[$0].quantization! }, values[operation.output].quantization!)
      return hindrance.map { (.float32, $0) } ?? (.int8, nil)
    }
  }

  private func decide(_ weights: Weights, input: Value, output: Value) -> (Arithmetic, reason: String?) {
    switch weights.weight {
    case .float(let tensor):
      return switch tensor.dtype {
      case .float16: (.float16Weights, "its weight is float16")
      case .float32: (.float32, "its weight is float32")
      default: (.simulated, "its weight is \(tensor.dtype)")
      }
    case .codes(let coded): return (.simulated, "its weight has \(coded.table.count) values of a table")
    case .integer(let integers):
      guard integers.sumsFit else { return (.float32, "sums of its integers can exceed 32 bits") }
      if let rounding = input.rounding {
        return (.simulated, "its input \"\(input.name)\" is rounded to \(rounding.name)")
      }
      guard let quantization = input.quantization else {
        return (.dynamicRange, "its input \"\(input.name)\" has no quantization")
      }
      guard output.quantization == nil || integers.bias(weights.bias, inputScale: quantization.scale) != nil else {
        return (.float32, "its bias is too large for 32-bit sums")
      }
      return (.int8, nil)
    }
  }
}
