import Diagnostics
import Network
import Tensors

extension ONNXExporter {
  mutating func batchNorm(_ node: Node, _ norm: BatchNorm, _ value: Written) throws -> Written {
    let source = try straight(value), last = source.shape.count - 1, owner = graph.owner(of: node.name)
    // The channels come first behind the batch, whatever else there is.
    let input = source.axes[0] == last ? source : try ordered(source, [last] + source.axes.filter { $0 != last })
    let roles: [(ParameterRole, String)] = [
      (.gamma, "gamma"), (.beta, "beta"), (.mean, "mean"), (.variance, "variance"),
    ]
    let parameters = roles.map { role, text in vector(node, role, named: "\(owner).\(text)") }
    var result = each("BatchNormalization", input, named: node.output, parameters)
    file.nodes[file.nodes.count - 1].attributes = [
      ("epsilon", .float(norm.epsilon)), ("momentum", .float(norm.momentum)),
    ]
    result.encoding = nil
    return result
  }

  /// A parameter of one number for each channel.
  private mutating func vector(_ node: Node, _ role: ParameterRole, named wanted: String, _ behind: Int = 0) -> String {
    let count = model[node.name, role]!.count, dims = [count] + [Int](repeating: 1, count: behind)
    return weight(node.name, role, key: "\(dims)", dims: dims, channelAxis: nil, named: wanted) {
      try $0.reshaped(dims)
    }
  }

  mutating func normalized(_ node: Node, _ norm: SampleNorm, _ value: Written) throws -> Written {
    let source = try straight(value), last = source.shape.count - 1
    if norm.groups != nil {
      let input = source.axes[0] == last ? source : try ordered(source, [last] + source.axes.filter { $0 != last })
      return try groupNorm(node, norm, input)
    }
    guard norm.statistic == .variance, version >= 17 else {
      let name = name(source)
      let outcome = writtenOut(norm, name, [source.place(of: last)], named: node.output)
      return scaled(node, norm, source, outcome)
    }
    let input = try ordered(source, source.axes.filter { $0 != last } + [last]), channels = input.shape[last]
    let owner = graph.owner(of: node.name)
    let scale =
      norm.hasScale
      ? vector(node, .gamma, named: owner + ".gamma")
      : form("ones \(channels) in a row") {
        $0.file.initializer("ones \(channels)", .float32, [channels]) { Tensor(repeating: 1, [channels]) }
      }
    let shift = norm.hasShift ? [vector(node, .beta, named: owner + ".beta")] : []
    let result = each("LayerNormalization", input, named: node.output, [scale] + shift)
    file.nodes[file.nodes.count - 1].attributes = [("axis", .integer(-1)), ("epsilon", .float(norm.epsilon))]
    return result
  }

  /// Of a value with its channels first.
  private mutating func groupNorm(_ node: Node, _ norm: SampleNorm, _ input: Written) throws -> Written {
    let groups = norm.groups!, channels = input.dims[0], owner = graph.owner(of: node.name)
    let epsilon = [("epsilon", ONNXGraphWriter.Attribute.float(norm.epsilon))]
    func ones(_ count: Int, _ value: Float) -> String {
      form("\(value) times \(count)") {
        $0.file.initializer("\(value) times \(count)", .float32, [count]) { Tensor(repeating: value, [count]) }
      }
    }
    if norm.statistic == .variance, groups == channels || version >= 21, input.shape.count > 1 {
      let scale = norm.hasScale ? vector(node, .gamma, named: owner + ".gamma") : ones(channels, 1)
      let shift = norm.hasShift ? vector(node, .beta, named: owner + ".beta") : ones(channels, 0)
      let isInstance = groups == channels
      let result = each(
        isInstance ? "InstanceNormalization" : "GroupNormalization", input, named: node.output, [scale, shift])
      file.nodes[file.nodes.count - 1].attributes =
        epsilon + (isInstance ? [] : [("num_groups", .integer(groups))])
      return result
    }
    // A group is a row of its own meanwhile.
    let count = input.dims.reduce(1, *)
    let rows = reshape(name(input), [groups, count / groups], named: node.output + " rows", keepsBatch: true)
    var outcome: String
    if norm.statistic == .variance {
      outcome = file.node(
        "InstanceNormalization", [rows, ones(groups, 1), ones(groups, 0)], named: node.output + " normalized", epsilon)
    } else {
      outcome = writtenOut(norm, rows, [2], named: node.output)
    }
    outcome = reshape(outcome, input.dims, named: node.output + " together", keepsBatch: true)
    return scaled(node, norm, input, outcome)
  }

  /// Less the mean where the norm is one of the variance, and divided by what it is divided by, along axes of the
  /// file's value.
  private mutating func writtenOut(
    _ norm: SampleNorm, _ name: String, _ axes: [Int], named wanted: String
  ) -> String {
    var value = name
    if norm.statistic == .variance {
      let mean = reduction("ReduceMean", name, axes, named: wanted + " mean")
      value = file.node("Sub", [name, mean], named: wanted + " distance")
    }
    let square = file.node("Mul", [value, value], named: wanted + " square")
    var divisor: String
    if norm.statistic == .length {
      let sum = reduction("ReduceSum", square, axes, named: wanted + " sum")
      let length = file.node("Sqrt", [sum], named: wanted + " length")
      divisor = file.node("Max", [length, file.number(norm.epsilon)], named: wanted + " divisor")
    } else {
      let mean = reduction("ReduceMean", square, axes, named: wanted + " mean square")
      let sum = file.node("Add", [mean, file.number(norm.epsilon)], named: wanted + " variance")
      divisor = file.node("Sqrt", [sum], named: wanted + " divisor")
    }
    divisor = file.node("Div", [value, divisor], named: wanted + " normalized")
    return divisor
  }

  /// Times the scale and plus the shift of each channel.
  private mutating func scaled(_ node: Node, _ norm: SampleNorm, _ input: Written, _ outcome: String) -> Written {
    let last = input.shape.count - 1, behind = input.axes.count - input.place(of: last)
    let owner = graph.owner(of: node.name)
    var result = Written(outcome, input.shape, axes: input.axes, varies: input.varies)
    if norm.hasScale {
      let scale = vector(node, .gamma, named: owner + ".gamma", behind)
      result.name = file.node(
        "Mul", [result.name, scale], named: norm.hasShift ? node.output + " scaled" : node.output)
    }
    if norm.hasShift {
      let shift = vector(node, .beta, named: owner + ".beta", behind)
      result.name = file.node("Add", [result.name, shift], named: node.output)
    }
    return result
  }
}
