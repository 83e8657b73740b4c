import Diagnostics
import Kernels
import Network
import Tensors

extension Plan {
  /// Makes one step of every operation. Each operation's parameters are released once they are packed.
  init(lowering program: consuming Program, islands: [FloatIsland], maxBatch: Int) throws {
    let values = program.values
    self.islands = islands
    self.maxBatch = maxBatch
    inputShape = values[program.input].shape
    inputName = values[program.input].name
    outputShape = program.outputShape
    inputCount = inputShape.count
    outputCount = outputShape.count
    valueBytes = values.map { $0.shape.count * ($0.quantization == nil ? 4 : 1) }
    input = program.input
    output = program.output
    for value in values where value.shape.count * 4 > (1 << 40) / maxBatch {
      throw CompressError("a batch of \(maxBatch) values of shape \(value.shape) is too large").at(layer: value.name)
    }
    program.operations.reverse()
    var steps: [Step] = []
    while let operation = program.operations.popLast() {
      try atLayer(operation.layer) { steps.append(try Step(operation, values, maxBatch)) }
    }
    self.steps = steps
  }
}

extension Plan.Step {
  fileprivate init(_ operation: Program.Operation, _ values: [Program.Value], _ maxBatch: Int) throws {
    let output = values[operation.output]
    let inputs = operation.inputs.enumerated().map { position, value in
      var input = values[value]
      if let shapes = operation.shapes { input.shape = shapes[position] }
      return input
    }
    layer = operation.layer
    value = output.name
    kernel = try StepKernel(operation, inputs, output, maxBatch: maxBatch)
    self.operation = operation.text(inputs, output)
    arithmetic = operation.arithmetic
    inputShapes = inputs.map(\.shape)
    outputShape = output.shape
    outputType = output.quantization == nil ? .float32 : .uint8
    outputQuantization = output.quantization
    macs = operation.kind.macs(inputs.map(\.shape), output.shape)
    weightBytes = kernel.weightBytes
    self.inputs = operation.inputs
    self.output = operation.output
  }
}

extension Program.Operation {
  /// What runs, for summaries.
  fileprivate func text(_ inputs: [Program.Value], _ output: Program.Value) -> String {
    let name: String =
      switch kind {
      case .conv2d(let conv, _):
        (conv.isDepthwise(inputChannels: inputs[0].shape[2]) ? "depthwise " : conv.groups > 1 ? "grouped " : "")
          + "conv \(conv.window.size.height)x\(conv.window.size.width)"
      case .dense: "dense"
      case .affine: "batch norm"
      case .activation(let function): function.rawValue
      case .pool2d(let pool): "\(pool.reduction.rawValue) pool \(pool.window.size.height)x\(pool.window.size.width)"
      case .globalPool(let pool): "global \(pool.reduction.rawValue) pool"
      case .add: "add"
      case .concat: "concat"
      case .reshape: "reshape"
      case .pad: "pad"
      case .round(let encoding): "round to \(encoding.name)"
      case .convert:
        switch (inputs[0].quantization, output.quantization) {
        case (nil, nil): "copy"
        case (nil, _): "quantize"
        case (_, nil): "dequantize"
        default: "requantize"
        }
      }
    return name + (activation.map { ", \($0.rawValue)" } ?? "")
  }
}

extension Program.Kind {
  fileprivate func macs(_ inputs: [Shape], _ output: Shape) -> Int {
    switch self {
    case .conv2d(let conv, _): conv.macs(inputs, output)
    case .dense(let dense, _): dense.units * inputs[0].count
    default: 0
    }
  }
}
