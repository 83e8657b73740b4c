import Diagnostics
import Network
import Tensors

/// Integers that a constant was made of: `(values - zeros) * scales`.
struct ONNXIntegers {
  let element: ONNXElement
  let values: [Int64]
  /// One, or as many as the axis has elements; so are the zero points, where there are any.
  let scales: [Float]
  let zeros: [Int64]?
  let axis: Int

  /// What they say of a value that is rounded to them.
  var asValue: ActivationQuantization? {
    get throws {
      let offsets: [ONNXElement: (Int, Int)] = [
        .uint8: (0, 8), .int8: (128, 8), .uint16: (0, 16), .int16: (1 << 15, 16),
      ]
      guard scales.count == 1, let (offset, bits) = offsets[element] else { return nil }
      return try ActivationQuantization(scale: scales[0], zeroPoint: Int(zeros?.first ?? 0) + offset, bits: bits)
    }
  }
}

// Values and weights that are held as integers: QuantizeLinear, DequantizeLinear, and operators that compute with
// integers.
//
// A value of integers stands for the value of the network that is rounded to them. What reads it has to be one that
// only selects among its elements, until it is made floats again or goes into an operator of integers.
extension ONNXImporter {
  /// Sums of integers, before they are multiplied with the scale that is found while running.
  struct PendingSums {
    let layer: String
    /// The file's value whose range decides.
    let source: String
  }

  /// The scale of a range that is found while running, times numbers.
  struct RangeScale {
    let source: String
    let factor: Tensor?
  }

  /// Operators that only select among the integers of a value.
  static let selecting: Set<String> = [
    "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "MaxPool", "GlobalMaxPool", "Slice",
    "Gather",
    "Split", "Concat", "Tile", "Expand", "DepthToSpace", "SpaceToDepth", "Shape", "Size",
  ]
  /// Those that say of what scale the integers are that they take.
  private static let byScale: Set<String> = [
    "DequantizeLinear", "QLinearConv", "QLinearMatMul", "QLinearAdd", "QLinearMul", "QLinearConcat", "QLinearSigmoid",
    "QLinearLeakyRelu", "QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearSoftmax", "QLinearReduceMean",
    "QGemm",
  ]
  static let ofIntegers: Set<String> = byScale.union([
    "QuantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger", "Cast", "Mul",
  ])

  /// - Throws: `CompressError` when a node computes with integers as if they were numbers.
  func checkIntegers(_ node: ONNXNode) throws {
    guard node.inputs.contains(where: { coded[$0] != nil || ranges[$0] != nil || pending[$0] != nil }) else { return }
    let isSelecting =
      Self.selecting.contains(node.kind) && !node.inputs.contains { ranges[$0] != nil || pending[$0] != nil }
    guard isSelecting || Self.ofIntegers.contains(node.kind) else {
      throw CompressError("computes with integers, which stand for numbers of a scale", kind: .input)
    }
  }

  /// What selects among integers gives integers.
  mutating func passIntegers(_ node: ONNXNode) throws {
    guard Self.selecting.contains(node.kind), let first = node.inputs.first, let encoding = coded[first],
      node.kind != "Shape", node.kind != "Size"
    else { return }
    let others = node.kind == "Concat" ? node.inputs : [first]
    guard others.allSatisfy({ coded[$0] == encoding }) else {
      throw CompressError("joins integers of several scales", kind: .input)
    }
    for output in node.outputs where !output.isEmpty { coded[output] = encoding }
  }

  // MARK: Between floats and integers

  mutating func quantize(_ node: ONNXNode) throws {
    guard var name = node.input(0) else { throw CompressError("has no input", kind: .input) }
    var encoding = try self.encoding(node, scale: 1, zeroPoint: 2)
    // What is clamped to fewer integers than the type has is of fewer bits.
    if uses[name] == 1, let clip = producers[name].map({ nodes[$0] }), clip.kind == "Clip", clip.version >= 11,
      case .held? = values[clip.inputs[0]], let low = number(clip, 1), let high = number(clip, 2), let bits = Self.bits(low, high, of: encoding)
    {
      encoding = try ActivationQuantization(scale: encoding.scale, zeroPoint: encoding.zeroPoint, bits: bits)
      name = clip.inputs[0]
    }
    guard case .held(let held)? = values[name] else {
      throw CompressError("its input is a constant, of a kind that is not read here", kind: .input)
    }
    let result = try rounded(held, of: name, to: encoding, named: node.outputs[0])
    give(node, result)
    coded[node.outputs[0]] = encoding
    elements[node.outputs[0]] = try codeElement(node, zeroPoint: 2)
  }

