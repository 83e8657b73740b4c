import Diagnostics
import Network
import Tensors

extension ONNXImporter {
  typealias Mapping = @Sendable (inout ONNXImporter, ONNXNode) throws -> Void

  /// What is made of the operators of the standard.
  static let mappings: [String: Mapping] = [
    "Conv": { try $0.convolution($1) }, "ConvTranspose": { try $0.transposedConvolution($1) },
    "Gemm": { try $0.gemm($1) }, "MatMul": { try $0.matrixProduct($1) },
    "BatchNormalization": { try $0.batchNormalization($1) },
    "LayerNormalization": { try $0.layerNormalization($1) },
    "RMSNormalization": { try $0.layerNormalization($1) },
    "InstanceNormalization": { try $0.groupNormalization($1) },
    "GroupNormalization": { try $0.groupNormalization($1) },
    "MaxPool": { try $0.pool($1, .max) }, "AveragePool": { try $0.pool($1, .average) },
    "GlobalMaxPool": { try $0.globalPool($1, .max) }, "GlobalAveragePool": { try $0.globalPool($1, .average) },
    "Relu": { try $0.function($1, .relu) }, "Sigmoid": { try $0.function($1, .sigmoid) },
    "Tanh": { try $0.function($1, .tanh) }, "Erf": { try $0.function($1, .erf) },
    "Exp": { try $0.function($1, .exp) }, "Log": { try $0.function($1, .log) },
    "Sqrt": { try $0.function($1, .sqrt) }, "Reciprocal": { try $0.function($1, .reciprocal) },
    "Neg": { try $0.function($1, .negative) }, "Abs": { try $0.function($1, .absolute) },
    "Sin": { try $0.function($1, .sin) }, "Cos": { try $0.function($1, .cos) },
    "Floor": { try $0.function($1, .floor) }, "Ceil": { try $0.function($1, .ceil) },
    "Round": { try $0.function($1, .round) }, "Sign": { try $0.function($1, .sign) },
    "Selu": { try $0.selu($1) }, "Celu": { try $0.celu($1) }, "Softsign": { try $0.softsign($1) },
    "ThresholdedRelu": { try $0.thresholdedReLU($1) }, "Shrink": { try $0.shrink($1) },
    "HardSwish": { try $0.function($1, .hardSwish) }, "Softplus": { try $0.function($1, .softplus) },
    "Mish": { try $0.function($1, .mish) },
    "Gelu": { try $0.function($1, $1.text("approximate", "none") == "tanh" ? .geluTanh : .gelu) },
    "LeakyRelu": { try $0.function($1, .leakyReLU(slope: $1.float("alpha", 0.01))) },
    "Elu": { try $0.function($1, .elu(alpha: $1.float("alpha", 1))) },
    "HardSigmoid": {
      try $0.function($1, .hardSigmoid(slope: $1.float("alpha", 0.2), offset: $1.float("beta", 0.5)))
    },
    "Clip": { try $0.clip($1) }, "PRelu": { try $0.parametricReLU($1) },
    "Softmax": { try $0.softmax($1, .softmax) }, "LogSoftmax": { try $0.softmax($1, .logSoftmax) },
    "Add": { try $0.arithmetic($1, Add().asOperator) }, "Mul": { try $0.arithmetic($1, Mul().asOperator) },
    "Sub": { try $0.arithmetic($1, Binary(.sub).asOperator) },
    "Div": { try $0.arithmetic($1, Binary(.div).asOperator) },
    "Pow": { try $0.arithmetic($1, Binary(.pow).asOperator) },
    "Min": { try $0.arithmetic($1, Binary(.minimum).asOperator) },
    "Max": { try $0.arithmetic($1, Binary(.maximum).asOperator) },
    "Sum": { try $0.arithmetic($1, Add().asOperator) }, "Mean": { try $0.mean($1) },
    "Less": { try $0.comparison($1) }, "Greater": { try $0.comparison($1) },
    "LessOrEqual": { try $0.comparison($1) }, "GreaterOrEqual": { try $0.comparison($1) },
    "Equal": { try $0.comparison($1) }, "And": { try $0.truth($1) }, "Or": { try $0.truth($1) },
    "Xor": { try $0.truth($1) }, "Not": { try $0.truth($1) }, "Where": { try $0.choice($1) },
    "Einsum": { try $0.einsum($1) },
    "ReduceMean": { try $0.reduction($1, .mean) }, "ReduceSum": { try $0.reduction($1, .sum) },
    "ReduceMax": { try $0.reduction($1, .max) }, "ReduceMin": { try $0.reduction($1, .min) },
    "ReduceL1": { try $0.norm($1, 1) }, "ReduceL2": { try $0.norm($1, 2) },
    "ReduceSumSquare": { try $0.norm($1, nil) }, "ReduceLogSum": { try $0.logSum($1) },
    "ReduceLogSumExp": { try $0.logSumExp($1) },
    "ArgMax": { try $0.argMax($1) }, "ArgMin": { try $0.argMax($1, isLeast: true) },
    "TopK": { try $0.greatestFew($1) },
    "LRN": { try $0.localResponseNormalization($1) }, "LpPool": { try $0.normPool($1) },
    "GlobalLpPool": { try $0.globalNormPool($1) },
    "Concat": { try $0.concatenation($1) }, "Split": { try $0.split($1) }, "Slice": { try $0.slice($1) },
    "Gather": { try $0.gather($1) }, "Transpose": { try $0.transposition($1) },
    "Reshape": { try $0.reshaping($1) }, "Flatten": { try $0.flattening($1) },
    "Squeeze": { try $0.squeeze($1) }, "Unsqueeze": { try $0.unsqueeze($1) },
    "Expand": { try $0.expansion($1) }, "Tile": { try $0.tiling($1) }, "Pad": { try $0.padding($1) },
    "Resize": { try $0.resize($1) }, "Upsample": { try $0.resize($1) },
    "DepthToSpace": { try $0.depthToSpace($1) }, "SpaceToDepth": { try $0.spaceToDepth($1) },
    "Identity": { try $0.alias($1) }, "Cast": { try $0.cast($1) },
    "CastLike": { try $0.cast($1) }, "Dropout": { try $0.dropout($1) },
    "QuantizeLinear": { try $0.quantize($1) }, "DequantizeLinear": { try $0.dequantize($1) },
    "DynamicQuantizeLinear": { try $0.quantizeByRange($1) },
    "QLinearConv": { try $0.integerConvolution($1) }, "QLinearMatMul": { try $0.integerProduct($1) },
    "QLinearAdd": { try $0.integerPair($1, Add().asOperator) },
    "QLinearMul": { try $0.integerPair($1, Mul().asOperator) },
    "QLinearConcat": { try $0.integerConcatenation($1) }, "QGemm": { try $0.integerGemm($1) },
    "QLinearSigmoid": { try $0.integerFunction($1, "Sigmoid") },
    "QLinearLeakyRelu": { try $0.integerFunction($1, "LeakyRelu") },
    "QLinearSoftmax": { try $0.integerFunction($1, "Softmax") },
    "QLinearAveragePool": { try $0.integerFunction($1, "AveragePool") },
    "QLinearGlobalAveragePool": { try $0.integerFunction($1, "GlobalAveragePool") },
    "QLinearReduceMean": { try $0.integerFunction($1, "ReduceMean") },
    "MatMulNBits": { try $0.productOfFewBits($1) },
    "ConvInteger": { try $0.sums($1) }, "MatMulInteger": { try $0.sums($1) },
    "Shape": { try $0.shape($1) }, "Size": { try $0.shape($1) },
  ]

