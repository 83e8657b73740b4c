import Diagnostics
import Network
import Tensors

// What moves elements or only calls their axes otherwise.
extension ONNXImporter {
  mutating func alias(_ node: ONNXNode) throws { give(node, try held(node, 0)) }

  mutating func cast(_ node: ONNXNode) throws {
    let name = node.inputs[0]
    let target = try target(node), isHeld = coded[name] == nil && ranges[name] == nil && pending[name] == nil
    if isHeld, try !target.isFloat || changesElements(node, to: target) { return try castToIntegers(node, target) }
    guard coded[name] == nil, ranges[name] == nil else {
      throw CompressError("makes floats of integers that stand for numbers of a scale", kind: .input)
    }
    try alias(node)
    pending[node.outputs[0]] = pending[name]
  }

  mutating func dropout(_ node: ONNXNode) throws {
    if node.version < 7, !node.flag("is_test") {
      throw CompressError("drops values as in training: is_test is not set", kind: .input)
    }
    if let trains = try constant(node, 2), trains.scalar != 0 {
      throw CompressError("drops values as in training", kind: .input)
    }
    try alias(node)
  }

  mutating func shape(_ node: ONNXNode) throws {
    let held = try self.held(node, 0)
    let dims = fullDims(held)
    if node.kind == "Size" {
      guard !dims.contains(ONNXConstant.batch) else {
        throw CompressError("is the size of a value with a batch that varies", kind: .input)
      }
      values[node.outputs[0]] = .constant(ONNXConstant(.int64, [], [dims.reduce(1, *)]))
    } else {
      values[node.outputs[0]] = .constant(ONNXConstant(Self.shapeSlice(node, dims)))
    }
  }

  /// With the batch in front; where it varies, what stands for it.
  private func fullDims(_ held: Held) -> [Int64] {
    (held.hasBatch ? [batch.map { Int64($0) } ?? ONNXConstant.batch] : []) + held.dims.map { Int64($0) }
  }

  mutating func transposition(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    var perm = try Self.permutation(node, rank: held.rank)
    if held.hasBatch {
      if perm[0] == 0 { perm = perm.dropFirst().map { $0 - 1 } } else { held = try unbatched(held) }
    }
    // Axis `j` of the result is axis `perm[j]` of the value; nothing is moved.
    var places = [Int](repeating: 0, count: perm.count)
    for (new, old) in perm.enumerated() { places[old] = new }
    give(
      node, Held(held.name, perm.map { held.dims[$0] }, order: held.order.map { places[$0] }, hasBatch: held.hasBatch))
  }

  // MARK: Reshaping

  mutating func reshaping(_ node: ONNXNode) throws {
    let wanted: [Int64]
    if node.version < 5, let list = node.integers("shape") { wanted = list } else {
      wanted = try required(node, 1).integers()
    }
    try reshape(node, to: wanted, allowsZero: node.flag("allowzero"))
  }

  mutating func flattening(_ node: ONNXNode) throws {
    let held = try self.held(node, 0), dims = fullDims(held)
    let axis = try Self.flattenAxis(node, rank: dims.count)
    func product(_ part: ArraySlice<Int64>) throws -> Int64 {
      guard part.contains(ONNXConstant.batch) else { return part.reduce(1, *) }
      guard part.filter({ $0 != ONNXConstant.batch }).allSatisfy({ $0 == 1 }) else {
        throw CompressError("mixes the batch with other axes", kind: .input)
      }
      return ONNXConstant.batch
    }
    try reshape(node, to: [try product(dims[..<axis]), try product(dims[axis...])], allowsZero: true)
  }

  private mutating func reshape(_ node: ONNXNode, to wanted: [Int64], allowsZero: Bool) throws {
    var held = try self.held(node, 0)
    let target = try Self.target(wanted, of: fullDims(held), allowsZero: allowsZero)
    var dims: [Int]
    if held.hasBatch {
      let first = target.first ?? 0
      let isKept = batch.map { Int64($0) == first } ?? (first == ONNXConstant.batch)
      if isKept {
        dims = target.dropFirst().map { $0 == ONNXConstant.batch ? -1 : Int($0) }
      } else {
        guard batch == 1 else {
          throw CompressError(
            "shape \(Self.shown(wanted)) of shape \(Self.shown(fullDims(held))) mixes the batch with other axes",
            kind: .input)
        }
        held = try unbatched(held)
        dims = target.map { Int($0) }
      }
    } else {
      dims = target.map { $0 == ONNXConstant.batch ? -1 : Int($0) }
    }
    guard dims.allSatisfy({ $0 > 0 }), try Shape(checking: dims).count == held.shape.count else {
      throw CompressError(
        "shape \(Self.shown(wanted)) of shape \(Self.shown(fullDims(held)))", kind: .input)
    }
    give(node, try reshaped(held, dims, named: node.outputs[0]))
  }

