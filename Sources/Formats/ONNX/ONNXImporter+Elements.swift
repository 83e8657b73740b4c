import Diagnostics
import Network
import Tensors

// Functions of an element, and of two at the same place.
extension ONNXImporter {
  /// A function of each element: the layout stays whatever it is.
  mutating func function(_ node: ONNXNode, _ function: Activation) throws {
    var held = try self.held(node, 0)
    held.name = try emit(.activation(function), [held.name], named: node.outputs[0])
    give(node, held)
  }

  mutating func clip(_ node: ONNXNode) throws {
    func bound(_ attribute: String, _ index: Int, _ otherwise: Float) throws -> Float {
      if node.version < 11 { return node.float(attribute, otherwise) }
      guard let constant = try constant(node, index) else { return otherwise }
      guard let value = constant.scalar else { throw CompressError("bounds that are no single number", kind: .input) }
      return value
    }
    let low = try bound("min", 1, -.infinity), high = try bound("max", 2, .infinity)
    switch (low, high) {
    case (0, 6): try function(node, .relu6)
    case (0, .infinity): try function(node, .relu)
    // What lies above the upper bound becomes it, even if the lower one is above it.
    default: try function(node, .clip(low: min(low, high), high: high))
    }
  }

  mutating func parametricReLU(_ node: ONNXNode) throws {
    var held = try self.held(node, 0)
    var slope = try required(node, 1).floats
    // Before version 7 one for each channel, the second axis.
    if node.version < 7, slope.rank == 1, held.rank > 2 {
      slope = try slope.reshaped([slope.count] + [Int](repeating: 1, count: held.rank - 2))
    }
    if slope.count == 1 {
      return try function(node, .leakyReLU(slope: slope.array(Float.self)[0]))
    }
    held = try flattened(held)
    let dims = [Int](repeating: 1, count: max(0, held.rank - slope.rank)) + slope.shape.dims
    let own = held.hasBatch ? Array(dims.dropFirst()) : dims
    let last = held.order.last
    guard let last, own.count == held.dims.count,
      own.enumerated().allSatisfy({ $0 == last ? $1 == held.dims[last] : $1 == 1 })
    else {
      // max(x, 0) + slope * min(x, 0)
      var above = held, below = held
      above.name = try emit(.activation(.relu), [held.name], named: node.outputs[0] + " above")
      below.name = try emit(
        .activation(.clip(low: -.infinity, high: 0)), [held.name], named: node.outputs[0] + " below")
      let sloped = try paired(
        Mul().asOperator, .held(below), .constant(ONNXConstant(.float32, slope)), named: node.outputs[0] + " sloped")
      return give(node, try paired(Add().asOperator, .held(above), .held(sloped), named: node.outputs[0]))
    }
    held.name = try emit(
      .prelu(PReLU()), [held.name], named: node.outputs[0], [.slope: try slope.reshaped([held.dims[last]])])
    give(node, held)
  }

  mutating func softmax(_ node: ONNXNode, _ function: Activation) throws {
    var held = try flattened(try self.held(node, 0))
    let axis = try axis(node.integer("axis", node.version < 13 ? 1 : -1), &held)
    if node.version < 13, held.dims[(axis + 1)...].contains(where: { $0 != 1 }) {
      // Over all axes from this one on.
      let dims = held.dims
      held = try inOrder(held)
      let rows = Shape([dims[..<axis].reduce(1, *), dims[axis...].reduce(1, *)])
      let flat = try reshape(held.name, rows, named: held.name + " rows")
      let result = try emit(.activation(function), [flat], named: node.outputs[0])
      held.name = try reshape(result, Shape(dims), named: result + " reshaped")
      return give(node, held)
    }
    held = try ordered(held, held.order.filter { $0 != axis } + [axis])
    held.name = try emit(.activation(function), [held.name], named: node.outputs[0])
    give(node, held)
  }

  // MARK: Pairs

  /// Sums, products and the like of two values or more, one after the other.
  mutating func arithmetic(_ node: ONNXNode, _ op: Operator) throws {
    if try scaledSums(node) { return }
    if node.inputs.contains(where: { coded[$0] != nil || ranges[$0] != nil || pending[$0] != nil }) {
      throw CompressError("computes with integers, which stand for numbers of a scale", kind: .input)
    }
    if try pattern(node) { return }
    guard node.inputs.count >= 1, node.inputs.allSatisfy({ !$0.isEmpty }) else {
      throw CompressError("has no inputs", kind: .input)
    }
    let operands = try operands(node)
    var result = operands[0]
    if node.inputs.count == 1 { return values[node.outputs[0]] = result }
    if node.inputs.count == 2, try mergedIntoLayer(node, operands) { return }
    // Quotients of integers lose what is behind the point.
    let isCut = node.kind == "Div" && node.inputs.contains(where: { isInteger($0) })
    for (index, operand) in operands.enumerated().dropFirst() {
      let isLast = index == node.inputs.count - 1 && !isCut
      result = .held(
        try paired(op, result, operand, named: node.outputs[0] + (isLast ? "" : " part \(index)")))
    }
    if isCut, case .held(let quotient) = result { result = .held(try truncated(quotient, named: node.outputs[0])) }
    values[node.outputs[0]] = result
  }