  /// Other names by which frameworks call the same: domain and kind.
  private static let aliases = [
    "com.microsoft.Gelu": "Gelu", "com.microsoft.QuantizeLinear": "QuantizeLinear",
    "com.microsoft.DequantizeLinear": "DequantizeLinear", "com.microsoft.QLinearAdd": "QLinearAdd",
    "com.microsoft.QLinearMul": "QLinearMul", "com.microsoft.QLinearConcat": "QLinearConcat",
    "com.microsoft.QLinearSigmoid": "QLinearSigmoid", "com.microsoft.QLinearLeakyRelu": "QLinearLeakyRelu",
    "com.microsoft.QLinearSoftmax": "QLinearSoftmax", "com.microsoft.QLinearAveragePool": "QLinearAveragePool",
    "com.microsoft.QLinearGlobalAveragePool": "QLinearGlobalAveragePool",
    "com.microsoft.QLinearReduceMean": "QLinearReduceMean", "com.microsoft.QGemm": "QGemm",
    "com.microsoft.MatMulNBits": "MatMulNBits",
  ]

  /// Reads one node: folds it where all it takes is known, and otherwise adds layers.
  mutating func take(_ node: ONNXNode) throws {
    if node.inputs.contains(where: tail.values.contains) { return leaveOut(node) }
    do {
      for input in node.inputs where !input.isEmpty && values[input] == nil {
        throw CompressError(
          "its input \"\(input.escapedForTerminal.shortened(to: 120))\" is given by no earlier node", kind: .input)
      }
      guard let first = node.outputs.first, !first.isEmpty else { throw CompressError("has no output", kind: .input) }
      for output in node.outputs where !output.isEmpty && values[output] != nil {
        throw CompressError(
          "its output \"\(output.escapedForTerminal.shortened(to: 120))\" is there already", kind: .input)
      }
      if let results = try folded(node) {
        for (output, result) in zip(node.outputs, results) where !output.isEmpty { values[output] = .constant(result) }
        return
      }
      let name = node.domain.isEmpty ? node.kind : Self.aliases["\(node.domain).\(node.kind)"] ?? ""
      guard let mapping = Self.mappings[name] else {
        if options.allowsUnknown { return leaveOut(node) }
        throw Self.unknown(node)
      }
      try checkIntegers(node)
      try checkElements(node)
      try mapping(&self, node)
      try passIntegers(node)
      try passElements(node)
      for output in node.outputs
      where values[output] == nil && uses[output] ?? 0 > 0 && !tail.values.contains(output) {
        throw CompressError(
          "its output \"\(output.escapedForTerminal.shortened(to: 120))\" is read, but not computed here", kind: .input)
      }
    } catch let error as CompressError {
      var error = error
      if !error.message.hasPrefix("node ") { error.message = "\(node.label): " + error.message }
      if error.kind == .usage { error.kind = .input }
      throw error
    }
  }

