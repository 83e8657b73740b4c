import Diagnostics
import Network
import Tensors

// What moves elements, joins them and takes them apart, or only calls their axes otherwise.
extension TFLiteImporter {
  mutating func cast(_ node: TFLiteNode) throws {
    let value = try held(node, 0)
    let type = graph.tensors[node.outputs[0]].type
    let source = graph.tensors[node.inputs[0]].type
    guard type.isFloat || isPlain(node.inputs[0]) && Self.holds(type, source) else {
      throw CompressError("makes integers of type \(type) of a value of type \(source) that varies", kind: .input)
    }
    // Integers of an input that stand for themselves; others would have to be taken as they are, without their scale.
    guard !source.isQuantized || graph.tensors[node.inputs[0]].quantization == nil else {
      throw CompressError("takes integers without their scale", kind: .input)
    }
    try give(node, value)
  }

  mutating func shape(_ node: TFLiteNode) throws {
    let dims = try held(node, 0).dims.map { Int64($0) }
    values[node.outputs[0]] = .constant(TFLiteConstant(dims, type: .int32))
  }

  // MARK: Reshaping

  mutating func reshaping(_ node: TFLiteNode) throws {
    let value = try held(node, 0)
    var wanted = try constant(node, 1)?.indices()
    if wanted == nil {
      wanted = try node.options(.reshape)?.integers(TFLiteField.Reshape.shape, of: Int32.self)?.map { Int($0) }
    }
    guard let wanted else { throw CompressError("does not say which shape", kind: .input) }
    try give(node, try reshaped(value, try Self.target(wanted, of: value.dims), named: name(node)))
  }

  /// The shape that is asked for: -1 is derived.
  static func target(_ wanted: [Int], of dims: [Int]) throws -> [Int] {
    let count = dims.reduce(1, *)
    var target = wanted
    if let open = wanted.firstIndex(of: -1) {
      let rest = try Shape(checking: wanted.enumerated().filter { $0.offset != open }.map(\.element)).count
      guard rest > 0, count % rest == 0 else {
        throw CompressError("shape \(wanted) of shape \(dims)", kind: .input)
      }
      target[open] = count / rest
    }
    guard try Shape(checking: target).count == count else {
      throw CompressError("shape \(wanted) of shape \(dims)", kind: .input)
    }
    return target
  }

  /// The value under another shape; the batch stays what it is where the shape begins with it.
  mutating func reshaped(_ value: Held, _ dims: [Int], named name: String) throws -> Held {
    guard value.dims != dims else { return value }
    _ = try Shape(checking: dims)
    var held = value
    held.dims = dims
    // A batch of one may have become the first of many axes of one element: it is the batch all the same.
    if value.hasBatch, dims.first != batch || dims.count == 1 {
      held.hasBatch = false
      guard batch == 1 else {
        throw CompressError("shape \(dims) of shape \(value.dims) mixes the batch with other axes", kind: .input)
      }
    } else if !value.hasBatch, batch == 1, dims.first == 1, dims.count > 1 {
      held.hasBatch = true
    }
    held.name = try reshape(value.name, held.shape, named: name)
    return held
  }

  mutating func squeeze(_ node: TFLiteNode) throws {
    let value = try held(node, 0), rank = value.dims.count
    let given = try node.options(.squeeze)?.integers(TFLiteField.Squeeze.axes, of: Int32.self) ?? []
    let axes = try given.isEmpty
      ? value.dims.indices.filter { value.dims[$0] == 1 } : given.map { try Self.axis(Int($0), rank: rank) }
    for axis in axes where value.dims[axis] != 1 {
      throw CompressError("takes away axis \(axis) of shape \(value.dims)", kind: .input)
    }
    let dims = value.dims.indices.filter { !axes.contains($0) }.map { value.dims[$0] }
    try give(node, try reshaped(value, dims, named: name(node)))
  }

  mutating func expandDims(_ node: TFLiteNode) throws {
    let value = try held(node, 0)
    guard let given = try required(node, 1).indices().first else { throw CompressError("has no axis", kind: .input) }
    var dims = value.dims
    dims.insert(1, at: try Self.axis(given, rank: dims.count + 1))
    try give(node, try reshaped(value, dims, named: name(node)))
  }

  mutating func transposition(_ node: TFLiteNode) throws {
    var value = try held(node, 0)
    if turned.contains(node.index) { return try give(node, value) }
    let order = try required(node, 1).indices()
    guard order.sorted() == Array(value.dims.indices) else {
      throw CompressError("the order \(order) of \(value.dims.count) axes", kind: .input)
    }
    if value.hasBatch, order[0] != 0 { value = try unbatched(value) }
    let own = value.hasBatch ? order.dropFirst().map { $0 - 1 } : order
    let shape = value.shape
    func long(_ order: [Int]) -> [Int] { order.filter { shape[$0] != 1 } }
    let name: String
    if long(own) == long(Array(own.indices)) {
      // Axes of one element move for free.
      name = try reshape(value.name, Shape(own.map { shape[$0] }), named: self.name(node))
    } else {
      name = try emit(.transpose(Transpose(own)), [value.name], named: self.name(node))
    }
    try give(node, held(name, hasBatch: value.hasBatch))
  }

