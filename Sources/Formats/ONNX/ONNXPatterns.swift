import Diagnostics
import Network
import Tensors

// Functions that exporters write out of simpler ones. One layer takes their place; what they were written with is left
// out where nothing else reads it.
extension ONNXImporter {
  /// Adds the layer that a node completes; false where it completes none.
  mutating func pattern(_ node: ONNXNode) throws -> Bool {
    switch node.kind {
    case "Mul", "Div":
      if let (name, function) = gated(node), case .held(let held)? = values[name] {
        var held = held
        held.name = try emit(.activation(function), [held.name], named: node.outputs[0])
        give(node, held)
        return true
      }
      return node.kind == "Div" ? try normalized(node) : false
    default: return false
    }
  }

  /// The node that gives a value, of one of some kinds.
  private func maker(_ name: String, _ kinds: String...) -> ONNXNode? {
    guard let index = producers[name], nodes[index].domain.isEmpty, kinds.contains(nodes[index].kind),
      nodes[index].outputs[0] == name, nodes[index].inputs.allSatisfy({ values[$0] != nil || $0.isEmpty }),
      !nodes[index].inputs.isEmpty
    else { return nil }
    return nodes[index]
  }

  private func scalar(_ name: String) -> Float? {
    guard case .constant(let constant)? = values[name], constant.element.isFloat else { return nil }
    return constant.scalar
  }

  private func isClose(_ a: Float?, _ b: Float) -> Bool { a.map { abs($0 - b) <= 1e-4 * abs(b) } ?? false }

  /// The other input of a node of two, one of which is some number.
  private func other(_ node: ONNXNode?, _ number: Float) -> String? {
    guard let node, node.inputs.count == 2 else { return nil }
    if isClose(scalar(node.inputs[1]), number) { return node.inputs[0] }
    return node.kind != "Div" && isClose(scalar(node.inputs[0]), number) ? node.inputs[1] : nil
  }

  /// What varies and the number in a product of up to three products and quotients.
  private func factors(_ name: String, _ depth: Int) -> (names: [String], number: Float) {
    if let number = scalar(name) { return ([], number) }
    guard depth > 0, let node = maker(name, "Mul", "Div"), node.inputs.count == 2 else { return ([name], 1) }
    return factors(node, depth)
  }

  private func factors(_ node: ONNXNode, _ depth: Int) -> (names: [String], number: Float) {
    let first = factors(node.inputs[0], depth - 1)
    if node.kind == "Div" {
      guard let number = scalar(node.inputs[1]) else { return (node.outputs, 1) }
      return (first.names, first.number / number)
    }
    let second = factors(node.inputs[1], depth - 1)
    return (first.names + second.names, first.number * second.number)
  }

  /// The bounds of a Clip, or of the like.
  private func isClip(_ name: String, of low: Float, _ high: Float) -> String? {
    guard let node = maker(name, "Clip") else { return nil }
    func bound(_ attribute: String, _ index: Int) -> Float? {
      node.version < 11 ? node.attributes[attribute]?.float : node.input(index).flatMap(scalar)
    }
    guard bound("min", 1) == low, bound("max", 2) == high else { return nil }
    return node.inputs[0]
  }