  private static func unknown(_ node: ONNXNode) -> CompressError {
    if node.attributes.values.contains(where: \.hasGraph) {
      return CompressError("the operator holds graphs of its own, which are not read", kind: .input)
    }
    let near = node.domain.isEmpty
      ? mappings.keys.filter { name in
        name.lowercased().contains(node.kind.lowercased().prefix(4)) && !aliases.values.contains(name)
      }.sorted() : []
    let domain = node.domain.isEmpty ? "ai.onnx" : node.domain.escapedForTerminal.shortened(to: 80)
    return CompressError(
      "the operator \(node.kind.escapedForTerminal.shortened(to: 80)) of the domain \(domain) is not supported"
        + (near.isEmpty ? "" : "; near it are \(near.joined(separator: ", "))"),
      kind: .input, hint: "docs/onnx.md lists what is")
  }

  // MARK: Inputs and outputs of nodes

  /// An input as a value of the network; a constant becomes one.
  mutating func held(_ node: ONNXNode, _ index: Int) throws -> Held {
    guard let name = node.input(index), let value = values[name] else {
      throw CompressError("has no input \(index + 1)", kind: .input)
    }
    switch value {
    case .held(let held): return held
    case .constant(let known):
      guard known.element.isFloat || node.inputs.contains(where: { isInteger($0) }) else {
        throw CompressError("computes with integers or truth values together with what varies", kind: .input)
      }
      let order = Array(0..<known.shape.rank)
      return Held(
        try constant(known.floats, order: order, named: name, integers: known.source), known.shape.dims,
        hasBatch: false)
    }
  }

  /// An input that must be known; nil where it is left out.
  func constant(_ node: ONNXNode, _ index: Int) throws -> ONNXConstant? {
    guard let name = node.input(index) else { return nil }
    guard case .constant(let constant)? = values[name] else {
      throw CompressError("its input \(index + 1) varies; supported is a constant", kind: .input)
    }
    return constant
  }

  /// An input that must be there, and known.
  func required(_ node: ONNXNode, _ index: Int) throws -> ONNXConstant {
    guard let constant = try constant(node, index) else {
      throw CompressError("has no input \(index + 1)", kind: .input)
    }
    return constant
  }

  func isConstant(_ node: ONNXNode, _ index: Int) -> Bool {
    guard let name = node.input(index), case .constant? = values[name] else { return false }
    return true
  }

  mutating func give(_ node: ONNXNode, _ held: Held) { values[node.outputs[0]] = .held(held) }

  /// The layer that gives an input of a node, if nothing else reads it: then it may become another one.
  func ownLayer(_ node: ONNXNode, _ index: Int) -> (held: Held, layer: Node)? {
    guard let name = node.input(index), uses[name] == 1, case .held(let held)? = values[name],
      held.unflattened == nil, standsFor[held.name] ?? held.name == name, let position = layers.positions[held.name]
    else { return nil }
    return (held, layers.nodes[position])
  }
}
