import Diagnostics
import Network
import Tensors

/// Operators that leave axes out: sums, means, extremes and their places.
extension ONNXImporter {
  mutating func reduction(_ node: ONNXNode, _ function: Reduce.Function) throws {
    var held = try flattened(try self.held(node, 0))
    guard let axes = try reducedAxes(node, &held) else { return give(node, held) }
    give(
      node,
      try reduced(held, function, axes, keeps: node.integer("keepdims", 1) != 0, named: node.outputs[0]))
  }

  /// The axes that a reduction goes over, of what is held; nil where there are none. The batch becomes one of them where
  /// it is meant.
  mutating func reducedAxes(_ node: ONNXNode, _ held: inout Held) throws -> [Int]? {
    var given = node.integers("axes")
    if given == nil, let constant = try constant(node, 1) { given = try constant.integers() }
    if given?.isEmpty ?? true {
      if node.flag("noop_with_empty_axes") { return nil }
      given = (0..<Int64(held.rank)).map { $0 }
    }
    let axes = try Self.axes(given!, rank: held.rank)
    guard held.hasBatch else { return axes }
    if axes.contains(0) {
      held = try unbatched(held)
      return axes
    }
    return axes.map { $0 - 1 }
  }

  mutating func reduced(
    _ value: Held, _ function: Reduce.Function, _ axes: [Int], keeps: Bool, named name: String
  ) throws -> Held {
    var held = value
    let isImage = held.hasBatch && held.dims.count == 3 && held.order == [1, 2, 0]
    if isImage, axes == [1, 2], function == .mean || function == .max {
      // Over the whole image; where the axes go, its channels are left.
      let pooled = try emit(.globalPool(GlobalPool(function == .mean ? .average : .max)), [held.name], named: name)
      guard keeps else { return Held(pooled, [held.dims[0]], hasBatch: true) }
      let pixel = try reshape(pooled, [1, 1, held.dims[0]], named: pooled + " reshaped")
      return Held(pixel, [held.dims[0], 1, 1], order: [1, 2, 0], hasBatch: true)
    }
    if axes.isEmpty { return held }
    let places = axes.map { held.order.firstIndex(of: $0)! }.sorted()
    held.name = try emit(.reduce(Reduce(function, axes: places, keepsAxes: keeps)), [held.name], named: name)
    return without(axes, held, keeps: keeps)
  }

  /// What a value is called when some of its axes have one element each, or are gone.
  func without(_ axes: [Int], _ value: Held, keeps: Bool) -> Held {
    var held = value
    if keeps {
      for axis in axes { held.dims[axis] = 1 }
      return held
    }
    held.dims = held.dims.indices.filter { !axes.contains($0) }.map { held.dims[$0] }
    held.order = held.order.filter { !axes.contains($0) }.map { axis in axis - axes.count { $0 < axis } }
    return held
  }

  /// The place of the greatest element, or of the least; of several the first, or the last.
  mutating func argMax(_ node: ONNXNode, isLeast: Bool = false) throws {
    var held = try flattened(try self.held(node, 0))
    let axis = try axis(node.integer("axis", 0), &held), keeps = node.integer("keepdims", 1) != 0
    let name = node.outputs[0], extent = held.dims[axis], isLast = node.flag("select_last_index")
    if isLeast { held = try apply(.negative, held, named: name + " negative") }
    if isLast {
      try spend(Self.indexCost * extent)
      held = try taking(held, axis, Array((0..<extent).reversed()), named: name + " reversed")
    }
    held = try greatest(held, axis, keeps: keeps, named: isLast ? name + " from the end" : name)
    if isLast {
      let last = Value.constant(ONNXConstant(.float32, Tensor([Float(extent - 1)], [])))
      held = try paired(Binary(.sub).asOperator, last, .held(held), named: name)
    }
    give(node, held)
  }

  mutating func greatest(_ value: Held, _ axis: Int, keeps: Bool, named name: String) throws -> Held {
    var held = value
    let place = held.order.firstIndex(of: axis)!
    held.name = try emit(.argMax(ArgMax(axis: place, keepsAxis: keeps)), [held.name], named: name)
    return without([axis], held, keeps: keeps)
  }

  /// The greatest element along an axis, or the least, and its place: of more than one there is no operator here.
  mutating func greatestFew(_ node: ONNXNode) throws {
    var count = node.integers("k")?.first ?? node.attributes["k"]?.integer
    if count == nil, let given = try constant(node, 1) { count = try given.integers().first }
    guard count == 1 else {
      if options.allowsUnknown { return leaveOut(node) }
      throw CompressError("the \(count ?? 0) greatest of an axis; supported is the greatest one", kind: .input)
    }
    var held = try flattened(try self.held(node, 0))
    let axis = try axis(node.integer("axis", -1), &held), isLeast = node.integer("largest", 1) == 0
    give(node, try reduced(held, isLeast ? .min : .max, [axis], keeps: true, named: node.outputs[0]))
    guard node.outputs.count > 1, !node.outputs[1].isEmpty else { return }
    let name = node.outputs[1]
    if isLeast { held = try apply(.negative, held, named: name + " negative") }
    values[name] = .held(try greatest(held, axis, keeps: true, named: name))
    elements[name] = .int64
  }
}