  /// `x * gate(x)`, with a number perhaps: which function that is, and of what.
  private func gated(_ node: ONNXNode) -> (of: String, Activation)? {
    guard node.inputs.count == 2 else { return nil }
    let (names, number) = factors(node, 3)
    guard names.count == 2 else { return nil }
    for (x, gate) in [(names[0], names[1]), (names[1], names[0])] {
      if isClose(number, 1) {
        if maker(gate, "Sigmoid")?.inputs[0] == x { return (x, .silu) }
        if let hard = maker(gate, "HardSigmoid"), hard.inputs[0] == x, isClose(hard.float("alpha", 0.2), 1 / 6),
          isClose(hard.float("beta", 0.5), 0.5)
        {
          return (x, .hardSwish)
        }
        if let tanh = maker(gate, "Tanh"), maker(tanh.inputs[0], "Softplus")?.inputs[0] == x { return (x, .mish) }
      }
      // x * clip(x + 3, 0, 6) / 6
      if isClose(number, 1 / 6), let sum = isClip(gate, of: 0, 6), other(maker(sum, "Add"), 3) == x {
        return (x, .hardSwish)
      }
      // 0.5 * x * (1 + erf(x / sqrt(2)))
      if isClose(number, 0.5), let inner = other(maker(gate, "Add"), 1), let erf = maker(inner, "Erf") {
        let root = Float(0.5).squareRoot(), argument = maker(erf.inputs[0], "Mul", "Div")
        let isRoot = argument?.kind == "Div" ? other(argument, 1 / root) == x : other(argument, root) == x
        if isRoot { return (x, .gelu) }
      }
      // 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
      if isClose(number, 0.5), let inner = other(maker(gate, "Add"), 1), let tanh = maker(inner, "Tanh"),
        let sum = other(maker(tanh.inputs[0], "Mul"), (2 / Float.pi).squareRoot()), isCubic(sum, of: x)
      {
        return (x, .geluTanh)
      }
    }
    return nil
  }

  /// Whether a value is `x + 0.044715 * x^3`.
  private func isCubic(_ name: String, of x: String) -> Bool {
    guard let sum = maker(name, "Add"), sum.inputs.count == 2, sum.inputs.contains(x),
      let rest = sum.inputs.first(where: { $0 != x })
    else { return false }
    let (names, number) = factors(rest, 4)
    guard isClose(number, 0.044715) else { return false }
    if names == [x, x, x] { return true }
    guard names.count == 1, let cube = maker(names[0], "Pow"), cube.inputs.count == 2 else { return false }
    return cube.inputs[0] == x && scalar(cube.inputs[1]) == 3
  }

  /// `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)` over the last axis.
  private mutating func normalized(_ node: ONNXNode) throws -> Bool {
    guard node.inputs.count == 2, let difference = maker(node.inputs[0], "Sub"), difference.inputs.count == 2,
      let mean = maker(difference.inputs[1], "ReduceMean"), mean.inputs[0] == difference.inputs[0],
      let root = maker(node.inputs[1], "Sqrt"), let sum = maker(root.inputs[0], "Add"), sum.inputs.count == 2,
      let epsilon = scalar(sum.inputs[1]) ?? scalar(sum.inputs[0]), epsilon >= 0, epsilon.isFinite,
      let variance = maker(scalar(sum.inputs[1]) != nil ? sum.inputs[0] : sum.inputs[1], "ReduceMean"),
      isSquare(variance.inputs[0], of: difference.outputs[0]), case .held(let value)? = values[difference.inputs[0]],
      value.unflattened == nil, !value.dims.isEmpty
    else { return false }
    for reduction in [mean, variance] {
      var axes = reduction.integers("axes")
      if axes == nil, let name = reduction.input(1), case .constant(let constant)? = values[name] {
        axes = try constant.integers()
      }
      guard let axes, axes.count == 1, axes[0] == -1 || axes[0] == Int64(value.rank) - 1,
        reduction.integer("keepdims", 1) != 0
      else { return false }
    }
    let last = value.dims.count - 1
    var held = try ordered(value, value.order.filter { $0 != last } + [last])
    let op = SampleNorm(epsilon: epsilon, hasScale: false, hasShift: false)
    held.name = try emit(.normalization(op), [held.name], named: node.outputs[0])
    give(node, held)
    return true
  }

  /// Whether a value is another one times itself.
  private func isSquare(_ name: String, of value: String) -> Bool {
    if let power = maker(name, "Pow"), power.inputs.count == 2 {
      return power.inputs[0] == value && scalar(power.inputs[1]) == 2
    }
    return maker(name, "Mul")?.inputs == [value, value]
  }
}
