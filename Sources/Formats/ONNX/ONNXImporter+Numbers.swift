import Diagnostics
import Network
import Tensors

// Integers and truth values that stand for themselves: pixels, indices, labels, masks. Here they are floats with integers
// in them, exact up to 2^24; the file's type is remembered, and decides what may be done with them.
extension ONNXImporter {
  /// What is the same for integers as for floats: what moves and chooses, and what gives one of the integers it takes.
  private static let exact: Set<String> = [
    "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Slice", "Gather", "Split", "Concat", "Tile",
    "Expand", "DepthToSpace", "SpaceToDepth", "Shape", "Size", "Pad", "Dropout", "Cast", "CastLike", "Where", "Min",
    "Max", "Clip", "Relu", "Sign", "Abs", "ReduceMax", "ReduceMin", "ArgMax", "ArgMin", "TopK", "MaxPool",
    "GlobalMaxPool", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor", "Not",
    "QuantizeLinear", "DequantizeLinear", "Floor", "Ceil", "Round",
  ]
  /// What is the same as long as no result is beyond the type's ends.
  private static let wide: Set<String> = [
    "Add", "Sub", "Mul", "Div", "Neg", "Sum", "ReduceSum", "MatMul", "Gemm", "Einsum", "ReduceSumSquare", "ReduceL1",
  ]
  /// What yields truth values.
  private static let ofTruth: Set<String> = [
    "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor", "Not",
  ]

  /// The type of a value of the file, where it is there.
  func element(_ name: String) -> ONNXElement? {
    switch values[name] {
    case .constant(let constant): constant.element
    case .held: elements[name] ?? .float32
    case nil: nil
    }
  }

  /// Whether a value varies and holds integers that stand for themselves.
  func isInteger(_ name: String) -> Bool {
    guard let element = elements[name], !element.isFloat, case .held? = values[name] else { return false }
    return coded[name] == nil && ranges[name] == nil && pending[name] == nil
  }

  /// - Throws: `CompressError` when a node does what would be another thing with the file's integers.
  func checkElements(_ node: ONNXNode) throws {
    for name in node.inputs where isInteger(name) {
      let element = elements[name]!
      if Self.exact.contains(node.kind) || (element.isWide && Self.wide.contains(node.kind)) { continue }
      // These say themselves what the integers stand for.
      if Self.ofIntegers.contains(node.kind), node.kind != "Mul" { continue }
      if ["Resize", "Upsample"].contains(node.kind), node.text("mode", "nearest") == "nearest" { continue }
      throw CompressError(
        "computes with \(element); here integers are held as floats, which is the same for "
          + (Self.wide.contains(node.kind) ? "32 and 64 bits only" : "what moves, compares, adds or multiplies them"),
        kind: .input)
    }
  }

  /// Keeps of what type a node's outputs are in the file.
  mutating func passElements(_ node: ONNXNode) throws {
    let result: ONNXElement?
    switch node.kind {
    case "ArgMax", "ArgMin": result = .int64
    case let kind where Self.ofTruth.contains(kind): result = .bool
    case "Cast", "CastLike": result = try target(node)
    case let kind where kind.hasPrefix("QLinear") || kind == "QGemm" || kind == "QuantizeLinear": return
    case "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger": result = nil
    case "Where": result = node.inputs.dropFirst().first.flatMap(element)
    case "TopK": result = element(node.inputs[0])
    default:
      // Sums of integers that are scaled are floats.
      let isScaled = node.inputs.contains { ranges[$0] != nil || pending[$0] != nil }
      let first = node.inputs.first { name in if case .held? = values[name] { true } else { false } }
      result = isScaled ? nil : first.flatMap { elements[$0] }
    }
    if let first = node.inputs.first {
      let isCast = isInteger(first) && node.kind == "Cast" && result?.isFloat ?? false
      if isCast || whole.contains(first) && Self.selecting.contains(node.kind) { whole.insert(node.outputs[0]) }
    }
    for output in node.outputs where !output.isEmpty && elements[output] == nil {
      guard case .held? = values[output], let result, result != .float32 else { continue }
      elements[output] = result
    }
  }

  // MARK: Casts

  /// The type that a cast is to.
  func target(_ node: ONNXNode) throws -> ONNXElement {
    guard node.kind == "CastLike" else { return try ONNXElement(of: node) }
    guard let name = node.input(1), let element = element(name) else {
      throw CompressError("has no input 2", kind: .input)
    }
    return element
  }

  /// Whether a cast to floats is more than another name; fewer bits are noted.
  mutating func changesElements(_ node: ONNXNode, to target: ONNXElement) throws -> Bool {
    let own = element(node.inputs[0]) ?? .float32
    if target.isFloat, target.bits < own.bits, own.isFloat { halves[target, default: 0] += 1 }
    return false
  }

