import Diagnostics
import Network
import Tensors

// Products of matrices.
extension ONNXImporter {
  mutating func gemm(_ node: ONNXNode) throws {
    var a = try held(node, 0)
    let alpha = node.float("alpha", 1), beta = node.float("beta", 1)
    if node.flag("transA") {
      a = try unbatchedMatrix(a)
      a = Held(a.name, a.dims.reversed(), order: a.order.map { 1 - $0 }, hasBatch: false)
    }
    guard a.rank == 2 else { throw CompressError("of a value with \(a.rank) axes", kind: .input) }
    guard isConstant(node, 1) else {
      guard alpha == 1 else { throw CompressError("alpha \(alpha) of two values that vary", kind: .input) }
      var b = try unbatchedMatrix(try held(node, 1))
      if node.flag("transB") { b = Held(b.name, b.dims.reversed(), order: b.order.map { 1 - $0 }, hasBatch: false) }
      let product = try self.product(a, b, named: node.outputs[0])
      guard node.input(2) != nil, let c = values[node.inputs[2]] else { return give(node, product) }
      guard beta == 1 else { throw CompressError("beta \(beta) of two values that vary", kind: .input) }
      return give(node, try paired(Add().asOperator, .held(product), c, named: node.outputs[0] + " sum"))
    }
    let known = try required(node, 1), isTurned = node.flag("transB")
    var weight = known.floats
    guard weight.rank == 2 else { throw CompressError("a weight of shape \(weight.shape)", kind: .input) }
    if !isTurned { weight = try weight.transposed() }
    let integers =
      alpha != 1 ? nil : try self.integers(known, channelAxis: isTurned ? 0 : 1) { isTurned ? $0 : try $0.transposed() }
    var integerBias: IntegerValues?
    if alpha != 1 { weight = try weight.applying(.mul, alpha) }
    var bias: Tensor?, rest: ONNXConstant?
    if let c = try constant(node, 2) {
      let scaled = beta == 1 ? c.floats : try c.floats.applying(.mul, beta)
      if scaled.count == 1 {
        bias = Tensor(repeating: scaled.array(Float.self)[0], [weight.shape[0]])
      } else if scaled.count == weight.shape[0], scaled.shape.dims.last == scaled.count {
        bias = try scaled.reshaped([scaled.count])
        if beta == 1, c.shape.rank == 1 { integerBias = try self.integers(c, channelAxis: 0) { $0 } }
      } else {
        rest = ONNXConstant(.float32, scaled)
      }
    }
    var held = try dense(a, weight, bias, named: node.outputs[0], integers: integers, integerBias: integerBias)
    foreign[held.name] = known.integerBits
    if let rest {
      held = try paired(Add().asOperator, .held(held), .constant(rest), named: node.outputs[0] + " sum")
    }
    give(node, held)
  }

  private mutating func unbatchedMatrix(_ value: Held) throws -> Held {
    let held = try unbatched(try flattened(value))
    guard held.dims.count == 2 else { throw CompressError("of a value with \(held.dims.count) axes", kind: .input) }
    return held
  }

  /// A layer over the last axis, with a weight `[units, in]`.
  ///
  /// - Parameters:
  ///   - integers: what the weight was made of.
  ///   - integerBias: what the bias was made of.
  mutating func dense(
    _ value: Held, _ weight: Tensor, _ bias: Tensor?, named name: String, integers: IntegerValues? = nil,
    integerBias: IntegerValues? = nil
  ) throws -> Held {
    let op = Operator.dense(Dense(units: weight.shape[0], hasBias: bias != nil))
    var tensors: [ParameterRole: Tensor] = [:]
    tensors[.bias] = bias
    let value = value.dims.isEmpty ? try unbatched(value) : value
    guard let last = value.dims.indices.last else { throw CompressError("of a value without axes", kind: .input) }
    guard weight.shape[1] == value.dims[last] else {
      throw CompressError("a weight for \(weight.shape[1]) inputs of \(value.dims[last])", kind: .input)
    }
    if let (dims, order) = value.unflattened {
      // The elements lie in the order of the image: so do the weight's columns.
      let image = try weight.reshaped([weight.shape[0]] + dims).transposed([0] + order.map { $0 + 1 }).contiguous()
      tensors[.weight] = try image.reshaped(weight.shape.dims)
      let layer = try emit(op, [value.name], named: name, tensors)
      try setIntegers(layer, try integers.map { try denseIntegers(value, $0) }, bias: integerBias)
      return Held(layer, [weight.shape[0]], hasBatch: value.hasBatch)
    }
    var held = try ordered(value, value.order.filter { $0 != last } + [last])
    tensors[.weight] = weight
    held.name = try emit(op, [held.name], named: name, tensors)
    try setIntegers(held.name, integers, bias: integerBias)
    held.dims[last] = weight.shape[0]
    return held
  }

