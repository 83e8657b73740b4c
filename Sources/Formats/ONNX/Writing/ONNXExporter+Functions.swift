import Diagnostics
import Network
import Tensors

// Functions of an element, of a row, and of two elements at the same place.
extension ONNXExporter {
  mutating func activation(_ node: Node, _ function: Activation, _ value: Written) throws -> Written {
    let output = node.output
    func attributes(_ pairs: (String, Float)...) -> [(String, ONNXGraphWriter.Attribute)] {
      pairs.map { ($0.0, .float($0.1)) }
    }
    switch function {
    case .relu: return each("Relu", value, named: output)
    case .relu6: return clipped(value, 0...6, named: output)
    case .clip(let low, let high): return clipped(value, low...high, named: output)
    case .sigmoid: return each("Sigmoid", value, named: output)
    case .tanh: return each("Tanh", value, named: output)
    case .erf: return each("Erf", value, named: output)
    case .exp: return each("Exp", value, named: output)
    case .log: return each("Log", value, named: output)
    case .sqrt: return each("Sqrt", value, named: output)
    case .reciprocal: return each("Reciprocal", value, named: output)
    case .negative: return each("Neg", value, named: output)
    case .absolute: return each("Abs", value, named: output)
    case .sin: return each("Sin", value, named: output)
    case .cos: return each("Cos", value, named: output)
    case .floor: return each("Floor", value, named: output)
    case .ceil: return each("Ceil", value, named: output)
    case .round: return each("Round", value, named: output)
    case .sign: return each("Sign", value, named: output)
    case .softplus: return each("Softplus", value, named: output)
    case .leakyReLU(let slope): return each("LeakyRelu", value, named: output, attributes(("alpha", slope)))
    case .elu(let alpha): return each("Elu", value, named: output, attributes(("alpha", alpha)))
    case .hardSigmoid(let slope, let offset):
      return each("HardSigmoid", value, named: output, attributes(("alpha", slope), ("beta", offset)))
    case .softmax, .logSoftmax:
      let rows = try straight(value)
      let kind = function == .softmax ? "Softmax" : "LogSoftmax"
      return each(kind, rows, named: output, [("axis", .integer(rows.place(of: rows.shape.count - 1)))])
    case .hardSwish:
      if version >= 14 { return each("HardSwish", value, named: output) }
      let gate = each("HardSigmoid", value, named: output + " gate", attributes(("alpha", 1 / 6), ("beta", 0.5)))
      return times(value, gate.name, named: output)
    case .silu: return times(value, each("Sigmoid", value, named: output + " gate").name, named: output)
    case .mish:
      if version >= 18 { return each("Mish", value, named: output) }
      let softplus = each("Softplus", value, named: output + " softplus")
      return times(value, each("Tanh", softplus, named: output + " gate").name, named: output)
    case .gelu:
      if version >= 20 { return each("Gelu", value, named: output) }
      let argument = times(value, file.number(Float(0.5).squareRoot()), named: output + " argument")
      return gelu(value, each("Erf", argument, named: output + " erf"), named: output)
    case .geluTanh:
      if version >= 20 { return each("Gelu", value, named: output, [("approximate", .text("tanh"))]) }
      let square = times(value, name(value), named: output + " square")
      let cube = times(
        times(square, name(value), named: output + " cube"), file.number(0.044715), named: output + " part")
      let sum = each("Add", value, named: output + " sum", [cube.name])
      let argument = times(sum, file.number((2 / Float.pi).squareRoot()), named: output + " argument")
      return gelu(value, each("Tanh", argument, named: output + " tanh"), named: output)
    }
  }

  /// `0.5 * x * (1 + inner)`.
  private mutating func gelu(_ value: Written, _ inner: Written, named wanted: String) -> Written {
    let gate = each("Add", inner, named: wanted + " gate", [file.number(1)])
    return times(times(value, gate.name, named: wanted + " double"), file.number(0.5), named: wanted)
  }

  private mutating func times(_ value: Written, _ other: String, named wanted: String) -> Written {
    each("Mul", value, named: wanted, [other])
  }

  private mutating func each(
    _ kind: String, _ value: Written, named wanted: String, _ attributes: [(String, ONNXGraphWriter.Attribute)]
  ) -> Written {
    var result = each(kind, value, named: wanted)
    file.nodes[file.nodes.count - 1].attributes = attributes.map { ($0, $1) }
    result.isConstant = false
    return result
  }

  /// A bound that is infinite is left out.
  mutating func clipped(_ value: Written, _ range: ClosedRange<Float>, named wanted: String) -> Written {
    let low = range.lowerBound.isInfinite ? "" : file.number(range.lowerBound)
    if range.upperBound.isInfinite { return each("Clip", value, named: wanted, low.isEmpty ? [] : [low]) }
    return each("Clip", value, named: wanted, [low, file.number(range.upperBound)])
  }

  mutating func parametricReLU(_ node: Node, _ value: Written) throws -> Written {
    let input = try straight(value), last = input.shape.count - 1, owner = graph.owner(of: node.name)
    // One number for each channel, whatever comes behind.
    let behind = input.axes.count - 1 - input.axes.firstIndex(of: last)!
    let dims = [input.shape[last]] + [Int](repeating: 1, count: behind)
    let slope = weight(
      node.name, .slope, key: "\(dims)", dims: dims, channelAxis: nil, named: owner + ".slope"
    ) { try $0.reshaped(dims) }
    return each("PRelu", input, named: node.output, [slope])
  }

  // MARK: Pairs

  static func kind(of function: Binary.Function) -> String {
    switch function {
    case .sub: "Sub"
    case .div: "Div"
    case .minimum: "Min"
    case .maximum: "Max"
    case .pow: "Pow"
    }
  }

  mutating func pair(_ node: Node, _ kind: String, _ inputs: [Written]) throws -> Written {
    let shape = graph.shape(of: node.output).dims
    if let a = inputs[0].image, let b = inputs[1].image, a.shape == b.shape, a.axes == b.axes {
      return each(kind, inputs[0], named: node.output, [name(inputs[1])])
    }
    let rank = shape.count
    func padded(_ shape: [Int]) -> [Int] { [Int](repeating: 1, count: rank - shape.count) + shape }
    func weight(_ value: Written) -> (Int, Int) { (value.isConstant ? 0 : 1, value.shape.reduce(1, *)) }
    // In the order of the larger one, so that what is moved is small.
    let larger = try straight(weight(inputs[1]) > weight(inputs[0]) ? inputs[1] : inputs[0])
    let missing = rank - larger.shape.count
    let axes = Array(0..<missing) + larger.axes.map { $0 + missing }
    let a = try arranged(inputs[0], shape: padded(inputs[0].shape), axes)
    let b = try arranged(inputs[1], shape: padded(inputs[1].shape), axes)
    let result = file.node(kind, [name(a), name(b)], named: node.output)
    return Written(result, shape, axes: axes, varies: a.varies || b.varies)
  }
}
