import Diagnostics
import Kernels
import Network
import Tensors

extension Plan {
  /// Makes one step of every operation. Each operation's parameters are released once they are packed.
  init(
    lowering program: consuming Program, floatFallbacks: [FloatFallback], _ options: CompileOptions
  ) throws {
    let values = program.values, maxBatch = options.maxBatch
    self.floatFallbacks = floatFallbacks
    self.maxBatch = maxBatch
    inputShapes = program.inputs.map { values[$0].shape }
    inputNames = program.inputs.map { values[$0].name }
    outputShapes = program.outputShapes
    outputNames = program.outputNames
    inputCount = inputShapes.reduce(0) { $0 + $1.count }
    outputCount = outputShapes.reduce(0) { $0 + $1.count }
    valueBytes = values.map { $0.shape.count * ($0.quantization == nil ? 4 : 1) }
    inputs = program.inputs
    outputs = program.outputs
    machine = options.machine
    for value in values where value.shape.count * 4 > (1 << 40) / maxBatch {
      throw CompressError("a batch of \(maxBatch) values of shape \(value.shape) is too large").at(layer: value.name)
    }
    program.operations.reverse()
    var steps: [Step] = []
    let given = Set(program.outputs)
    var constants: Set<Int> = []  // values that are the same in every call
    while let operation = program.operations.popLast() {
      // What is the caller's memory is written in every call all the same.
      let isConstant = operation.inputs.allSatisfy(constants.contains) && given.isDisjoint(with: operation.outputs)
      if isConstant { constants.formUnion(operation.outputs) }
      try atLayer(operation.layer) {
        steps.append(try Step(operation, values, options.machine, isConstant: isConstant))
      }
    }
    self.steps = steps
  }
}

extension Plan.Step {
  fileprivate init(
    _ operation: Program.Operation, _ values: [Program.Value], _ machine: Machine, isConstant: Bool
  ) throws {
    let output = values[operation.output]
    let inputs = operation.inputs.enumerated().map { position, value in
      var input = values[value]
      if let shapes = operation.shapes { input.shape = shapes[position] }
      return input
    }
    layer = operation.layer
    value = output.name
    self.isConstant = isConstant
    kernel = try PreparedStep(operation, inputs, output, on: machine)
    choice = operation.choice
    self.operation = operation.text(inputs, output)
    arithmetic = operation.arithmetic
    inputShapes = inputs.map(\.shape)
    outputShape = output.shape
    outputType = output.quantization == nil ? .float32 : .uint8
    outputQuantization = output.quantization
    macs = operation.kind.spec?.macs(inputs.map(\.shape), operation.outputs.map { values[$0].shape }) ?? 0
    weightBytes = kernel.constantBytes
    self.inputs = operation.inputs
    outputs = operation.outputs
  }
}

extension Program.Operation {
  /// What runs, for summaries.
  package func text(_ inputs: [Program.Value], _ output: Program.Value) -> String {
    let name: String =
      switch kind {
      case .node(.conv2d(let conv), _):
        (conv.isDepthwise(inputChannels: inputs[0].shape[2]) ? "depthwise " : conv.groups > 1 ? "grouped " : "")
          + "conv \(conv.window.size.height)x\(conv.window.size.width)"
      case .node(.pool2d(let pool), _):
        "\(pool.reduction.rawValue) pool \(pool.window.size.height)x\(pool.window.size.width)"
      case .node(.globalPool(let pool), _): "global \(pool.reduction.rawValue) pool"
      case .node(let op, _): op.spec.name
      case .affine: "batch norm"
      case .constant: "constant"
      case .reshape: "reshape"
      case .round(let encoding): "round to \(encoding.name)"
      case .convert:
        switch (inputs[0].quantization, output.quantization) {
        case (nil, nil): "copy"
        case (nil, _): "quantize"
        case (_, nil): "dequantize"
        default: "requantize"
        }
      }
    return name + (clamp.map { ", \($0.spec.name)" } ?? "")
  }
}