  /// The value under another shape, moved only where the order in which it is held does not allow it otherwise.
  private mutating func reshaped(_ value: Held, _ dims: [Int], named name: String) throws -> Held {
    if value.dims == dims { return value }
    // A vector that layers with weights read stays in the order of the image: their weights are put into that order.
    if dims.count == 1, value.unflattened == nil, !value.isInOrder, value.dims.filter({ $0 != 1 }).count > 1 {
      var flat = Held(
        try reshape(value.name, Shape(dims), named: name), dims, hasBatch: value.hasBatch)
      flat.unflattened = (value.dims, value.order)
      return flat
    }
    var held = try flattened(value)
    guard let groups = Self.groups(held.dims, dims) else { throw CompressError("cannot be reshaped", kind: .input) }
    // Groups in the order in which they are held, the axes of each one after the other.
    func place(_ group: (old: Range<Int>, new: Range<Int>)) -> Int {
      group.old.filter { held.dims[$0] != 1 }.compactMap { held.order.firstIndex(of: $0) }.max()
        ?? group.old.compactMap { held.order.firstIndex(of: $0) }.max() ?? -1
    }
    let sorted = groups.map { ($0, place($0)) }.sorted { $0.1 < $1.1 }.map(\.0)
    held = try ordered(held, sorted.flatMap { Array($0.old) })
    let order = sorted.flatMap { Array($0.new) }
    let result = try reshape(held.name, Shape(order.map { dims[$0] }), named: name)
    return Held(result, dims, order: order, hasBatch: held.hasBatch)
  }

  /// Which axes become which: the smallest groups with the same number of elements before and after.
  static func groups(_ old: [Int], _ new: [Int]) -> [(old: Range<Int>, new: Range<Int>)]? {
    var groups: [(old: Range<Int>, new: Range<Int>)] = []
    var i = 0, j = 0
    while i < old.count || j < new.count {
      let start = (i, j)
      var a = 1, b = 1
      if i < old.count { a = old[i]; i += 1 }
      if j < new.count { b = new[j]; j += 1 }
      while a != b {
        if a < b {
          guard i < old.count else { return nil }
          a *= old[i]
          i += 1
        } else {
          guard j < new.count else { return nil }
          b *= new[j]
          j += 1
        }
      }
      groups.append((start.0..<i, start.1..<j))
    }
    return groups
  }

  mutating func squeeze(_ node: ONNXNode) throws {
    let held = try self.held(node, 0), dims = fullDims(held)
    var axes = node.version < 13 ? node.integers("axes") : nil
    if axes == nil, let given = try constant(node, 1) { axes = try given.integers() }
    var gone = Array(dims.indices).filter { dims[$0] == 1 && !(held.hasBatch && $0 == 0) }
    if let axes { gone = try Self.axes(axes, rank: dims.count) }
    for axis in gone where dims[axis] != 1 {
      throw CompressError("takes away axis \(axis) of shape \(Self.shown(dims))", kind: .input)
    }
    let target = dims.indices.filter { !gone.contains($0) }.map { dims[$0] }
    try reshape(node, to: target, allowsZero: true)
  }

  mutating func unsqueeze(_ node: ONNXNode) throws {
    var dims = fullDims(try held(node, 0))
    var axes = node.version < 13 ? node.integers("axes") : nil
    if axes == nil { axes = try required(node, 1).integers() }
    for axis in try Self.axes(axes ?? [], rank: dims.count + (axes?.count ?? 0)) {
      dims.insert(1, at: min(axis, dims.count))
    }
    try reshape(node, to: dims, allowsZero: true)
  }

  // MARK: Joining and taking apart

