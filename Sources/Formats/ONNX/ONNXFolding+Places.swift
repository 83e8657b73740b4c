import Diagnostics
import Tensors

// Elements at places that indices give, as exporters write out masks and tables of positions. All is known.
extension ONNXImporter {
  /// `GatherElements` and `GatherND`; with values to put there `ScatterElements` and `ScatterND`.
  mutating func atPlaces(
    _ node: ONNXNode, _ x: ONNXConstant, _ indices: ONNXConstant, _ updates: ONNXConstant?
  ) throws -> ONNXConstant {
    let positions: [Int], shape: Shape
    if node.kind.hasSuffix("ND") {
      (positions, shape) = try blocks(x.shape, indices)
    } else {
      (positions, shape) = try single(x.shape, indices, along: Self.axis(node.integer("axis", 0), rank: x.shape.rank))
    }
    guard node.kind.hasPrefix("Scatter") else { return x.taking(positions, shape) }
    guard let updates, updates.shape == shape else {
      throw CompressError("puts values of shape \(updates?.shape ?? []) where \(shape) are asked for", kind: .input)
    }
    try spend(x.shape.count)
    if case .integers(var values) = x.values {
      for (position, value) in zip(positions, try updates.integers()) { values[position] = value }
      return ONNXConstant(x.element, x.shape, values)
    }
    var values = x.floats.array(Float.self)
    for (position, value) in zip(positions, updates.floats.array(Float.self)) { values[position] = value }
    return ONNXConstant(x.element, Tensor(values, x.shape))
  }

  /// One index for each element, along one axis; the others are the element's own.
  private mutating func single(_ shape: Shape, _ indices: ONNXConstant, along axis: Int) throws -> ([Int], Shape) {
    let own = indices.shape
    guard own.rank == shape.rank, own.dims.indices.allSatisfy({ $0 == axis || own[$0] <= shape[$0] }) else {
      throw CompressError("indices of shape \(own) for shape \(shape)", kind: .input)
    }
    try spend(own.count)
    let places = try Self.wrapped(try indices.indices(), extent: shape[axis]), strides = shape.strides
    let inner = own.strides
    return (
      places.enumerated().map { index, place in
        own.dims.indices.reduce(0) { sum, a in
          sum + (a == axis ? place : index / inner[a] % own[a]) * strides[a]
        }
      }, own
    )
  }

  /// Tuples of indices, each of a block of the axes behind.
  private mutating func blocks(_ shape: Shape, _ indices: ONNXConstant) throws -> ([Int], Shape) {
    let own = indices.shape
    guard let count = own.dims.last, count <= shape.rank else {
      throw CompressError("indices of shape \(own) for shape \(shape)", kind: .input)
    }
    let tuples = own.dims.dropLast().reduce(1, *), size = shape.dims[count...].reduce(1, *), strides = shape.strides
    let result = try Shape(checking: own.dims.dropLast() + shape.dims[count...])
    try spend(result.count)
    let given = try indices.indices()
    var positions: [Int] = []
    positions.reserveCapacity(result.count)
    for tuple in 0..<tuples {
      var start = 0
      for axis in 0..<count {
        start += try Self.wrapped([given[tuple * count + axis]], extent: shape[axis])[0] * strides[axis]
      }
      positions += start..<start + size
    }
    return (positions, result)
  }

  mutating func repeated(_ x: ONNXConstant, _ repeats: [Int]) throws -> ONNXConstant {
    guard repeats.count == x.shape.rank, repeats.allSatisfy({ (0...1 << 24).contains($0) }) else {
      throw CompressError("repeats \(repeats) of \(x.shape.rank) axes", kind: .input)
    }
    let strides = x.shape.strides
    try spend(try Shape(checking: zip(x.shape.dims, repeats).map(*)).count)
    return try rearranged(
      x,
      repeats.indices.map { axis in
        (0..<x.shape[axis] * repeats[axis]).map { $0 % x.shape[axis] * strides[axis] }
      })
  }

  /// Zeros below the diagonal of the last two axes, or above it.
  mutating func triangle(_ node: ONNXNode, _ x: ONNXConstant, _ offset: Int64) throws -> ONNXConstant {
    guard x.shape.rank >= 2 else { throw CompressError("of shape \(x.shape)", kind: .input) }
    let rows = x.shape[x.shape.rank - 2], columns = x.shape[x.shape.rank - 1]
    let isUpper = node.integer("upper", 1) != 0, k = min(max(offset, -1 << 32), 1 << 32)
    func keeps(_ index: Int) -> Bool {
      let distance = Int64(index % columns - index / columns % rows)
      return isUpper ? distance >= k : distance <= k
    }
    try spend(x.shape.count)
    if case .integers(let values) = x.values {
      return ONNXConstant(x.element, x.shape, values.enumerated().map { keeps($0) ? $1 : 0 })
    }
    let values = x.floats.array(Float.self)
    return ONNXConstant(x.element, Tensor(values.enumerated().map { keeps($0) ? $1 : 0 }, x.shape))
  }

  /// Sums from the start of an axis, or from its end.
  mutating func accumulated(_ node: ONNXNode, _ x: ONNXConstant, along given: ONNXConstant) throws -> ONNXConstant {
    guard let wanted = try given.integers().first else { throw CompressError("has no axis", kind: .input) }
    let axis = try Self.axis(wanted, rank: x.shape.rank), stride = x.shape.strides[axis], extent = x.shape[axis]
    let isReverse = node.flag("reverse"), isExclusive = node.flag("exclusive")
    try spend(x.shape.count)
    func sums<T>(_ values: [T], _ zero: T, _ add: (T, T) -> T) -> [T] {
      var result = values
      for start in values.indices where start / stride % extent == 0 {
        var sum = zero
        for step in 0..<extent {
          let place = start + (isReverse ? extent - 1 - step : step) * stride
          if isExclusive { result[place] = sum }
          sum = add(sum, values[place])
          if !isExclusive { result[place] = sum }
        }
      }
      return result
    }
    if case .integers(let values) = x.values {
      guard !values.contains(ONNXConstant.batch) else {
        throw CompressError("computes with the size of the batch, which varies", kind: .input)
      }
      return ONNXConstant(x.element, x.shape, sums(values, 0) { x.element.wrapped($0 &+ $1) })
    }
    return ONNXConstant(x.element, Tensor(sums(x.floats.array(Float.self), 0, +), x.shape))
  }

  /// The indices of the elements that are not zero, an axis a row.
  mutating func nonZero(_ x: ONNXConstant) throws -> ONNXConstant {
    try spend(x.shape.count * max(1, x.shape.rank))
    let found: [Int] =
      switch x.values {
      case .integers(let values): values.indices.filter { values[$0] != 0 }
      case .floats(let tensor): tensor.array(Float.self).enumerated().filter { $1 != 0 }.map(\.offset)
      }
    let strides = x.shape.strides
    let rows = x.shape.dims.indices.flatMap { axis in found.map { Int64($0 / strides[axis] % x.shape[axis]) } }
    return ONNXConstant(.int64, [x.shape.rank, found.count], rows)
  }
}