  private func number(_ node: ONNXNode, _ index: Int) -> Float? {
    guard let name = node.input(index), case .constant(let constant)? = values[name] else { return nil }
    return constant.scalar
  }

  private static func bits(_ low: Float, _ high: Float, of encoding: ActivationQuantization) -> Int? {
    guard low == Float(-encoding.zeroPoint) * encoding.scale else { return nil }
    return (2..<encoding.bits).first { bits in
      high == Float((1 << bits - 1) - encoding.zeroPoint) * encoding.scale && encoding.zeroPoint < 1 << bits
    }
  }

  /// The value when it is rounded: the layer that gives it says so, where nobody reads it otherwise.
  mutating func rounded(
    _ value: Held, of name: String, to encoding: ActivationQuantization, named wanted: String
  ) throws -> Held {
    if activations[value.name] == encoding { return value }
    if let layers = ownLayers(value.name, of: name) {
      for layer in layers { activations[layer] = encoding }
      return value
    }
    var held = value
    held.name = try emit(.reshape(Reshape(layers.shapes[value.name]!)), [value.name], named: wanted)
    activations[held.name] = encoding
    return held
  }

  /// The layer that gives a value of the file, and those before it that it only calls otherwise; nil where some of it
  /// is read elsewhere or rounded already.
  private func ownLayers(_ layer: String, of value: String) -> [String]? {
    var names = [layer], value = value
    while true {
      guard uses[value] == 1, activations[names[names.count - 1]] == nil else { return nil }
      let last = names[names.count - 1]
      var source = last
      if case .reshape = layers[last].op { source = layers[last].inputs[0] }
      guard let index = producers[value], let input = nodes[index].inputs.first, case .held(let held)? = values[input]
      else { break }
      if held.name == last {
        value = input
      } else if source != last, held.name == source {
        names.append(source)
        value = input
      } else {
        // A reshape of what this very node gave is read by nothing else.
        if source != last, layers[source].inputs.contains(held.name), activations[source] == nil {
          names.append(source)
        }
        break
      }
    }
    return names
  }

  mutating func dequantize(_ node: ONNXNode) throws {
    guard let name = node.input(0), case .held(let held)? = values[name] else {
      throw CompressError("has no input", kind: .input)
    }
    if let scale = node.input(1), let range = ranges[scale] {
      guard range.factor == nil, ranges[name]?.source == range.source else {
        throw CompressError("reads integers by another range than their own", kind: .input)
      }
      return give(node, held)
    }
    if try isCodedInput(node, 0) == false, isInteger(name) {
      // Integers that something else reads as such.
      var result = held
      if let zero = try constant(node, 2) {
        result = try paired(
          Binary(.sub).asOperator, .held(result), .constant(zero), named: node.outputs[0] + " difference")
      }
      let scale = Value.constant(try required(node, 1))
      return give(node, try paired(Mul().asOperator, .held(result), scale, named: node.outputs[0]))
    }
    guard let own = coded[name] else { throw CompressError("reads integers of no scale", kind: .input) }
    try check(node, own, scale: 1, zeroPoint: 2)
    give(node, held)
  }

