import Diagnostics
import Network
import Tensors

extension TFLiteImporter {
  typealias Mapping = @Sendable (inout TFLiteImporter, TFLiteNode) throws -> Void

  /// What is made of the operators of the standard.
  static let mappings: [String: Mapping] = [
    "CONV_2D": { try $0.convolution($1) }, "DEPTHWISE_CONV_2D": { try $0.depthwiseConvolution($1) },
    "TRANSPOSE_CONV": { try $0.transposedConvolution($1) }, "FULLY_CONNECTED": { try $0.fullyConnected($1) },
    "BATCH_MATMUL": { try $0.matrixProduct($1) },
    "ADD": { try $0.arithmetic($1, Add().asOperator, .add) }, "MUL": { try $0.arithmetic($1, Mul().asOperator, .mul) },
    "SUB": { try $0.arithmetic($1, Binary(.sub).asOperator, .sub) },
    "DIV": { try $0.arithmetic($1, Binary(.div).asOperator, .div) },
    "MINIMUM": { try $0.arithmetic($1, Binary(.minimum).asOperator, nil) },
    "MAXIMUM": { try $0.arithmetic($1, Binary(.maximum).asOperator, nil) },
    "POW": { try $0.arithmetic($1, Binary(.pow).asOperator, nil) },
    "SQUARED_DIFFERENCE": { try $0.squaredDifference($1) }, "SQUARE": { try $0.square($1) },
    "RELU": { try $0.function($1, .relu) }, "RELU6": { try $0.function($1, .relu6) },
    "RELU_N1_TO_1": { try $0.function($1, .clip(low: -1, high: 1)) },
    "RELU_0_TO_1": { try $0.function($1, .clip(low: 0, high: 1)) },
    "LEAKY_RELU": {
      let alpha = try $1.options(.leakyReLU)?.float(TFLiteField.LeakyReLU.alpha, 0) ?? 0
      try $0.function($1, .leakyReLU(slope: alpha))
    },
    "PRELU": { try $0.parametricReLU($1) }, "ELU": { try $0.function($1, .elu(alpha: 1)) },
    "LOGISTIC": { try $0.function($1, .sigmoid) }, "TANH": { try $0.function($1, .tanh) },
    "HARD_SWISH": { try $0.function($1, .hardSwish) }, "EXP": { try $0.function($1, .exp) },
    "LOG": { try $0.function($1, .log) }, "SQRT": { try $0.function($1, .sqrt) },
    "RSQRT": { try $0.reciprocalRoot($1) }, "NEG": { try $0.function($1, .negative) },
    "ABS": { try $0.function($1, .absolute) }, "SIN": { try $0.function($1, .sin) },
    "COS": { try $0.function($1, .cos) }, "FLOOR": { try $0.function($1, .floor) },
    "CEIL": { try $0.function($1, .ceil) }, "ROUND": { try $0.function($1, .round) },
    "SIGN": { try $0.function($1, .sign) },
    "GELU": {
      let isApproximate = try $1.options(.gelu)?.flag(TFLiteField.Gelu.approximate) ?? false
      try $0.function($1, isApproximate ? .geluTanh : .gelu)
    },
    "SOFTMAX": { try $0.softmax($1) }, "LOG_SOFTMAX": { try $0.overRows($1, .logSoftmax) },
    "L2_NORMALIZATION": { try $0.lengthNormalization($1) },
    "MEAN": { try $0.reduction($1, .mean) }, "SUM": { try $0.reduction($1, .sum) },
    "REDUCE_MAX": { try $0.reduction($1, .max) }, "REDUCE_MIN": { try $0.reduction($1, .min) },
    "ARG_MAX": { try $0.argMax($1) },
    "AVERAGE_POOL_2D": { try $0.pool($1, .average) }, "MAX_POOL_2D": { try $0.pool($1, .max) },
    "PAD": { try $0.padding($1) }, "PADV2": { try $0.padding($1) }, "MIRROR_PAD": { try $0.mirrorPadding($1) },
    "CONCATENATION": { try $0.concatenation($1) }, "SPLIT": { try $0.split($1) }, "SPLIT_V": { try $0.split($1) },
    "SLICE": { try $0.slice($1) }, "STRIDED_SLICE": { try $0.stridedSlice($1) }, "GATHER": { try $0.gather($1) },
    "PACK": { try $0.pack($1) }, "UNPACK": { try $0.unpack($1) },
    "RESHAPE": { try $0.reshaping($1) }, "SQUEEZE": { try $0.squeeze($1) }, "EXPAND_DIMS": { try $0.expandDims($1) },
    "TRANSPOSE": { try $0.transposition($1) },
    "RESIZE_BILINEAR": { try $0.resizeBilinear($1) }, "RESIZE_NEAREST_NEIGHBOR": { try $0.resizeNearest($1) },
    "DEPTH_TO_SPACE": { try $0.depthToSpace($1) }, "SPACE_TO_DEPTH": { try $0.spaceToDepth($1) },
    "TILE": { try $0.tiling($1) }, "BROADCAST_TO": { try $0.broadcast($1) },
    "QUANTIZE": { try $0.quantize($1) }, "DEQUANTIZE": { try $0.dequantize($1) }, "CAST": { try $0.cast($1) },
    "DENSIFY": { _, _ in throw CompressError("of a value that varies", kind: .input) },
    "SHAPE": { try $0.shape($1) },
  ]

