import Diagnostics
import Tensors

// What is known while a file is read: chains that compute shapes, and weights that are stored otherwise than they are
// read.
extension TFLiteImporter {
  /// What a node gives where all it takes is known and it is one of those that are folded; otherwise nil.
  mutating func folded(_ node: TFLiteNode) throws -> TFLiteConstant? {
    guard !node.isCustom, let first = node.input(0), node.outputs.count == 1 else { return nil }
    if node.kind == "DENSIFY" || node.kind == "DEQUANTIZE" {
      guard let constant = try known(first) else { return nil }
      try spend(constant.shape.count)
      let dense = graph.tensors[first].sparsity == nil ? constant : try dense(first, constant)
      if node.kind == "DENSIFY" || dense.type.isFloat { return dense }
      var floats = dense
      floats.isDequantized = true
      return floats
    }
    var inputs: [TFLiteConstant] = []
    for input in node.inputs {
      guard input >= 0, let constant = try known(input) else { return nil }
      inputs.append(constant)
    }
    let x = inputs[0], type = graph.tensors[node.outputs[0]].type
    switch node.kind {
    case "CAST":
      try spend(x.shape.count)
      if x.isFloat, type.isFloat { return x }
      if !x.isFloat, type.isFloat {
        return TFLiteConstant(Tensor(try x.integers().map { Float($0) }, x.shape))
      }
      guard !x.isFloat, [.int32, .int64].contains(type) else { return nil }
      return TFLiteConstant(try x.integers(), x.shape, type: type)
    case "RESHAPE":
      guard let wanted = try inputs.dropFirst().first?.indices() else { return nil }
      let shape = Shape(try Self.target(wanted, of: x.shape.dims))
      return x.isDequantized ? TFLiteConstant(try x.floats().reshaped(shape.dims)) : try x.reshaped(shape)
    case "SHAPE": return TFLiteConstant(x.shape.dims.map { Int64($0) }, type: .int32)
    default: break
    }
    // All else is about shapes: few integers.
    guard inputs.allSatisfy({ [.int32, .int64].contains($0.type) }) else { return nil }
    try spend(inputs.reduce(0) { $0 + $1.shape.count })
    let integers = try x.integers()
    switch node.kind {
    case "STRIDED_SLICE":
      let (cuts, dims) = try stridedCuts(node, x.shape.dims)
      let strides = x.shape.strides
      let places = cuts.enumerated().reduce([0]) { outer, cut in
        outer.flatMap { start in cut.element.map { start + $0 * strides[cut.offset] } }
      }
      return TFLiteConstant(places.map { integers[$0] }, Shape(dims), type: type)
    case "GATHER":
      guard x.shape.rank == 1, inputs.count == 2 else { return nil }
      let picked = try inputs[1].indices().map { index in
        guard integers.indices.contains(index) else {
          throw CompressError("index \(index) of \(integers.count)", kind: .input)
        }
        return integers[index]
      }
      return TFLiteConstant(picked, inputs[1].shape, type: type)
    case "PACK":
      guard x.shape.count == 1 else { return nil }
      return TFLiteConstant(try inputs.flatMap { try $0.integers() }, type: type)
    case "CONCATENATION":
      guard inputs.allSatisfy({ $0.shape.rank == 1 }) else { return nil }
      return TFLiteConstant(try inputs.flatMap { try $0.integers() }, type: type)
    case "SQUEEZE":
      return TFLiteConstant(integers, Shape(x.shape.dims.filter { $0 != 1 }), type: type)
    case "EXPAND_DIMS": return x.shape.rank == 0 ? TFLiteConstant(integers, [1], type: type) : nil
    case "REDUCE_PROD":
      var product: Int64 = 1
      for value in integers { product = try Self.checked(product.multipliedReportingOverflow(by: value)) }
      return x.shape.rank == 1 ? TFLiteConstant([product], [], type: type) : nil
    case "ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "FLOOR_DIV":
      guard inputs.count == 2 else { return nil }
      let other = try inputs[1].integers()
      let shape = try Shape.broadcast(x.shape, inputs[1].shape)
      guard shape.rank <= 1, !integers.isEmpty, !other.isEmpty else { return nil }
      let results = try (0..<shape.count).map { index -> Int64 in
        let a = integers[integers.count == 1 ? 0 : index], b = other[other.count == 1 ? 0 : index]
        switch node.kind {
        case "ADD": return try Self.checked(a.addingReportingOverflow(b))
        case "SUB": return try Self.checked(a.subtractingReportingOverflow(b))
        case "MUL": return try Self.checked(a.multipliedReportingOverflow(by: b))
        case "MAXIMUM": return max(a, b)
        case "MINIMUM": return min(a, b)
        default:
          guard a >= 0, b > 0 else { throw CompressError("divides \(a) by \(b)", kind: .input) }
          return a / b
        }
      }
      return TFLiteConstant(results, shape, type: type)
    default: return nil
    }
  }