  mutating func concatenation(_ node: ONNXNode) throws {
    guard node.inputs.allSatisfy({ !$0.isEmpty }) else { throw CompressError("leaves out an input", kind: .input) }
    // What is empty adds nothing.
    let filled = node.inputs.indices.filter { index in
      guard case .constant(let known)? = values[node.inputs[index]] else { return true }
      return known.shape.count > 0
    }
    var parts = try filled.map { try flattened(try held(node, $0)) }
    if parts.contains(where: { $0.hasBatch != parts[0].hasBatch }) {
      parts = try parts.map { try $0.hasBatch ? $0 : batch == 1 ? batched($0) : $0 }
      guard parts.allSatisfy(\.hasBatch) else {
        throw CompressError("joins a value without the batch to one that has it", kind: .input)
      }
    }
    var first = parts[0]
    guard parts.allSatisfy({ $0.dims.count == first.dims.count }) else {
      throw CompressError("joins values of shapes \(parts.map(\.dims))", kind: .input)
    }
    let axis: Int
    if first.hasBatch, try Self.axis(node.integer("axis", 1), rank: first.rank) == 0 {
      parts = try parts.map { try unbatched($0) }
      axis = 0
    } else {
      axis = try self.axis(node.integer("axis", 1), &first)
    }
    if parts.count == 1 { return give(node, parts[0]) }
    let order = parts[0].order
    parts = try parts.map { try ordered($0, order) }
    var dims = parts[0].dims
    dims[axis] = parts.reduce(0) { $0 + $1.dims[axis] }
    let place = order.firstIndex(of: axis)!
    let op = Concat(axis: place == order.count - 1 ? nil : place)
    let name = try emit(.concat(op), parts.map(\.name), named: node.outputs[0])
    give(node, Held(name, dims, order: order, hasBatch: parts[0].hasBatch))
  }

  /// What an index takes, in elements of constants.
  static let indexCost = 4

  /// Some indices of one axis; whoever makes them pays for them.
  mutating func taking(_ value: Held, _ axis: Int, _ indices: [Int], named name: String) throws -> Held {
    var held = try flattened(value)
    guard !indices.isEmpty else { throw CompressError("gives an empty value", kind: .input) }
    if indices.count == held.dims[axis], indices.enumerated().allSatisfy({ $0 == $1 }) { return held }
    let place = held.order.firstIndex(of: axis)!
    held.name = try emit(.gather(Gather(axis: place, indices)), [held.name], named: name)
    held.dims[axis] = indices.count
    return held
  }

  mutating func split(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    let axis = try axis(node.integer("axis", 0), &held)
    var start = 0
    for (output, size) in zip(node.outputs, try parts(node, extent: held.dims[axis])) {
      defer { start += size }
      guard !output.isEmpty, uses[output] ?? 0 > 0 else { continue }
      try spend(Self.indexCost * size)
      values[output] = .held(try taking(held, axis, Array(start..<start + size), named: output))
    }
    if values[node.outputs[0]] == nil { give(node, held) }
  }

  mutating func slice(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    let cuts = try slices(node, rank: held.rank).filter { cut in
      // All samples are no cut.
      !(held.hasBatch && cut.axis == 0 && cut.step == 1 && cut.start == 0
        && cut.end >= Int64(batch ?? Int(Int32.max)))
    }
    if held.hasBatch, cuts.contains(where: { $0.axis == 0 }) { held = try unbatched(held) }
    for cut in cuts {
      let axis = cut.axis - (held.hasBatch ? 1 : 0)
      try spend(Self.indexCost * held.dims[axis])
      held = try taking(held, axis, Self.places(cut, extent: held.dims[axis]), named: node.outputs[0])
    }
    give(node, held)
  }

  mutating func gather(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    let indices = try required(node, 1)
    if held.hasBatch, try Self.axis(node.integer("axis", 0), rank: held.rank) == 0 { held = try unbatched(held) }
    let axis = try axis(node.integer("axis", 0), &held)
    try spend(Self.indexCost * indices.shape.count)
    let places = try Self.wrapped(try indices.indices(), extent: held.dims[axis])
    held = try taking(held, axis, places, named: node.outputs[0])
    guard indices.shape.rank != 1 else { return give(node, held) }
    let dims = Array(held.dims[..<axis]) + indices.shape.dims + Array(held.dims[(axis + 1)...])
    give(node, try reshaped(held, dims, named: node.outputs[0] + " reshaped"))
  }

  // MARK: Repeating and padding