  // MARK: Joining and taking apart

  mutating func concatenation(_ node: TFLiteNode) throws {
    let options = try node.options(.concatenation)
    let parts = try node.inputs.indices.map { try held(node, $0) }
    let axis = Int(try options?.integer(TFLiteField.Concatenation.axis, Int32(0)) ?? 0)
    try give(
      node, try joined(parts, axis, named: name(node)),
      fused: try activation(options, TFLiteField.Concatenation.activation))
  }

  private mutating func joined(_ given: [Held], _ axis: Int, named name: String) throws -> Held {
    guard let first = given.first else { throw CompressError("has no inputs", kind: .input) }
    var parts = given
    let index = try Self.axis(axis, rank: first.dims.count)
    guard parts.allSatisfy({ $0.dims.count == first.dims.count }) else {
      throw CompressError("joins values of shapes \(parts.map(\.dims))", kind: .input)
    }
    if index == 0 || parts.contains(where: { $0.hasBatch != first.hasBatch }) {
      parts = try parts.map { try index == 0 ? unbatched($0) : batched($0) }
    }
    if parts.count == 1 { return parts[0] }
    let hasBatch = parts[0].hasBatch, place = hasBatch ? index - 1 : index
    let op = Concat(axis: place == parts[0].shape.rank - 1 ? nil : place)
    return try emitHeld(.concat(op), parts.map(\.name), named: name, hasBatch: hasBatch)
  }

  /// What an index takes, in elements of constants.
  static let indexCost = 4

  /// Some indices of one axis of the network's value.
  mutating func taking(_ value: Held, _ axis: Int, _ indices: [Int], named name: String) throws -> Held {
    guard !indices.isEmpty else { throw CompressError("gives an empty value", kind: .input) }
    try spend(Self.indexCost * indices.count)
    if indices.count == value.shape[axis], indices.enumerated().allSatisfy({ $0 == $1 }) { return value }
    let taken = try emit(.gather(Gather(axis: axis, indices)), [value.name], named: name)
    // What is only chosen keeps its scale.
    activations[taken] = activations[value.name]
    return held(taken, hasBatch: value.hasBatch)
  }

  mutating func split(_ node: TFLiteNode) throws {
    let isEven = node.kind == "SPLIT"
    let value = try held(node, isEven ? 1 : 0)
    guard let given = try required(node, isEven ? 0 : 2).indices().first else {
      throw CompressError("has no axis", kind: .input)
    }
    let (held, axis) = try along(value, given), extent = held.shape[axis]
    var sizes = isEven ? [Int](repeating: extent / node.outputs.count, count: node.outputs.count)
      : try required(node, 1).indices()
    if let open = sizes.firstIndex(of: -1) {
      sizes[open] = extent &- sizes.enumerated().filter { $0.offset != open }.reduce(0) { $0 &+ $1.element }
    }
    guard sizes.count == node.outputs.count, sizes.allSatisfy({ (1...extent).contains($0) }),
      sizes.reduce(0, +) == extent
    else { throw CompressError("parts of \(sizes) of an axis of \(extent)", kind: .input) }
    var start = 0
    for (index, size) in sizes.enumerated() {
      defer { start += size }
      guard uses[node.outputs[index]] > 0 else { continue }
      let part = try taking(
        held, axis, Array(start..<start + size), named: graph.tensors[node.outputs[index]].label)
      try give(node, try restored(part, value), output: index)
    }
  }

  /// With its first axis as the batch again, where the value it was made of had one and there is one element left.
  private mutating func restored(_ part: Held, _ value: Held) throws -> Held {
    value.hasBatch && !part.hasBatch && part.dims.first == 1 && part.dims.count > 1 ? try batched(part) : part
  }

  mutating func slice(_ node: TFLiteNode) throws {
    let value = try held(node, 0)
    let begins = try required(node, 1).indices(), sizes = try required(node, 2).indices()
    guard begins.count == value.dims.count, sizes.count == begins.count else {
      throw CompressError("begins \(begins), sizes \(sizes) of shape \(value.dims)", kind: .input)
    }
    var held = value
    for (axis, begin) in begins.enumerated() {
      let extent = value.dims[axis]
      guard (0..<extent).contains(begin), sizes[axis] == -1 || (1...extent - begin).contains(sizes[axis]) else {
        throw CompressError("\(sizes[axis]) from \(begin) on of an axis of \(extent)", kind: .input)
      }
      held = try cut(held, axis, Array(begin..<(sizes[axis] == -1 ? extent : begin + sizes[axis])), named: name(node))
    }
    try give(node, held)
  }