  private static func checked(_ result: (partialValue: Int64, overflow: Bool)) throws -> Int64 {
    guard !result.overflow else { throw CompressError("a product or sum of sizes exceeds 64 bits", kind: .input) }
    return result.partialValue
  }

  /// A sparse tensor with all its elements.
  mutating func dense(_ tensor: Int, _ constant: TFLiteConstant) throws -> TFLiteConstant {
    guard let table = graph.tensors[tensor].sparsity, case .bytes(let bytes, let owner) = constant.content else {
      return constant
    }
    let shape = constant.shape, type = constant.type
    guard let bits = type.bits, bits % 8 == 0 else {
      throw CompressError("a sparse tensor of elements \(type)", kind: .input)
    }
    try spend(2 * shape.count)
    let count = bytes.count / (bits / 8)
    let places = try TFLiteSparsity(table).places(shape, count: count)
    let stored = try TFLiteConstant(
      type, [count], nil, bytes: bytes, owner: owner)
    if type.isFloat {
      let values = try stored.stored().converted(to: .float32).array(Float.self)
      var all = [Float](repeating: 0, count: shape.count)
      for (index, place) in places.enumerated() { all[place] = values[index] }
      let tensor = Tensor(all, shape)
      return TFLiteConstant(type, shape, nil, .floats(type == .float16 ? tensor.converted(to: .float16) : tensor))
    }
    // What is left out is zero, which has the zero point.
    let values = try stored.integers()
    var all = [Int64](repeating: constant.quantization?.zeroPoint(0) ?? 0, count: shape.count)
    for (index, place) in places.enumerated() { all[place] = values[index] }
    return TFLiteConstant(type, shape, constant.quantization, .integers(all))
  }

  // MARK: Slices

  /// Which indices of each axis a strided slice takes, and the shape of what comes of it.
  mutating func stridedCuts(_ node: TFLiteNode, _ dims: [Int]) throws -> (cuts: [[Int]], dims: [Int]) {
    let options = try node.options(.stridedSlice)
    func mask(_ field: Int) throws -> Int { Int(try options?.integer(field, Int32(0)) ?? 0) }
    let begins = try required(node, 1).indices(), ends = try required(node, 2).indices()
    let strides = try required(node, 3).indices()
    let beginMask = try mask(TFLiteField.StridedSlice.begin), endMask = try mask(TFLiteField.StridedSlice.end)
    let shrinkMask = try mask(TFLiteField.StridedSlice.shrinkAxis)
    guard try mask(TFLiteField.StridedSlice.ellipsis) == 0, try mask(TFLiteField.StridedSlice.newAxis) == 0 else {
      throw CompressError("ellipsis and new axes are not supported", kind: .input)
    }
    guard begins.count == ends.count, strides.count == begins.count, begins.count <= dims.count,
      strides.allSatisfy({ $0 != 0 && abs(Double($0)) < 0x1p31 })
    else {
      throw CompressError("begins \(begins), ends \(ends), strides \(strides) of shape \(dims)", kind: .input)
    }
    var cuts: [[Int]] = [], left: [Int] = []
    for (axis, extent) in dims.enumerated() {
      try spend(Self.indexCost * extent)
      guard axis < begins.count else {
        cuts.append(Array(0..<extent))
        left.append(extent)
        continue
      }
      let bit = 1 << axis, stride = strides[axis]
      func wrapped(_ index: Int) -> Int { index < 0 ? max(index, -extent - 1) + extent : min(index, extent) }
      if shrinkMask & bit != 0 {
        let index = wrapped(begins[axis])
        guard (0..<extent).contains(index) else {
          throw CompressError("index \(begins[axis]) of an axis of \(extent)", kind: .input)
        }
        cuts.append([index])
        continue
      }
      var places: [Int] = []
      if stride > 0 {
        let first = beginMask & bit != 0 ? 0 : max(wrapped(begins[axis]), 0)
        let end = endMask & bit != 0 ? extent : max(wrapped(ends[axis]), 0)
        places = first < end ? Array(Swift.stride(from: first, to: end, by: stride)) : []
      } else {
        let first = beginMask & bit != 0 ? extent - 1 : min(wrapped(begins[axis]), extent - 1)
        let end = endMask & bit != 0 ? -1 : max(wrapped(ends[axis]), -1)
        places = first > end ? Array(Swift.stride(from: first, to: end, by: stride)) : []
      }
      cuts.append(places)
      left.append(places.count)
    }
    return (cuts, left)
  }
}