  /// Those that programs around TFLite bring along.
  private static let customMappings: [String: Mapping] = [
    "Convolution2DTransposeBias": { try $0.transposedConvolutionWithBias($1) }
  ]

  /// Reads one node: folds it where all it takes is known, and otherwise adds layers.
  mutating func take(_ node: TFLiteNode) throws {
    do {
      guard !node.outputs.isEmpty else { throw CompressError("has no output", kind: .input) }
      for output in node.outputs {
        guard values[output] == nil, try graph.bytes(graph.tensors[output]) == nil, !graph.tensors[output].isVariable
        else {
          throw CompressError(
            "its output \"\(shown(output))\" is there already, or kept between calls", kind: .input)
        }
      }
      for input in node.inputs where input >= 0 {
        guard try values[input] != nil || known(input) != nil else {
          throw CompressError("its input \"\(shown(input))\" is given by no earlier node", kind: .input)
        }
      }
      if let result = try folded(node) {
        values[node.outputs[0]] = .constant(result)
        return
      }
      guard let mapping = node.isCustom ? Self.customMappings[node.kind] : Self.mappings[node.kind] else {
        throw Self.unknown(node)
      }
      try checkIntegers(node)
      firstOfNode = layers.nodes.count
      try mapping(&self, node)
      for output in node.outputs where values[output] == nil && uses[output] > 0 {
        throw CompressError("its output \"\(shown(output))\" is read, but not computed here", kind: .input)
      }
    } catch let error as CompressError {
      var error = error
      error.message = "\(node.label): " + error.message
      if error.kind == .usage { error.kind = .input }
      throw error
    }
  }

  func shown(_ tensor: Int) -> String { graph.tensors[tensor].name.escapedForTerminal.shortened(to: 120) }

  private static func unknown(_ node: TFLiteNode) -> CompressError {
    if node.isCustom {
      let isFlex = node.kind.hasPrefix("Flex")
      return CompressError(
        "the \(isFlex ? "TensorFlow" : "custom") operator \(node.kind.escapedForTerminal.shortened(to: 80)) is not "
          + "supported; of custom ones \(customMappings.keys.sorted().joined(separator: ", ")) is", kind: .input,
        hint: isFlex ? "a converter told to use TFLITE_BUILTINS only says what could take its place" : nil)
    }
    if ["IF", "WHILE", "CALL", "CALL_ONCE", "STABLEHLO_WHILE", "STABLEHLO_COMPOSITE"].contains(node.kind) {
      return CompressError(
        "the operator \(node.kind) runs another graph of the file; such control flow is not read", kind: .input)
    }
    let words = Set(node.kind.split(separator: "_").filter { $0.count > 2 })
    let near = mappings.keys.filter { !words.isDisjoint(with: Set($0.split(separator: "_"))) }.sorted().prefix(6)
    return CompressError(
      "the operator \(node.kind) is not supported"
        + (near.isEmpty ? "" : "; near it are \(near.joined(separator: ", "))"),
      kind: .input, hint: "docs/tflite.md lists what is")
  }

  // MARK: Inputs of nodes