  /// To integers or truth values.
  mutating func castToIntegers(_ node: ONNXNode, _ target: ONNXElement) throws {
    let held = try self.held(node, 0), name = node.outputs[0], own = element(node.inputs[0]) ?? .float32
    if target == .bool {
      guard own != .bool else { return give(node, held) }
      let sign = try apply(.sign, held, named: name + " sign")
      return give(node, try apply(.absolute, sign, named: name))
    }
    guard target.bits >= 8 else {
      throw CompressError("casts to \(target), of which too large ones wrap around", kind: .input)
    }
    if own.isFloat { return give(node, whole.contains(node.inputs[0]) ? held : try truncated(held, named: name)) }
    let isSigned = own.wrapped(-1) < 0, fits = target.bits > own.bits || (target.bits == own.bits && !isSigned)
    guard own == .bool || fits || target.isWide else {
      throw CompressError("casts \(own) to \(target), of which too large ones wrap around", kind: .input)
    }
    give(node, held)
  }

  /// Without what is behind the point.
  mutating func truncated(_ value: Held, named name: String) throws -> Held {
    let sign = try apply(.sign, value, named: name + " sign")
    let size = try apply(.absolute, value, named: name + " size")
    let whole = try apply(.floor, size, named: name + " whole")
    return try paired(Mul().asOperator, .held(sign), .held(whole), named: name)
  }

  // MARK: Comparing and choosing

  /// 1 where it holds, 0 elsewhere.
  mutating func comparison(_ node: ONNXNode) throws {
    guard node.inputs.count == 2 else { throw CompressError("takes two inputs", kind: .input) }
    let operands = try operands(node), name = node.outputs[0]
    let isTurned = node.kind.hasPrefix("Less")
    let difference = try paired(
      Binary(.sub).asOperator, operands[isTurned ? 1 : 0], operands[isTurned ? 0 : 1], named: name + " difference")
    var sign = try apply(.sign, difference, named: name + " sign")
    switch node.kind {
    case "Equal": sign = try apply(.absolute, sign, named: name + " size")
    case "Less", "Greater": return give(node, try apply(.relu, sign, named: name))
    default: sign = try apply(.relu, try apply(.negative, sign, named: name + " against"), named: name + " opposite")
    }
    give(node, try lessThanOne(sign, named: name))
  }

  private mutating func lessThanOne(_ value: Held, named name: String) throws -> Held {
    try paired(Binary(.sub).asOperator, Self.number(1), .held(value), named: name)
  }

  static func number(_ value: Float) -> Value { .constant(ONNXConstant(.float32, Tensor([value], []))) }

  mutating func truth(_ node: ONNXNode) throws {
    let name = node.outputs[0]
    if node.kind == "Not" { return give(node, try lessThanOne(try held(node, 0), named: name)) }
    guard node.inputs.count == 2 else { throw CompressError("takes two inputs", kind: .input) }
    let operands = try operands(node)
    switch node.kind {
    case "And": give(node, try paired(Mul().asOperator, operands[0], operands[1], named: name))
    case "Or": give(node, try paired(Binary(.maximum).asOperator, operands[0], operands[1], named: name))
    default:
      let difference = try paired(Binary(.sub).asOperator, operands[0], operands[1], named: name + " difference")
      give(node, try apply(.absolute, difference, named: name))
    }
  }

  /// Of two values, by a third one: `c * a + (1 - c) * b`; what is put in place of numbers and is infinite is added.
  mutating func choice(_ node: ONNXNode) throws {
    guard node.inputs.count == 3, node.inputs.allSatisfy({ !$0.isEmpty }) else {
      throw CompressError("takes three inputs", kind: .input)
    }
    let condition = values[node.inputs[0]]!, first = values[node.inputs[1]]!, second = values[node.inputs[2]]!
    let name = node.outputs[0]
    if case .constant(let known) = condition, let flags = try? known.integers() {
      for (index, chosen) in [(1, first), (2, second)] where flags.allSatisfy({ ($0 != 0) == (index == 1) }) {
        guard case .held(let held) = chosen, known.shape.count == 1, known.shape.rank <= held.rank else { continue }
        return give(node, held)
      }
      // A mask: what is hidden is added to as minus infinity.
      for (index, kept, put) in [(0, second, first), (1, first, second)] {
        guard case .constant(let number) = put, let value = number.scalar, value == -.infinity, case .held = kept else {
          continue
        }
        let mask = flags.map { ($0 != 0) == (index == 0) ? value : 0 }
        return give(
          node,
          try paired(
            Add().asOperator, kept, .constant(ONNXConstant(.float32, Tensor(mask, known.shape))), named: name))
      }
    }
    for value in [first, second] {
      guard case .constant(let known) = value else { continue }
      guard known.floats.array(Float.self).allSatisfy(\.isFinite) else {
        throw CompressError("chooses between a value and what is no finite number, as it runs", kind: .input)
      }
    }
    let chosen = try paired(Mul().asOperator, condition, first, named: name + " chosen")
    let opposite: Value
    switch condition {
    case .held(let held): opposite = .held(try lessThanOne(held, named: name + " opposite"))
    case .constant(let known):
      opposite = .constant(
        ONNXConstant(.float32, Tensor(known.floats.array(Float.self).map { $0 == 0 ? Float(1) : 0 }, known.shape)))
    }
    let other = try paired(Mul().asOperator, opposite, second, named: name + " otherwise")
    give(node, try paired(Add().asOperator, .held(chosen), .held(other), named: name))
  }
}
