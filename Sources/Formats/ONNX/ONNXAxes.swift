import Diagnostics
import Tensors

// How the standard states axes, slices, shapes and pads.
extension ONNXImporter {
  /// Axes ascending, each once.
  static func axes(_ given: [Int64], rank: Int) throws -> [Int] {
    let axes = try given.map { try axis($0, rank: rank) }.sorted()
    guard zip(axes, axes.dropFirst()).allSatisfy(<) else { throw CompressError("axes \(given) repeat", kind: .input) }
    return axes
  }

  static func unsqueezed(_ dims: [Int], _ axes: [Int]) -> [Int] {
    var dims = dims
    for axis in axes { dims.insert(1, at: min(axis, dims.count)) }
    return dims
  }

  static func permutation(_ node: ONNXNode, rank: Int) throws -> [Int] {
    guard let perm = try node.sizes("perm"), !perm.isEmpty || rank == 0 else { return Array((0..<rank).reversed()) }
    guard perm.sorted() == Array(0..<rank) else {
      throw CompressError("perm \(perm) is no order of \(rank) axes", kind: .input)
    }
    return perm
  }

  static func flattenAxis(_ node: ONNXNode, rank: Int) throws -> Int {
    let axis = node.integer("axis", 1), index = axis < 0 ? axis + Int64(rank) : axis
    guard (0...Int64(rank)).contains(index) else { throw CompressError("axis \(axis) of \(rank) axes", kind: .input) }
    return Int(index)
  }

  /// Part of a shape, as Shape's attributes say.
  static func shapeSlice(_ node: ONNXNode, _ dims: [Int64]) -> [Int64] {
    func place(_ value: Int64) -> Int {
      let rank = Int64(dims.count)
      return Int(min(max(value < 0 ? (value < -rank ? 0 : value + rank) : value, 0), rank))
    }
    let start = place(node.integer("start", 0)), end = place(node.integer("end", .max))
    return start < end ? Array(dims[start..<end]) : []
  }

  /// The shape that is asked for, of a value of shape `dims`, which may have the varying batch in it: 0 keeps an
  /// extent, -1 is derived.
  static func target(_ wanted: [Int64], of dims: [Int64], allowsZero: Bool) throws -> [Int64] {
    var target = wanted
    for (index, value) in wanted.enumerated() where value == 0 && !allowsZero {
      guard index < dims.count else {
        throw CompressError("shape \(wanted) keeps an axis that is not there", kind: .input)
      }
      target[index] = dims[index]
    }
    guard let open = target.firstIndex(of: -1) else { return target }
    guard target.count(where: { $0 == -1 }) == 1 else {
      throw CompressError("shape \(wanted) leaves two extents open", kind: .input)
    }
    var left = dims, known: Int64 = 1
    for (index, value) in target.enumerated() where index != open {
      if value == ONNXConstant.batch, let place = left.firstIndex(of: ONNXConstant.batch) {
        left.remove(at: place)
        continue
      }
      let (product, overflow) = known.multipliedReportingOverflow(by: value)
      guard value > 0, !overflow else { throw CompressError("shape \(wanted) of shape \(shown(dims))", kind: .input) }
      known = product
    }
    let isBatch = left.contains(ONNXConstant.batch)
    let count = left.filter { $0 != ONNXConstant.batch }.reduce(1, *)
    guard count % known == 0, !isBatch || count == known else {
      throw CompressError(
        "shape \(shown(wanted)) of shape \(shown(dims))" + (isBatch ? " mixes the batch with other axes" : ""),
        kind: .input)
    }
    target[open] = isBatch ? ONNXConstant.batch : count / known
    return target
  }

  /// A shape as errors show it: the varying batch is `n`.
  static func shown(_ dims: [Int64]) -> String {
    "[" + dims.map { $0 == ONNXConstant.batch ? "n" : "\($0)" }.joined(separator: ", ") + "]"
  }

  /// Indices from the end, if negative, as those from the start.
  static func wrapped(_ indices: [Int], extent: Int) throws -> [Int] {
    try indices.map { index in
      guard (-extent..<extent).contains(index) else {
        throw CompressError("index \(index) of an axis of \(extent)", kind: .input)
      }
      return index < 0 ? index + extent : index
    }
  }

  // MARK: Slices

  /// What Slice takes of one axis, as the file counts it.
  struct Cut {
    var axis: Int
    var start: Int64
    var end: Int64
    var step: Int64
  }

