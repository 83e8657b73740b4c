import Diagnostics
import Network
import Tensors

// In which order the axes of values are written, and how that is changed.
extension ONNXExporter {
  /// The name of a value in the file; a constant is written as it is asked for.
  mutating func name(_ value: Written) -> String {
    guard value.isConstant else { return value.name }
    let key = "constant \(value.name) \(value.shape) \(value.axes)"
    if let known = forms[key] { return known }
    if let encoding = value.encoding {
      let name = quantizedConstant(value, encoding)
      forms[key] = name
      return name
    }
    let (shape, axes) = (value.shape, value.axes)
    let role: ParameterRole = model[value.name, .constant] != nil ? .constant : .embedding
    let name = weight(
      value.name, role, key: key, dims: [1] + value.dims, channelAxis: nil, named: value.name
    ) { try $0.reshaped(shape).transposed(axes) }
    forms[key] = name
    return name
  }

  /// A value that was made of another one before, or is made now.
  mutating func form(_ key: String, _ make: (inout ONNXExporter) throws -> String) rethrows -> String {
    if let known = forms[key] { return known }
    let name = try make(&self)
    forms[key] = name
    return name
  }

  /// The same elements under another shape, the batch as it is.
  mutating func reshape(_ name: String, _ dims: [Int], named wanted: String, keepsBatch: Bool = false) -> String {
    file.node("Reshape", [name, file.integers((keepsBatch ? [0] : []) + dims)], named: wanted)
  }

  /// A value after it was moved: what it was made of by DequantizeLinear is made anew of the moved integers, so that it
  /// stands directly before whatever reads it.
  private mutating func moved(_ value: Written, to name: String, named wanted: String) -> String {
    guard let encoding = value.encoding else { return name }
    return quantized(name, encoding, named: wanted)
  }

  /// A vector with its elements in the order of the network.
  mutating func straight(_ value: Written) throws -> Written {
    guard let image = value.image else { return value }
    var source = value
    source.image = nil
    source.shape = image.shape
    source.axes = image.axes
    source.name = form("image \(value.name)") {
      $0.moved(
        value, to: $0.reshape(value.name, source.dims, named: value.name + " image", keepsBatch: true),
        named: value.name + " image")
    }
    let straight = try ordered(source, Array(source.shape.indices))
    var result = value
    result.image = nil
    result.name = form("straight \(value.name)") {
      $0.moved(
        value, to: $0.reshape(straight.name, value.shape, named: value.name + " flat", keepsBatch: true),
        named: value.name + " flat")
    }
    return result
  }

  /// The value with its axes in another order.
  mutating func ordered(_ value: Written, _ axes: [Int]) throws -> Written {
    try arranged(value, shape: value.shape, axes)
  }

  /// The value with axes of one element in front, so that it has this shape, in some order. Axes of one element move
  /// for free.
  mutating func arranged(_ value: Written, shape: [Int], _ axes: [Int]) throws -> Written {
    let source = try straight(value)
    var result = source
    result.shape = shape
    result.axes = axes
    if source.isConstant { return result }
    let missing = shape.count - source.shape.count
    if missing == 0, source.axes == axes { return result }
    result.name = form("arranged \(source.name) \(shape) \(axes)") { exporter in
      var name = source.name, dims = source.dims
      let wanted = source.name + " arranged"
      let target = axes.filter { $0 >= missing }.map { $0 - missing }
      func long(_ axes: [Int]) -> [Int] { axes.filter { source.shape[$0] != 1 } }
      if long(target) != long(source.axes) {
        name = exporter.file.node(
          "Transpose", [name], named: wanted,
          [("perm", .integers([0] + target.map { source.axes.firstIndex(of: $0)! + 1 }))])
        dims = target.map { source.shape[$0] }
      }
      if dims != result.dims { name = exporter.reshape(name, result.dims, named: wanted, keepsBatch: true) }
      return name == source.name ? name : exporter.moved(source, to: name, named: wanted)
    }
    return result
  }

  /// An image, channels first.
  mutating func image(_ value: Written) throws -> Written { try ordered(value, Self.channelsFirst) }

  /// The same elements, in the network's order, under another shape; moved only where the order in which they are
  /// written does not allow it otherwise.
  mutating func reshaped(_ value: Written, _ shape: [Int], named wanted: String) throws -> Written {
    if value.shape == shape { return value }
    var result = value
    result.shape = shape
    result.axes = Array(shape.indices)
    result.image = nil
    if value.isConstant { return result }
    // A vector that layers with weights read stays in the order of the image: their weights are put into that order.
    if shape.count == 1, value.image == nil,
      value.axes.filter({ value.shape[$0] != 1 }).sorted()
        != value.axes.filter({ value.shape[$0] != 1 })
    {
      result.image = (value.shape, value.axes)
      result.name = moved(
        value, to: reshape(value.name, shape, named: wanted, keepsBatch: true), named: wanted)
      return result
    }
    if let image = value.image, image.shape == shape {
      result.axes = image.axes
      result.name = moved(
        value, to: reshape(value.name, result.dims, named: wanted, keepsBatch: true), named: wanted)
      return result
    }
    var source = try straight(value)
    guard let groups = ONNXImporter.groups(source.shape, shape) else {
      throw CompressError("cannot reshape \(source.shape) to \(shape)")
    }
    // Groups in the order in which they are written, the axes of each one after the other.
    func place(_ group: (old: Range<Int>, new: Range<Int>)) -> Int {
      group.old.filter { source.shape[$0] != 1 }.compactMap { source.axes.firstIndex(of: $0) }.max()
        ?? group.old.compactMap { source.axes.firstIndex(of: $0) }.max() ?? -1
    }
    let sorted = groups.map { ($0, place($0)) }.sorted { $0.1 < $1.1 }.map(\.0)
    let order = sorted.flatMap { Array($0.old) }
    func long(_ axes: [Int]) -> [Int] { axes.filter { source.shape[$0] != 1 } }
    if long(order) != long(source.axes) { source = try ordered(source, order) }
    result.axes = sorted.flatMap { Array($0.new) }
    if source.dims == result.dims {
      result.name = source.name
    } else {
      result.name = moved(
        value, to: reshape(source.name, result.dims, named: wanted, keepsBatch: true), named: wanted)
    }
    return result
  }

  /// The value for each sample of the batch, if it is one that is the same for all.
  mutating func varying(_ value: Written) throws -> Written {
    guard !value.varies, hasVaryingBatch else { return value }
    var result = value
    let name = name(value)
    result.name = form("batch of \(name)") { exporter in
      let target = exporter.sizes(value.dims)
      return exporter.file.node("Expand", [name, target], named: name + " of the batch")
    }
    result.isConstant = false
    result.varies = true
    return result
  }

  /// A list of sizes, that of the batch in front.
  mutating func sizes(_ dims: [Int]) -> String {
    guard hasVaryingBatch else { return file.integers([1] + dims) }
    return form("sizes \(dims)") { exporter in
      let size = exporter.form("batch") { exporter in
        let shape = exporter.file.node("Shape", [exporter.file.inputs[0].name], named: "shape")
        return exporter.file.node("Gather", [shape, exporter.file.integers([0])], named: "batch size")
      }
      return exporter.file.node(
        "Concat", [size, exporter.file.integers(dims)], named: "sizes", [("axis", .integer(0))])
    }
  }

  private var hasVaryingBatch: Bool { if case .named? = file.inputs.first?.extents.first { true } else { false } }
}
