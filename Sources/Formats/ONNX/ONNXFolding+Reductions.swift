import Diagnostics
import Tensors

// Sums, products, means and extremes of constants.
extension ONNXImporter {
  /// - Parameter given: the axes; nil or none for all of them.
  /// - Returns: nil of what is not folded: empty tensors, and shapes with a batch that varies.
  mutating func foldedReduction(_ node: ONNXNode, _ x: ONNXConstant, _ given: [Int64]?) throws -> ONNXConstant? {
    let given = given ?? [], rank = x.shape.rank
    if given.isEmpty, node.flag("noop_with_empty_axes") { return x }
    let axes = given.isEmpty ? Array(0..<rank) : try Self.axes(given, rank: rank)
    guard x.shape.count > 0 else { return nil }
    try spend(x.shape.count)
    let dims = x.shape.dims, strides = x.shape.strides
    let kept = Shape(dims.indices.map { axes.contains($0) ? 1 : dims[$0] }), places = kept.strides
    let shape =
      node.integer("keepdims", 1) != 0 ? kept : Shape(dims.indices.filter { !axes.contains($0) }.map { dims[$0] })
    /// The elements that become one, one after the other in their order.
    func combined<T>(_ values: [T], _ combine: (T, T) throws -> T) rethrows -> [T] {
      var results = [T](repeating: values[0], count: kept.count), isThere = [Bool](repeating: false, count: kept.count)
      for (index, value) in values.enumerated() {
        var place = 0
        for axis in dims.indices where !axes.contains(axis) {
          place += index / strides[axis] % dims[axis] * places[axis]
        }
        results[place] = isThere[place] ? try combine(results[place], value) : value
        isThere[place] = true
      }
      return results
    }
    if case .integers(let values) = x.values {
      guard !values.contains(ONNXConstant.batch), node.kind != "ReduceMean" else { return nil }
      let kind = ["ReduceMin": "Min", "ReduceMax": "Max", "ReduceSum": "Add", "ReduceProd": "Mul"][node.kind] ?? ""
      return ONNXConstant(
        x.element, shape, try combined(values) { try Self.arithmetic(kind, x.element, $0, $1) })
    }
    let values = x.floats.array(Float.self), results: [Float]
    switch node.kind {
    case "ReduceMin": results = combined(values) { $1 < $0 || $1.isNaN ? $1 : $0 }
    case "ReduceMax": results = combined(values) { $1 > $0 || $1.isNaN ? $1 : $0 }
    case "ReduceProd": results = combined(values, *)
    case "ReduceMean":
      let size = Float(x.shape.count / kept.count)
      results = combined(values, +).map { $0 / size }
    default: results = combined(values, +)
    }
    return ONNXConstant(x.element, Tensor(results, shape))
  }
}