  /// Whether a node's input holds integers of a scale. So does an input of the network that is read by nothing but by
  /// its scale: from then on it is known for one.
  private mutating func isCodedInput(_ node: ONNXNode, _ index: Int) throws -> Bool {
    guard let name = node.input(index) else { return false }
    if coded[name] != nil { return true }
    guard isInteger(name), producers[name] == nil, let readers = readers[name], uses[name] == readers.count,
      case .held(let held)? = values[name], layers[held.name].op.isInput,
      readers.allSatisfy({ Self.byScale.contains(nodes[$0].kind) })
    else { return false }
    let encoding = try encoding(node, scale: index + 1, zeroPoint: index + 2)
    guard try codeElement(node, zeroPoint: index + 2) == elements[name] else {
      throw CompressError("reads \(elements[name] ?? .uint8) by a zero point of another type", kind: .input)
    }
    activations[held.name] = encoding
    coded[name] = encoding
    return true
  }

  mutating func quantizeByRange(_ node: ONNXNode) throws {
    let held = try self.held(node, 0)
    for output in node.outputs where !output.isEmpty {
      values[output] = .held(held)
      ranges[output] = RangeScale(source: node.inputs[0], factor: nil)
    }
  }

  /// The type of integers that a zero point or an attribute says.
  private func codeElement(_ node: ONNXNode, zeroPoint: Int) throws -> ONNXElement {
    let type = Int(clamping: node.integer("output_dtype", 0))
    return try constant(node, zeroPoint)?.element ?? (type == 0 ? .uint8 : ONNXElement(checking: type))
  }

  /// What a scale and a zero point say of integers.
  func encoding(_ node: ONNXNode, scale: Int, zeroPoint: Int) throws -> ActivationQuantization {
    let scales = try required(node, scale)
    guard let number = scales.scalar else {
      throw CompressError("\(scales.shape.count) scales of a value; supported is one", kind: .input)
    }
    let zero = try constant(node, zeroPoint)
    guard zero?.shape.count ?? 1 == 1 else { throw CompressError("several zero points of a value", kind: .input) }
    let element = try codeElement(node, zeroPoint: zeroPoint)
    let offsets: [ONNXElement: (Int, Int)] = [.uint8: (0, 8), .int8: (128, 8), .uint16: (0, 16), .int16: (1 << 15, 16)]
    guard let (offset, bits) = offsets[element] else {
      throw CompressError("values of type \(element); supported are integers of 8 and 16 bits", kind: .input)
    }
    return try ActivationQuantization(
      scale: number, zeroPoint: Int(try zero?.integers().first ?? 0) + offset, bits: bits)
  }

  /// - Throws: `CompressError` when integers are read by another scale than that they were made with.
  func check(_ node: ONNXNode, _ own: ActivationQuantization, scale: Int, zeroPoint: Int) throws {
    let said = try encoding(node, scale: scale, zeroPoint: zeroPoint)
    guard said.scale == own.scale, said.zeroPoint == own.zeroPoint else {
      throw CompressError(
        "reads integers of scale \(own.scale) and zero point \(own.zeroPoint) as of \(said.scale) and "
          + "\(said.zeroPoint)", kind: .input)
    }
  }

  /// What a value of the network is rounded to, or what it selects from.
  func roundedTo(_ name: String) -> ActivationEncoding? {
    var name = name
    while true {
      if let encoding = activations[name] { return .affine(encoding) }
      let node = layers[name]
      guard node.op.spec.preserves.contains(.selection), let input = node.inputs.first else { return nil }
      name = input
    }
  }

  // MARK: Weights