  /// The integers of such a layer's weight, its columns in the order in which its input is held.
  func denseIntegers(_ value: Held, _ integers: IntegerValues) throws -> IntegerValues {
    guard let (dims, order) = value.unflattened else { return integers }
    let shape = integers.values.shape
    let image = try integers.values.reshaped([shape[0]] + dims).transposed([0] + order.map { $0 + 1 }).contiguous()
    return try IntegerValues(
      values: try image.reshaped(shape.dims), scales: integers.scales, zeroPoints: integers.zeroPoints,
      bits: integers.bits)
  }

  mutating func matrixProduct(_ node: ONNXNode) throws {
    if isConstant(node, 1), !isConstant(node, 0) {
      let known = try required(node, 1), weight = known.floats, a = try held(node, 0)
      if weight.rank == 2 {
        let integers = try self.integers(known, channelAxis: 1) { try $0.transposed() }
        let held = try dense(a, try weight.transposed(), nil, named: node.outputs[0], integers: integers)
        foreign[held.name] = known.integerBits
        return give(node, held)
      }
      if weight.rank == 1 {
        let row = try weight.reshaped([1, weight.count])
        var held = try dense(a, row, nil, named: node.outputs[0])
        held = try inOrder(held)
        held.dims.removeLast()
        held.order = Array(held.dims.indices)
        held.name = try reshape(held.name, Shape(held.dims), named: node.outputs[0] + " reshaped")
        return give(node, held)
      }
    }
    let a = try held(node, 0), b = try held(node, 1)
    give(node, try product(a, b, named: node.outputs[0]))
  }

  /// Of two values that vary.
  mutating func product(_ first: Held, _ second: Held, named name: String) throws -> Held {
    var a = try flattened(first), b = try flattened(second)
    if a.hasBatch, b.hasBatch, a.rank != b.rank || a.rank < 3 {
      a = try unbatched(a)
      b = try unbatched(b)
    } else if a.hasBatch != b.hasBatch {
      let plain = a.hasBatch ? b : a, other = a.hasBatch ? a : b
      if plain.rank == other.rank, plain.dims[0] == 1, plain.rank > 2 {
        if a.hasBatch { b = try batched(b) } else { a = try batched(a) }
      } else if plain.rank >= other.rank || (b.hasBatch && b.rank < 3) {
        a = try unbatched(a)
        b = try unbatched(b)
      }
    }
    let hasBatch = a.hasBatch || b.hasBatch
    // Vectors are a row in front, a column behind; the axis goes again.
    let isRow = a.dims.count == 1, isColumn = b.dims.count == 1
    a = try inOrder(a)
    if isRow {
      a = Held(try reshape(a.name, [1, a.dims[0]], named: a.name + " row"), [1, a.dims[0]], hasBatch: a.hasBatch)
    }
    if isColumn {
      b = Held(try reshape(b.name, [b.dims[0], 1], named: b.name + " column"), [b.dims[0], 1], hasBatch: b.hasBatch)
    }
    guard a.dims.count >= 2, b.dims.count >= 2 else {
      throw CompressError("of shapes \(first.dims) and \(second.dims)", kind: .input)
    }
    // Leading axes of one element are broadcast; the others have to be the same.
    let rank = max(a.dims.count, b.dims.count)
    let outerA = [Int](repeating: 1, count: rank - a.dims.count) + a.dims.dropLast(2)
    let outerB = [Int](repeating: 1, count: rank - b.dims.count) + b.dims.dropLast(2)
    let outer = try Shape.broadcast(Shape(outerA), Shape(outerB)).dims
    let turned = Array(0..<b.dims.count - 2) + [b.dims.count - 1, b.dims.count - 2]
    let transposes = b.order == turned
    if !transposes { b = try inOrder(b) }
    func fitted(_ value: Held, _ own: [Int], _ last: [Int]) throws -> String {
      if own == outer || own.allSatisfy({ $0 == 1 }) {
        return try reshape(value.name, Shape((own == outer ? outer : []) + last), named: value.name + " reshaped")
      }
      let full = try reshape(value.name, Shape(own + last), named: value.name + " reshaped")
      return try emit(.expand(Expand(Shape(outer + last))), [full], named: full + " expanded")
    }
    let lastB = Array(b.dims.suffix(2))
    let left = try fitted(a, outerA, Array(a.dims.suffix(2)))
    let right = try fitted(b, outerB, transposes ? lastB.reversed() : lastB)
    var result = try emit(.matmul(MatMul(transposesSecond: transposes)), [left, right], named: name)
    let dims = outer + (isRow ? [] : [a.dims[a.dims.count - 2]]) + (isColumn ? [] : [lastB[1]])
    result = try reshape(result, Shape(dims), named: name + " reshaped")
    return Held(result, dims, hasBatch: hasBatch)
  }