  /// What a node of two values or more takes, the axes of the second one lying where the node says.
  mutating func operands(_ node: ONNXNode) throws -> [Value] {
    var operands = node.inputs.map { values[$0]! }
    guard operands.count == 2, node.version < 7, node.attributes["axis"] != nil else { return operands }
    let rank =
      switch operands[0] {
      case .constant(let constant): constant.shape.rank
      case .held(let held): held.rank
      }
    switch operands[1] {
    case .constant(let constant): operands[1] = .constant(try aligned(node, constant, rank: rank))
    case .held(let held):
      let behind = try Self.axesBehind(node, held.rank, rank: rank)
      guard behind > 0 else { break }
      var value = try flattened(held)
      value.dims += [Int](repeating: 1, count: behind)
      // Axes of one element come first, so that channels stay the last.
      value.order = Array(held.dims.count..<value.dims.count) + value.order
      value.name = try reshape(value.name, value.shape, named: value.name + " reshaped")
      operands[1] = .held(value)
    }
    return operands
  }

  /// Before version 7 the axes of a second operand lay from `axis` on: as it is broadcast since then.
  func aligned(_ node: ONNXNode, _ constant: ONNXConstant, rank: Int) throws -> ONNXConstant {
    guard node.version < 7, node.attributes["axis"] != nil else { return constant }
    let behind = try Self.axesBehind(node, constant.shape.rank, rank: rank)
    return try constant.reshaped(Shape(constant.shape.dims + [Int](repeating: 1, count: behind)))
  }

  /// How many axes of the first operand lie behind those of the second one.
  private static func axesBehind(_ node: ONNXNode, _ own: Int, rank: Int) throws -> Int {
    let axis = try Self.axis(node.integer("axis", 0), rank: rank)
    guard axis + own <= rank else {
      throw CompressError("broadcasts \(own) axes from axis \(axis) of \(rank) on", kind: .input)
    }
    return rank - own - axis
  }

  /// Two values, broadcast; at least one is held, or else both become constants of the network.
  mutating func paired(_ op: Operator, _ a: Value, _ b: Value, named name: String) throws -> Held {
    switch (a, b) {
    case (.held(let a), .held(let b)): return try pairedHeld(op, a, b, named: name)
    case (.held(let a), .constant(let b)): return try paired(op, a, b, named: name, isSecond: true)
    case (.constant(let a), .held(let b)): return try paired(op, b, a, named: name, isSecond: false)
    case (.constant(let a), .constant(let b)):
      let first = Held(
        try constant(a.floats, order: Array(0..<a.shape.rank), named: name, integers: a.source), a.shape.dims,
        hasBatch: false)
      return try paired(op, first, b, named: name, isSecond: true)
    }
  }

  private mutating func pairedHeld(_ op: Operator, _ a: Held, _ b: Held, named name: String) throws -> Held {
    if let x = a.unflattened, let y = b.unflattened, x.dims == y.dims, x.order == y.order, a.hasBatch == b.hasBatch {
      var held = a
      held.name = try emit(op, [a.name, b.name], named: name)
      return held
    }
    var a = try flattened(a), b = try flattened(b)
    if a.hasBatch != b.hasBatch {
      // The one without takes part in every sample if its axes are aligned behind the batch.
      let plain = a.hasBatch ? b : a, other = a.hasBatch ? a : b
      if plain.rank == other.rank, plain.dims[0] == 1 {
        if a.hasBatch { b = try batched(b) } else { a = try batched(a) }
      } else if plain.rank >= other.rank {
        if a.hasBatch { a = try unbatched(a) } else { b = try unbatched(b) }
      }
    } else if a.hasBatch, a.rank != b.rank {
      a = try unbatched(a)
      b = try unbatched(b)
    }
    let hasBatch = a.hasBatch || b.hasBatch, rank = max(a.dims.count, b.dims.count)
    a = try padded(a, rank: rank)
    b = try padded(b, rank: rank)
    if a.shape.count >= b.shape.count { b = try ordered(b, a.order) } else { a = try ordered(a, b.order) }
    let dims = try Shape.broadcast(Shape(a.dims), Shape(b.dims)).dims
    return Held(try emit(op, [a.name, b.name], named: name), dims, order: a.order, hasBatch: hasBatch)
  }

  /// With axes of one element in front, so that there are so many.
  private mutating func padded(_ value: Held, rank: Int) throws -> Held {
    let missing = rank - value.dims.count
    guard missing > 0 else { return value }
    let dims = [Int](repeating: 1, count: missing) + value.dims
    let order = Array(0..<missing) + value.order.map { $0 + missing }
    let name = try reshape(value.name, Shape(order.map { dims[$0] }), named: value.name + " reshaped")
    return Held(name, dims, order: order, hasBatch: value.hasBatch)
  }