  /// A weight as integers with scales for its output channels, arranged as the layer has it; nil where it was made of
  /// none, or of such that have more than 8 bits.
  func integers(
    _ constant: ONNXConstant?, channelAxis: Int, _ arrange: (Tensor) throws -> Tensor
  ) throws -> IntegerValues? {
    guard let constant, let integers = constant.source else { return nil }
    guard integers.scales.count == 1 || integers.axis == channelAxis,
      integers.scales.allSatisfy({ $0.isFinite && $0 > 0 })
    else { return nil }
    let zeros = integers.zeros ?? [0]
    if integers.element == .int32 {
      let values = (0..<integers.values.count).map { Int32(truncatingIfNeeded: integers.values[$0]) }
      guard zeros.allSatisfy({ $0 == 0 }) else { return nil }
      return try IntegerValues(values: try arrange(Tensor(values, constant.shape)), scales: integers.scales, bits: 32)
    }
    // Ours have a sign: those that have none, and their zero points, lie lower by half of what there is.
    let element = integers.element, bits = element.bits, isSigned = element.wrapped(-1) < 0
    guard (2...8).contains(bits) else { return nil }
    let shift = isSigned ? 0 : Int64(1) << (bits - 1), limit = Int64(IntegerValues.limit(bits: bits))
    let range = -limit - 1...limit
    let zeroPoints = integers.scales.indices.map { zeros[zeros.count == 1 ? 0 : $0] - shift }
    guard zeroPoints.allSatisfy(range.contains), integers.values.allSatisfy({ range.contains($0 - shift) }) else {
      return nil
    }
    let values = try arrange(Tensor(integers.values.map { Int8($0 - shift) }, constant.shape)).contiguous()
    let isSymmetric = zeroPoints.allSatisfy { $0 == 0 } && integers.values.allSatisfy { $0 - shift >= -limit }
    return try IntegerValues(
      values: values, scales: integers.scales, zeroPoints: isSymmetric ? nil : zeroPoints.map { Int8($0) }, bits: bits)
  }

  /// Has a layer compute with integers, if its input is rounded: with others they would mean that its input is
  /// quantized by its own range.
  mutating func setIntegers(_ layer: String, _ weight: IntegerValues?, bias: IntegerValues? = nil) throws {
    guard let input = layers[layer].inputs.first, roundedTo(input) != nil else { return }
    if let weight { layers.parameters[layer]?[.weight] = try Parameter(.integer(weight)) }
    if let weight, let bias, bias.scales.count == 1 || weight.values.shape[0] == bias.scales.count {
      layers.parameters[layer]?[.bias] = try Parameter(.integer(bias))
    }
  }

  // MARK: Operators of integers

  /// An input of integers, by the scale that the node says they have.
  mutating func integerInput(_ node: ONNXNode, _ index: Int) throws -> Held {
    guard try isCodedInput(node, index), let name = node.input(index), case .held(let held)? = values[name],
      let own = coded[name]
    else { throw CompressError("its input \(index + 1) is no value of integers of a scale", kind: .input) }
    try check(node, own, scale: index + 1, zeroPoint: index + 2)
    return held
  }

  /// A weight of integers, with its scale and zero point behind it, as the floats that it stands for.
  mutating func integerWeight(
    _ node: ONNXNode, _ index: Int, axis: Int, scale: ONNXConstant?, zeroPoint: ONNXConstant?
  ) throws -> ONNXConstant {
    let weight = try required(node, index)
    guard case .integers = weight.values else { throw CompressError("a weight that is no integers", kind: .input) }
    // Where the scales come later there are as many as zero points.
    let ones = Tensor(repeating: 1, [max(1, zeroPoint?.shape.count ?? 1)])
    return try dequantized(weight, scale ?? ONNXConstant(.float32, ones), zeroPoint, axis: axis)
  }

  /// The result of an operator of integers, in its own scale.
  mutating func giveRounded(_ node: ONNXNode, _ result: Held, scale: Int) throws {
    let encoding = try encoding(node, scale: scale, zeroPoint: scale + 1)
    activations[result.name] = encoding
    give(node, result)
    coded[node.outputs[0]] = encoding
    elements[node.outputs[0]] = try codeElement(node, zeroPoint: scale + 1)
  }

  mutating func integerConvolution(_ node: ONNXNode) throws {
    let held = try integerInput(node, 0)
    let weight = try integerWeight(
      node, 3, axis: 0, scale: try required(node, 4), zeroPoint: try constant(node, 5))
    var bias: ONNXConstant?
    if let given = try constant(node, 8) {
      let input = try required(node, 1).floats, own = try required(node, 4).floats
      let scale = try own.applying(.mul, input.array(Float.self)[0])
      bias = try dequantized(given, ONNXConstant(.float32, scale), nil, axis: 0)
    }
    let result = try convolved(node, held, weight, bias)
    try giveRounded(node, result, scale: 6)
  }