  // MARK: Normalization

  /// The channels last, whatever else there is.
  private mutating func channelsLast(_ node: ONNXNode) throws -> (held: Held, channels: Int) {
    let held = try flattened(try self.held(node, 0)), axis = held.hasBatch ? 0 : 1
    guard axis < held.dims.count else { throw CompressError("of shape \(held.dims)", kind: .input) }
    let order =
      held.order.last == axis ? held.order : Array(held.dims.indices.filter { $0 != axis }) + [axis]
    return (try ordered(held, order), held.dims[axis])
  }

  private func vector(_ node: ONNXNode, _ index: Int, _ count: Int) throws -> Tensor {
    let tensor = try required(node, index).floats
    guard tensor.count == count else {
      throw CompressError("input \(index + 1) has \(tensor.count) elements for \(count) channels", kind: .input)
    }
    return try tensor.reshaped([count])
  }

  mutating func batchNormalization(_ node: ONNXNode) throws {
    guard !node.flag("training_mode"), node.integer("spatial", 1) == 1 else {
      throw CompressError("training_mode and spatial 0 are not supported", kind: .input)
    }
    guard node.version >= 7 || node.flag("is_test") else {
      throw CompressError("normalizes by the batch, as in training: is_test is not set", kind: .input)
    }
    var (held, channels) = try channelsLast(node)
    let tensors: [ParameterRole: Tensor] = [
      .gamma: try vector(node, 1, channels), .beta: try vector(node, 2, channels),
      .mean: try vector(node, 3, channels), .variance: try vector(node, 4, channels),
    ]
    let momentum = node.float("momentum", 0.9)
    let op = BatchNorm(epsilon: node.float("epsilon", 1e-5), momentum: (0..<1).contains(momentum) ? momentum : 0.9)
    held.name = try emit(.batchNorm(op), [held.name], named: node.outputs[0], tensors)
    give(node, held)
  }

  mutating func layerNormalization(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    let axis = try axis(node.integer("axis", -1), &held), dims = held.dims
    let isMeanSquare = node.kind == "RMSNormalization"
    let scale = try required(node, 1).floats, shift = isMeanSquare ? nil : try constant(node, 2)?.floats
    let count = dims[axis...].reduce(1, *)
    guard scale.count == count, shift.map({ $0.count == count }) ?? true else {
      throw CompressError("a scale of \(scale.count) elements for \(count)", kind: .input)
    }
    let isLast = axis == dims.count - 1
    if isLast {
      held = try ordered(held, held.order.filter { $0 != axis } + [axis])
    } else {
      held = try inOrder(held)
      held.name = try reshape(held.name, Shape(dims[..<axis] + [count]), named: held.name + " rows")
    }
    let op = SampleNorm(
      isMeanSquare ? .meanSquare : .variance, epsilon: node.float("epsilon", 1e-5), hasScale: true,
      hasShift: shift != nil)
    var tensors: [ParameterRole: Tensor] = [.gamma: try scale.reshaped([count])]
    tensors[.beta] = try shift?.reshaped([count])
    held.name = try emit(.normalization(op), [held.name], named: node.outputs[0], tensors)
    if !isLast { held.name = try reshape(held.name, Shape(dims), named: node.outputs[0] + " reshaped") }
    give(node, held)
  }

  mutating func groupNormalization(_ node: ONNXNode) throws {
    var (held, channels) = try channelsLast(node)
    held = try batched(held)
    let isInstance = node.kind == "InstanceNormalization"
    let groups = isInstance ? channels : Int(clamping: node.integer("num_groups", 1))
    guard groups > 0, channels % groups == 0 else {
      throw CompressError("\(channels) channels in \(groups) groups", kind: .input)
    }
    func each(_ index: Int) throws -> Tensor {
      let tensor = try required(node, index).floats
      // Before version 21 there was one number for each group.
      guard !isInstance, tensor.count == groups, groups != channels else { return try vector(node, index, channels) }
      let numbers = tensor.array(Float.self)
      return Tensor((0..<channels).map { numbers[$0 / (channels / groups)] })
    }
    let op = SampleNorm(groups: groups, epsilon: node.float("epsilon", 1e-5))
    held.name = try emit(
      .normalization(op), [held.name], named: node.outputs[0], [.gamma: try each(1), .beta: try each(2)])
    give(node, held)
  }
}