  mutating func expansion(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    let wanted = try required(node, 1).integers()
    var target = wanted
    if !held.hasBatch, target.first == ONNXConstant.batch, target.count == held.rank, held.dims.first == 1 {
      held = try batched(held)
    }
    if held.hasBatch {
      let isBatch = [ONNXConstant.batch, 1, Int64(batch ?? 1)].contains(target.first ?? 1)
      if target.count > held.rank || target.count == held.rank && !isBatch {
        held = try unbatched(held)
      } else if target.count == held.rank {
        target.removeFirst()
      }
    }
    guard !target.contains(ONNXConstant.batch), target.allSatisfy({ $0 > 0 && $0 < 1 << 31 }) else {
      throw CompressError("to shape \(Self.shown(wanted))", kind: .input)
    }
    let rank = max(target.count, held.dims.count)
    let own = [Int](repeating: 1, count: rank - held.dims.count) + held.dims
    held = try reshaped(held, own, named: held.name + " reshaped")
    let dims = try Shape.broadcast(Shape(own), try Shape(checking: target.map { Int($0) })).dims
    guard dims != own else { return give(node, held) }
    held.name = try emit(.expand(Expand(Shape(held.order.map { dims[$0] }))), [held.name], named: node.outputs[0])
    held.dims = dims
    give(node, held)
  }

  mutating func tiling(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    var repeats = try required(node, 1).indices()
    guard repeats.count == held.rank, repeats.allSatisfy({ (1...1 << 16).contains($0) }) else {
      throw CompressError("repeats \(repeats) of \(held.rank) axes", kind: .input)
    }
    if held.hasBatch {
      if repeats[0] == 1 { repeats.removeFirst() } else { held = try unbatched(held) }
    }
    guard repeats.contains(where: { $0 != 1 }) else { return give(node, held) }
    held.name = try emit(.tile(Tile(held.order.map { repeats[$0] })), [held.name], named: node.outputs[0])
    held.dims = zip(held.dims, repeats).map(*)
    give(node, held)
  }

  mutating func padding(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    var (before, after) = try padding(node, rank: held.rank)
    let mode = node.text("mode", "constant")
    var fill = node.float("value", 0)
    if node.version >= 11, let value = try constant(node, 2) { fill = value.scalar ?? .nan }
    if held.hasBatch, before[0] != 0 || after[0] != 0 { held = try unbatched(held) }
    if held.hasBatch {
      before.removeFirst()
      after.removeFirst()
    }
    // What is cut off goes first.
    for axis in held.dims.indices where before[axis] < 0 || after[axis] < 0 {
      let range = max(0, -before[axis])..<max(max(0, -before[axis]), held.dims[axis] - max(0, -after[axis]))
      try spend(Self.indexCost * range.count)
      held = try taking(held, axis, Array(range), named: node.outputs[0] + " cut")
      (before[axis], after[axis]) = (max(0, before[axis]), max(0, after[axis]))
    }
    guard (before + after).contains(where: { $0 != 0 }) else { return give(node, held) }
    if mode == "constant", fill == 0 {
      let pad = Pad(before: held.order.map { before[$0] }, after: held.order.map { after[$0] })
      held.name = try emit(.pad(pad), [held.name], named: node.outputs[0])
      held.dims = held.dims.indices.map { before[$0] + held.dims[$0] + after[$0] }
      return give(node, held)
    }
    for axis in held.dims.indices where before[axis] != 0 || after[axis] != 0 {
      try spend(Self.indexCost * (before[axis] + held.dims[axis] + after[axis]))
      if mode != "constant" {
        let places = try Self.paddedPlaces(mode, extent: held.dims[axis], before[axis], after[axis])
        held = try taking(held, axis, places.map { $0 ?? 0 }, named: node.outputs[0])
        continue
      }
      // Blocks of the constant before and after.
      guard !fill.isNaN else { throw CompressError("pads with what is no number", kind: .input) }
      let place = held.order.firstIndex(of: axis)!
      func block(_ importer: inout ONNXImporter, _ size: Int) throws -> [String] {
        guard size > 0 else { return [] }
        var dims = held.shape.dims
        dims[place] = size
        let shape = try Shape(checking: dims)
        try importer.spend(shape.count)
        return [
          try importer.constant(
            Tensor(repeating: fill, shape), order: Array(0..<shape.rank), named: node.outputs[0] + " fill")
        ]
      }
      let names = try block(&self, before[axis]) + [held.name] + block(&self, after[axis])
      let op = Concat(axis: place == held.order.count - 1 ? nil : place)
      held.name = try emit(.concat(op), names, named: node.outputs[0])
      held.dims[axis] += before[axis] + after[axis]
    }
    give(node, held)
  }
}