  /// What a Slice says, as attributes or as inputs.
  func slices(_ node: ONNXNode, rank: Int) throws -> [Cut] {
    func list(_ attribute: String, _ index: Int) throws -> [Int64]? {
      if node.version < 10, let integers = node.integers(attribute) { return integers }
      guard let constant = try constant(node, index) else { return nil }
      return try constant.indices().map { Int64($0) }
    }
    guard let starts = try list("starts", 1), let ends = try list("ends", 2) else {
      throw CompressError("has no starts and ends", kind: .input)
    }
    let axes = try list("axes", 3) ?? starts.indices.map { Int64($0) }
    let steps = try list("steps", 4) ?? Array(repeating: 1, count: starts.count)
    guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count,
      steps.allSatisfy({ $0 != 0 && $0 != .min })
    else { throw CompressError("starts \(starts), ends \(ends), axes \(axes), steps \(steps)", kind: .input) }
    _ = try Self.axes(axes, rank: rank)
    return try starts.indices.map {
      Cut(axis: try Self.axis(axes[$0], rank: rank), start: starts[$0], end: ends[$0], step: steps[$0])
    }
  }

  /// The indices a cut takes of an axis.
  static func places(_ cut: Cut, extent: Int) -> [Int] {
    let size = Int64(extent)
    func place(_ value: Int64, _ range: ClosedRange<Int64>) -> Int64 {
      min(max(value < 0 ? (value < -size ? -1 : value + size) : value, range.lowerBound), range.upperBound)
    }
    guard size > 0 else { return [] }
    var places: [Int] = []
    if cut.step > 0 {
      var index = place(cut.start, 0...size), end = place(cut.end, 0...size)
      if cut.end < -size { end = 0 }
      while index < end {
        places.append(Int(index))
        let (next, overflow) = index.addingReportingOverflow(cut.step)
        if overflow { break }
        index = next
      }
    } else {
      var index = place(cut.start, 0...size - 1)
      if cut.start < -size { return [] }
      let end = place(cut.end, -1...size - 1)
      while index > end {
        places.append(Int(index))
        let (next, overflow) = index.addingReportingOverflow(cut.step)
        if overflow { break }
        index = next
      }
    }
    return places
  }

  /// How large the parts of a Split are.
  func parts(_ node: ONNXNode, extent: Int) throws -> [Int] {
    var sizes = try node.sizes("split")
    if sizes == nil, let given = try constant(node, 1) { sizes = try given.indices() }
    if let sizes {
      guard sizes.allSatisfy({ (0...extent).contains($0) }), sizes.count == node.outputs.count,
        sizes.count <= 1 << 16, sizes.reduce(0, +) == extent
      else { throw CompressError("parts \(sizes) of an axis of \(extent)", kind: .input) }
      return sizes
    }
    // Equal ones, the last one smaller where the axis does not divide.
    let count = node.outputs.count, size = (extent + count - 1) / count
    return (0..<count).map { min(size, max(0, extent - $0 * size)) }
  }

  // MARK: Pads

  func padding(_ node: ONNXNode, rank: Int) throws -> (before: [Int], after: [Int]) {
    var pads = try node.sizes("pads") ?? node.sizes("paddings") ?? []
    if node.version >= 11 || pads.isEmpty { pads = try required(node, 1).indices() }
    var axes = Array(0..<rank)
    if let given = try constant(node, 3) {
      axes = try given.indices().map { try Self.axis(Int64($0), rank: rank) }
      guard Set(axes).count == axes.count else { throw CompressError("axes \(axes) repeat", kind: .input) }
    }
    guard pads.count == 2 * axes.count, pads.allSatisfy({ abs(Double($0)) < Double(1 << 24) }) else {
      throw CompressError("pads \(pads) of \(axes.count) axes", kind: .input)
    }
    var before = [Int](repeating: 0, count: rank), after = before
    for (index, axis) in axes.enumerated() { (before[axis], after[axis]) = (pads[index], pads[axes.count + index]) }
    return (before, after)
  }

  /// Where in an axis the elements of the padded one come from; nil is the constant.
  static func paddedPlaces(_ mode: String, extent: Int, _ before: Int, _ after: Int) throws -> [Int?] {
    guard extent > 0, before + extent + after > 0 else {
      throw CompressError("pads \(before) and \(after) of an axis of \(extent)", kind: .input)
    }
    return try (-before..<extent + after).map { index in
      if (0..<extent).contains(index) { return index }
      switch mode {
      case "constant": return nil
      case "edge": return index < 0 ? 0 : extent - 1
      case "wrap": return (index % extent + extent) % extent
      case "reflect":
        guard extent > 1 else { return 0 }
        let period = 2 * (extent - 1), place = (index % period + period) % period
        return place < extent ? place : period - place
      default: throw CompressError("pads by \(mode.escapedForTerminal.shortened(to: 40))", kind: .input)
      }
    }
  }
}