  /// Some indices of an axis as the file counts them.
  private mutating func cut(_ value: Held, _ axis: Int, _ indices: [Int], named name: String) throws -> Held {
    if indices.count == value.dims[axis], indices.enumerated().allSatisfy({ $0 == $1 }) { return value }
    let (held, place) = try along(value, axis)
    return try taking(held, place, indices, named: name)
  }

  mutating func stridedSlice(_ node: TFLiteNode) throws {
    let value = try held(node, 0)
    let (cuts, dims) = try stridedCuts(node, value.dims)
    var held = value
    for (axis, indices) in cuts.enumerated() { held = try cut(held, axis, indices, named: name(node)) }
    try give(node, try reshaped(held, dims, named: name(node) + " reshaped"))
  }

  mutating func gather(_ node: TFLiteNode) throws {
    let options = try node.options(.gather)
    guard try options?.integer(TFLiteField.Gather.batchAxes, Int32(0)) ?? 0 == 0 else {
      throw CompressError("batch_dims is not supported", kind: .input)
    }
    let value = try held(node, 0), indices = try required(node, 1)
    let given = Int(try options?.integer(TFLiteField.Gather.axis, Int32(0)) ?? 0)
    let axis = try Self.axis(given, rank: value.dims.count), extent = value.dims[axis]
    let places = try indices.indices()
    if let wrong = places.first(where: { !(0..<extent).contains($0) }) {
      throw CompressError("index \(wrong) of an axis of \(extent)", kind: .input)
    }
    let held = try cut(value, axis, places, named: name(node))
    let dims = Array(held.dims[..<axis]) + indices.shape.dims + Array(held.dims[(axis + 1)...])
    try give(node, try reshaped(held, dims, named: name(node) + " reshaped"))
  }

  mutating func pack(_ node: TFLiteNode) throws {
    let given = Int(try node.options(.pack)?.integer(TFLiteField.Pack.axis, Int32(0)) ?? 0)
    var parts: [Held] = [], axis = 0
    for index in node.inputs.indices {
      let value = try held(node, index)
      axis = try Self.axis(given, rank: value.dims.count + 1)
      var dims = value.dims
      dims.insert(1, at: axis)
      parts.append(try reshaped(value, dims, named: value.name + " reshaped"))
    }
    try give(node, try joined(parts, axis, named: name(node)))
  }

  mutating func unpack(_ node: TFLiteNode) throws {
    let value = try held(node, 0)
    let given = Int(try node.options(.unpack)?.integer(TFLiteField.Unpack.axis, Int32(0)) ?? 0)
    let axis = try Self.axis(given, rank: value.dims.count)
    guard value.dims[axis] == node.outputs.count else {
      throw CompressError("\(node.outputs.count) parts of an axis of \(value.dims[axis])", kind: .input)
    }
    var dims = value.dims
    dims.remove(at: axis)
    for (index, output) in node.outputs.enumerated() where uses[output] > 0 {
      let part = try cut(value, axis, [index], named: graph.tensors[output].label)
      try give(node, try reshaped(part, dims, named: part.name + " reshaped"), output: index)
    }
  }

  // MARK: Repeating and padding

  mutating func tiling(_ node: TFLiteNode) throws {
    var value = try held(node, 0)
    var repeats = try required(node, 1).indices()
    guard repeats.count == value.dims.count, repeats.allSatisfy({ (1...1 << 16).contains($0) }) else {
      throw CompressError("repeats \(repeats) of shape \(value.dims)", kind: .input)
    }
    if value.hasBatch {
      if repeats[0] == 1 { repeats.removeFirst() } else { value = try unbatched(value) }
    }
    guard repeats.contains(where: { $0 != 1 }) else { return try give(node, value) }
    try give(
      node, try emitHeld(.tile(Tile(repeats)), [value.name], named: name(node), hasBatch: value.hasBatch))
  }

  mutating func broadcast(_ node: TFLiteNode) throws {
    var value = try held(node, 0)
    let target = try Shape(checking: try required(node, 1).indices())
    if value.hasBatch, target.rank != value.dims.count || target[0] != value.dims[0] { value = try unbatched(value) }
    let own = value.hasBatch ? Shape(Array(target.dims.dropFirst())) : target
    guard own != value.shape else { return try give(node, value) }
    let result = try emit(.expand(Expand(own)), [value.name], named: name(node))
    try give(node, held(result, hasBatch: value.hasBatch))
  }