  mutating func integerProduct(_ node: ONNXNode) throws {
    let held = try integerInput(node, 0)
    let result: Held
    if isConstant(node, 3) {
      let weight = try integerWeight(node, 3, axis: 1, scale: try required(node, 4), zeroPoint: try constant(node, 5))
      guard weight.shape.rank == 2 else { throw CompressError("a weight of shape \(weight.shape)", kind: .input) }
      result = try dense(
        held, try weight.floats.transposed(), nil, named: node.outputs[0],
        integers: try integers(weight, channelAxis: 1) { try $0.transposed() })
    } else {
      result = try product(held, try integerInput(node, 3), named: node.outputs[0])
    }
    try giveRounded(node, result, scale: 6)
  }

  mutating func integerPair(_ node: ONNXNode, _ op: Operator) throws {
    let a = try integerOperand(node, 0), b = try integerOperand(node, 3)
    try giveRounded(node, try paired(op, a, b, named: node.outputs[0]), scale: 6)
  }

  /// Sums of a value that is quantized by its own range: the layer is there, its scales come later.
  mutating func sums(_ node: ONNXNode) throws {
    guard let name = node.input(0), let range = ranges[name], case .held(let held)? = values[name] else {
      throw CompressError("supported is a value that DynamicQuantizeLinear gave", kind: .input)
    }
    guard let zero = node.input(2), ranges[zero]?.source == range.source else {
      throw CompressError("reads integers by another zero point than their own", kind: .input)
    }
    let isConvolution = node.kind == "ConvInteger"
    let weight = try integerWeight(
      node, 1, axis: isConvolution ? 0 : 1, scale: nil, zeroPoint: try constant(node, 3))
    let result: Held, integers: IntegerValues?
    if isConvolution {
      result = try convolved(node, held, weight, nil)
      integers = try self.integers(weight, channelAxis: 0) { try $0.transposed([0, 2, 3, 1]) }
    } else {
      guard weight.shape.rank == 2 else { throw CompressError("a weight of shape \(weight.shape)", kind: .input) }
      let own = try self.integers(weight, channelAxis: 1) { try $0.transposed() }
      result = try dense(held, try weight.floats.transposed(), nil, named: node.outputs[0], integers: own)
      integers = try own.map { try denseIntegers(held, $0) }
    }
    guard let integers else {
      throw CompressError("weights that are no integers of 8 bits or fewer are not supported", kind: .input)
    }
    layers.parameters[result.name]?[.weight] = try Parameter(.integer(integers))
    give(node, result)
    pending[node.outputs[0]] = PendingSums(layer: result.name, source: range.source)
  }

  /// A product with the scale of a range: of numbers, or of the sums that it is for. False where it is another one.
  mutating func scaledSums(_ node: ONNXNode) throws -> Bool {
    guard node.kind == "Mul", node.inputs.count == 2 else { return false }
    for (a, b) in [(0, 1), (1, 0)] {
      let first = node.inputs[a], second = node.inputs[b]
      guard let range = ranges[second] else { continue }
      if case .constant(let constant)? = values[first], constant.element.isFloat {
        guard range.factor == nil else { throw CompressError("multiplies a scale twice", kind: .input) }
        ranges[node.outputs[0]] = RangeScale(source: range.source, factor: constant.floats)
        values[node.outputs[0]] = values[second]
        return true
      }
      guard let sums = pending[first], sums.source == range.source, case .held(let held)? = values[first],
        case .integer(let integers)? = layers.parameters[sums.layer]?[.weight]?.encoding
      else { throw CompressError("multiplies sums of integers with another scale than theirs", kind: .input) }
      var scales = range.factor?.array(Float.self) ?? [1]
      // One for all, where each output channel has a zero point of its own.
      if scales.count == 1, let zeros = integers.zeroPoints { scales = zeros.map { _ in scales[0] } }
      layers.parameters[sums.layer]?[.weight] = try Parameter(
        .integer(
          IntegerValues(
            values: integers.values, scales: scales,
            zeroPoints: integers.zeroPoints.map { zeros in
              zeros.count == scales.count ? zeros : scales.map { _ in zeros[0] }
            }, bits: integers.bits)))
      standsFor[sums.layer] = node.outputs[0]
      give(node, held)
      return true
    }
    return false
  }
}