  private mutating func paired(
    _ op: Operator, _ value: Held, _ constant: ONNXConstant, named name: String, isSecond: Bool
  ) throws -> Held {
    var held = value, tensor = constant.floats
    if tensor.count != 1 || tensor.rank > held.rank {
      held = try flattened(held)
      if held.hasBatch, tensor.rank >= held.rank {
        if tensor.rank == held.rank, tensor.shape[0] == 1 {
          tensor = try tensor.reshaped(Array(tensor.shape.dims.dropFirst()))
        } else {
          held = try unbatched(held)
        }
      }
      let rank = max(held.dims.count, tensor.rank)
      held = try padded(held, rank: rank)
      tensor = try tensor.reshaped([Int](repeating: 1, count: rank - tensor.rank) + tensor.shape.dims)
      let dims = try Shape.broadcast(Shape(held.dims), tensor.shape).dims
      tensor = try tensor.transposed(held.order).contiguous()
      held.dims = dims
    }
    // Leading axes of one element are left out.
    tensor = try tensor.reshaped(Array(tensor.shape.dims.drop { $0 == 1 }))
    if tensor.rank == 0 { tensor = try tensor.reshaped([1]) }
    let other = try emit(.constant(Constant(tensor.shape)), [], named: name + " constant", [.constant: tensor])
    activations[other] = try constant.source?.asValue
    held.name = try emit(op, isSecond ? [held.name, other] : [other, held.name], named: name)
    return held
  }

  // MARK: Into the layer before

  /// A number for each channel that becomes part of the layer whose output it is added to or multiplied with: of its
  /// weight and bias, or as scale and shift of a normalization. Nothing else may read what that layer gives.
  private mutating func mergedIntoLayer(_ node: ONNXNode, _ operands: [Value]) throws -> Bool {
    guard node.kind == "Add" || node.kind == "Mul" else { return false }
    for (index, other) in [(0, 1), (1, 0)] {
      guard case .constant(let known) = operands[other], let own = ownLayer(node, index),
        let tensor = try perChannel(known, own.held)
      else { continue }
      var isInteger = false
      if case .integer? = layers.parameters[own.layer.name]?[.weight]?.encoding { isInteger = true }
      var tensors: [ParameterRole: Tensor] = [:]
      if !isInteger { tensors = layers.parameters[own.layer.name]?.mapValues { $0.values } ?? [:] }
      switch (node.kind, own.layer.op) {
      case ("Add", let op) where op.hasWeight && isInteger:
        guard let position = layers.positions[own.layer.name], let layer = op.weighted, !layer.hasBias else { continue }
        let bias = try integerBias(known, tensor) ?? Parameter(tensor)
        layers.nodes[position].op = layer.withBias
        layers.parameters[own.layer.name]?[.bias] = bias
      case ("Add", let op) where op.hasWeight:
        tensors[.bias] = try tensors[.bias]?.applying(.add, tensor) ?? tensor
        replace(own.layer.name, op.weighted?.withBias ?? op, tensors)
      case ("Mul", let op) where op.hasWeight && !isInteger:
        for (role, values) in tensors {
          let ones = [Int](repeating: 1, count: values.rank - 1)
          tensors[role] = try values.applying(.mul, try tensor.reshaped([tensor.count] + ones))
        }
        replace(own.layer.name, op, tensors)
      case ("Mul", .normalization(var norm)) where !norm.hasScale && !norm.hasShift:
        norm.hasScale = true
        tensors[.gamma] = tensor
        replace(own.layer.name, .normalization(norm), tensors)
      case ("Add", .normalization(var norm)) where !norm.hasShift:
        norm.hasShift = true
        tensors[.beta] = tensor
        replace(own.layer.name, .normalization(norm), tensors)
      default: continue
      }
      // From now on the layer gives what this node does.
      standsFor[own.layer.name] = node.outputs[0]
      give(node, own.held)
      return true
    }
    return false
  }

  /// A bias that was made of integers with a scale for each channel, or one for all.
  private func integerBias(_ known: ONNXConstant, _ tensor: Tensor) throws -> Parameter? {
    guard let integers = known.source, integers.element == .int32, integers.values.count == tensor.count,
      integers.scales.count == 1 || integers.scales.count == tensor.count,
      let bias = try self.integers(known, channelAxis: integers.axis, { try $0.reshaped([tensor.count]) })
    else { return nil }
    return try Parameter(.integer(bias))
  }

  /// A constant as one number for each channel, the last axis of what is held; nil where it is none.
  private func perChannel(_ known: ONNXConstant, _ held: Held) throws -> Tensor? {
    guard known.element.isFloat, let last = held.order.last, known.shape.rank <= held.rank else { return nil }
    let dims = [Int](repeating: 1, count: held.rank - known.shape.rank) + known.shape.dims
    let own = held.hasBatch ? Array(dims.dropFirst()) : dims
    guard !held.hasBatch || dims[0] == 1 else { return nil }
    if known.shape.count == 1, held.dims[last] <= 1 << 16 {
      return Tensor(repeating: known.scalar ?? 0, [held.dims[last]])
    }
    guard own.enumerated().allSatisfy({ $0 == last ? $1 == held.dims[last] : $1 == 1 }) else { return nil }
    return try known.floats.reshaped([held.dims[last]]).contiguous()
  }
}