  /// What a node pads, before and after each axis.
  private mutating func pads(_ node: TFLiteNode, _ dims: [Int]) throws -> [(before: Int, after: Int)] {
    let pads = try required(node, 1).indices()
    guard pads.count == 2 * dims.count, pads.allSatisfy({ (0...1 << 16).contains($0) }) else {
      throw CompressError("pads \(pads) of shape \(dims)", kind: .input)
    }
    return dims.indices.map { (pads[2 * $0], pads[2 * $0 + 1]) }
  }

  mutating func padding(_ node: TFLiteNode) throws {
    var value = try held(node, 0), fill: Float = 0
    if let known = try constant(node, 2) {
      fill = try known.floats().array(Float.self).first ?? 0
    }
    var pads = try pads(node, value.dims)
    if value.hasBatch {
      if pads[0] == (0, 0) { pads.removeFirst() } else { value = try unbatched(value) }
    }
    guard pads.contains(where: { $0 != (0, 0) }) else { return try give(node, value) }
    if fill == 0 {
      let pad = Pad(before: pads.map(\.before), after: pads.map(\.after))
      return try give(
        node, try emitHeld(.pad(pad), [value.name], named: name(node), hasBatch: value.hasBatch))
    }
    guard !fill.isNaN else { throw CompressError("pads with what is no number", kind: .input) }
    // Blocks of the constant before and after.
    for (axis, pad) in pads.enumerated() {
      var parts = [value.name]
      for (size, place) in [(pad.before, 0), (pad.after, 1)] where size > 0 {
        var dims = value.shape.dims
        dims[axis] = size
        let shape = try Shape(checking: dims)
        try spend(shape.count)
        let block = try emit(
          .constant(Constant(shape)), [], named: name(node) + " fill",
          [.constant: Parameter(Tensor(repeating: fill, shape))])
        activations[block] = activations[value.name]
        parts.insert(block, at: place == 0 ? 0 : parts.count)
      }
      guard parts.count > 1 else { continue }
      let op = Concat(axis: axis == value.shape.rank - 1 ? nil : axis)
      let joined = try emit(.concat(op), parts, named: name(node))
      if pads[(axis + 1)...].contains(where: { $0 != (0, 0) }) { activations[joined] = activations[value.name] }
      value = held(joined, hasBatch: value.hasBatch)
    }
    try give(node, value)
  }

  mutating func mirrorPadding(_ node: TFLiteNode) throws {
    let mode: Int8 = try node.options(.mirrorPad)?.integer(TFLiteField.MirrorPad.mode, 0) ?? 0
    var value = try held(node, 0)
    let edge = mode == 0 ? 1 : 0  // whether the border itself is not repeated
    for (axis, pad) in try pads(node, value.dims).enumerated() {
      let extent = value.dims[axis]
      guard pad.before <= extent - edge, pad.after <= extent - edge, (0...1).contains(mode) else {
        throw CompressError("mirrors \(pad.before) and \(pad.after) of an axis of \(extent)", kind: .input)
      }
      let before = (0..<pad.before).map { pad.before - 1 - $0 + edge }
      let after = (0..<pad.after).map { extent - 1 - $0 - edge }
      value = try cut(value, axis, before + Array(0..<extent) + after, named: name(node))
    }
    try give(node, value)
  }

  // MARK: Reductions

  mutating func reduction(_ node: TFLiteNode, _ function: Reduce.Function) throws {
    var value = try held(node, 0)
    let rank = value.dims.count
    let given = try required(node, 1).indices().map { try Self.axis($0, rank: rank) }
    let axes = Set(given).sorted()
    let keeps = try node.options(.reducer)?.flag(TFLiteField.Reducer.keepsAxes) ?? false
    guard !axes.isEmpty else { return try give(node, value) }
    if rank == 4, axes == [1, 2], function == .mean || function == .max {
      value = try image(value)
      return try give(node, try pooled(node, value, function == .mean ? .average : .max, keepsAxes: keeps))
    }
    if value.hasBatch, axes.contains(0) { value = try unbatched(value) }
    let places = value.hasBatch ? axes.map { $0 - 1 } : axes
    let result = try emit(
      .reduce(Reduce(function, axes: places, keepsAxes: keeps)), [value.name], named: name(node))
    try give(node, held(result, hasBatch: value.hasBatch))
  }

  mutating func argMax(_ node: TFLiteNode) throws {
    guard let given = try required(node, 1).indices().first else { throw CompressError("has no axis", kind: .input) }
    let (value, axis) = try along(try held(node, 0), given)
    try give(
      node, try emitHeld(.argMax(ArgMax(axis: axis)), [value.name], named: name(node), hasBatch: value.hasBatch))
  }
}