  /// A tensor that is known; nil of one that is computed.
  func known(_ tensor: Int) throws -> TFLiteConstant? {
    if let value = values[tensor] {
      if case .constant(let constant) = value { return constant }
      return nil
    }
    let described = graph.tensors[tensor]
    guard let bytes = try graph.bytes(described) else {
      // An empty list, of axes say, has no bytes.
      guard described.dims == [0], described.buffer != 0 else { return nil }
      return TFLiteConstant([], [0], type: described.type)
    }
    let shape = try Shape(checking: described.dims)
    guard described.sparsity == nil else {
      // The dense form is made where it is read.
      return TFLiteConstant(described.type, shape, described.quantization, .bytes(bytes, owner: graph.owner))
    }
    return try TFLiteConstant(described.type, shape, described.quantization, bytes: bytes, owner: graph.owner)
  }

  /// An input that must be known; nil where it is left out. What is sparse comes dense.
  mutating func constant(_ node: TFLiteNode, _ index: Int) throws -> TFLiteConstant? {
    guard let tensor = node.input(index) else { return nil }
    guard let constant = try known(tensor) else {
      throw CompressError("its input \(index + 1) varies; supported is a constant", kind: .input)
    }
    try spend(constant.shape.count)
    guard values[tensor] == nil, graph.tensors[tensor].sparsity != nil else { return constant }
    return try dense(tensor, constant)
  }

  /// An input that must be there, and known.
  mutating func required(_ node: TFLiteNode, _ index: Int) throws -> TFLiteConstant {
    guard let constant = try constant(node, index) else {
      throw CompressError("has no input \(index + 1)", kind: .input)
    }
    return constant
  }

  func isConstant(_ node: TFLiteNode, _ index: Int) -> Bool {
    guard let tensor = node.input(index) else { return false }
    if case .held? = values[tensor] { return false }
    return true
  }

  /// An input as a value of the network; a constant becomes one.
  mutating func held(_ node: TFLiteNode, _ index: Int) throws -> Held {
    guard let tensor = node.input(index) else { throw CompressError("has no input \(index + 1)", kind: .input) }
    if case .held(let held)? = values[tensor] { return held }
    let known = try required(node, index)
    guard known.isFloat || known.quantization != nil || isPlain(node.outputs[0]) else {
      throw CompressError("computes with integers together with what varies", kind: .input)
    }
    guard known.shape.count > 0 else { throw CompressError("computes with an empty tensor", kind: .input) }
    return try held(known, named: graph.tensors[tensor].label, encoding: encoding(graph.tensors[tensor]))
  }

  /// A constant as a value of the network.
  mutating func held(_ known: TFLiteConstant, named name: String, encoding: ActivationQuantization?) throws -> Held {
    let own = Parameter(try known.floats().contiguous())
    let constant = try emit(.constant(Constant(known.shape)), [], named: name, [.constant: own])
    activations[constant] = encoding.map { .affine($0) }
    return Held(name: constant, dims: known.shape.dims, hasBatch: false)
  }

  // MARK: What comes behind an operator

  /// Adds what is fused into a node, and gives the result.
  mutating func give(_ node: TFLiteNode, _ value: Held, fused activation: TFLiteActivation) throws {
    let function: Activation
    switch activation {
    case .none: return try give(node, value)
    case .relu: function = .relu
    case .relu6: function = .relu6
    case .reluN1To1: function = .clip(low: -1, high: 1)
    case .tanh: function = .tanh
    case .signBit: throw CompressError("ends in a sign bit, which is not supported", kind: .input)
    }
    var held = value
    let name = self.name(node)
    // What clamps as part of itself is rounded once, behind the clamp; others on both sides, to the same grid.
    let isPart = layers[held.name].op.spec.fusesClamp && function.clampRange != nil
    if !isPart, function.clampRange != nil, let encoding = try encoding(graph.tensors[node.outputs[0]]) {
      try round(&held, to: .affine(encoding), named: name)
    }
    held.name = try emit(.activation(function), [held.name], named: name + " " + function.name)
    try give(node, held)
  }

  func activation(_ table: FlatTable?, _ field: Int) throws -> TFLiteActivation {
    let number: Int8 = try table?.integer(field, 0) ?? 0
    guard let activation = TFLiteActivation(rawValue: number) else {
      throw CompressError("ends in the function \(number), which is not known", kind: .input)
    }
    return activation
  }

  /// What a node's layers are called: as the value it gives.
  func name(_ node: TFLiteNode) -> String {
    let name = graph.tensors[node.outputs[0]].label
    return name.isEmpty ? "\(node.kind.lowercased()) \(node.index + 1)" : name
  }
}
