import Diagnostics
import Network
import Tensors

// Operators of ONNX Runtime that compute with integers of a scale, as its quantizer writes them: the operator of the
// standard on what the integers stand for, its result rounded.
extension ONNXImporter {
  /// What a node takes as integers of a scale, as floats: a value, or a constant.
  mutating func integerOperand(_ node: ONNXNode, _ index: Int) throws -> Value {
    guard isConstant(node, index) else { return .held(try integerInput(node, index)) }
    return .constant(
      try dequantized(
        try required(node, index), try required(node, index + 1), try constant(node, index + 2), axis: 0))
  }

  /// A node of the standard with the same outputs and attributes.
  private mutating func standard(
    _ node: ONNXNode, _ kind: String, _ operands: [Value], version: Int = 13
  ) -> ONNXNode {
    var result = node
    result.kind = kind
    result.domain = ""
    result.version = version
    result.inputs = operands.enumerated().map { index, operand in
      // A name that no text of a file can be.
      let name = "\(node.outputs[0]) operand \(index)\0"
      values[name] = operand
      return name
    }
    return result
  }

  /// The result of a node that was read as one of the standard, in its own scale.
  private mutating func roundResult(_ node: ONNXNode, of inputs: [ONNXNode], scale: Int) throws {
    guard case .held(var result)? = values[node.outputs[0]] else {
      throw CompressError("gives nothing that varies", kind: .input)
    }
    if layers[result.name].op.isInput || activations[result.name] != nil {
      // It only selects: what gives the value keeps its own scale.
      result.name = try emit(.reshape(Reshape(layers.shapes[result.name]!)), [result.name], named: node.outputs[0])
    }
    try giveRounded(node, result, scale: scale)
  }

  /// A function of one value.
  mutating func integerFunction(_ node: ONNXNode, _ kind: String) throws {
    guard !node.flag("channels_last") else { throw CompressError("channels_last is not supported", kind: .input) }
    let version = kind == "Softmax" || kind == "LogSoftmax" ? Int(clamping: node.integer("opset", 13)) : 13
    let own = standard(node, kind, [try integerOperand(node, 0)], version: version)
    guard let mapping = Self.mappings[kind] else { throw CompressError("is not known", kind: .input) }
    try mapping(&self, own)
    try roundResult(node, of: [own], scale: 3)
  }

  /// Values one after the other, each of its own scale: those and the integers come in threes.
  mutating func integerConcatenation(_ node: ONNXNode) throws {
    guard node.inputs.count >= 5, (node.inputs.count - 2) % 3 == 0 else {
      throw CompressError("has \(node.inputs.count) inputs", kind: .input)
    }
    let operands = try stride(from: 2, to: node.inputs.count, by: 3).map { try integerOperand(node, $0) }
    let own = standard(node, "Concat", operands)
    try concatenation(own)
    try roundResult(node, of: [own], scale: 0)
  }

  /// A dense layer; a float comes out where no scale is given.
  mutating func integerGemm(_ node: ONNXNode) throws {
    let input = try integerOperand(node, 0)
    var operands = [input]
    if isConstant(node, 3) {
      operands.append(
        .constant(
          try integerWeight(
            node, 3, axis: node.flag("transB") ? 0 : 1, scale: try required(node, 4),
            zeroPoint: try constant(node, 5))))
    } else {
      operands.append(try integerOperand(node, 3))
    }
    if let bias = try constant(node, 6) {
      let scale = try required(node, 4).floats.applying(.mul, try required(node, 1).floats.array(Float.self)[0])
      operands.append(.constant(try dequantized(bias, ONNXConstant(.float32, scale), nil, axis: 0)))
    }
    let own = standard(node, "Gemm", operands)
    try gemm(own)
    if node.input(7) != nil { try roundResult(node, of: [own], scale: 7) }
  }

  /// A dense layer whose weight is a few bits in blocks along its inputs, with a scale for each: floats here.
  mutating func productOfFewBits(_ node: ONNXNode) throws {
    let bits = Int(clamping: node.integer("bits", 4)), block = Int(clamping: node.integer("block_size", 0))
    let inputs = Int(clamping: node.integer("K", 0)), units = Int(clamping: node.integer("N", 0))
    guard [2, 4, 8].contains(bits), (1...1 << 20).contains(block), (1...1 << 24).contains(inputs),
      (1...1 << 24).contains(units)
    else { throw CompressError("\(units)x\(inputs) weights of \(bits) bits in blocks of \(block)", kind: .input) }
    guard node.input(4) == nil else { throw CompressError("weights in another order are not supported", kind: .input) }
    let blocks = (inputs + block - 1) / block, blob = (block * bits + 7) / 8, perRow = (blocks * bits + 7) / 8
    let packed = try required(node, 1), scales = try required(node, 2).floats.array(Float.self)
    let zeros = try constant(node, 3)
    try spend(try Shape(checking: [units, inputs]).count)
    guard packed.element == .uint8, packed.shape.count == units * blocks * blob, scales.count == units * blocks else {
      throw CompressError(
        "\(packed.shape.count) bytes and \(scales.count) scales for \(units) units of \(blocks) blocks", kind: .input)
    }
    let bytes = try packed.integers(), mask = Int64(1 << bits - 1), each = 8 / bits
    var zeroPoints = [Float](repeating: Float(1 << (bits - 1)), count: units * blocks)
    if let zeros, zeros.element.isFloat {
      zeroPoints = zeros.floats.array(Float.self)
    } else if let zeros {
      let bytes = try zeros.integers()
      guard bytes.count == units * perRow else {
        throw CompressError("\(bytes.count) bytes of zero points for \(units) units", kind: .input)
      }
      zeroPoints = (0..<units * blocks).map { index in
        let (row, place) = (index / blocks, index % blocks)
        return Float(bytes[row * perRow + place / each] >> Int64(place % each * bits) & mask)
      }
    }
    guard zeroPoints.count == units * blocks else {
      throw CompressError("\(zeroPoints.count) zero points for \(units * blocks) blocks", kind: .input)
    }
    var weight = [Float](repeating: 0, count: units * inputs)
    for row in 0..<units {
      for column in 0..<inputs {
        let index = row * blocks + column / block, place = column % block
        let code = bytes[index * blob + place / each] >> Int64(place % each * bits) & mask
        weight[row * inputs + column] = (Float(code) - zeroPoints[index]) * scales[index]
      }
    }
    let bias = try constant(node, 5)?.floats
    let held = try dense(
      try self.held(node, 0), Tensor(weight, [units, inputs]), try bias?.reshaped([units]), named: node.outputs[0])
    foreign[held.name] = bits
    give(node, held)
  }
}
