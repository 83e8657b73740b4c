import Diagnostics
import Network
import Tensors

/// Constants from integers and a scale, and back.
extension ONNXImporter {
  /// Integers times a scale, less a zero point: of the whole tensor or along one axis.
  mutating func dequantized(
    _ node: ONNXNode, _ x: ONNXConstant, _ inputs: [ONNXConstant?]
  ) throws -> ONNXConstant? {
    guard inputs.count > 1, let scale = inputs[1], case .integers(let values) = x.values else { return nil }
    let zero = inputs.count > 2 ? inputs[2] : nil
    let axis = scale.shape.count == 1 ? 0 : try Self.axis(node.integer("axis", 1), rank: x.shape.rank)
    if node.integer("block_size", 0) > 0 {
      try spend(x.shape.count)
      let axis = try Self.axis(node.integer("axis", 1), rank: x.shape.rank)
      return try dequantized(x, values, scale, zero, axis, block: Int(clamping: node.integer("block_size", 0)))
    }
    return try dequantized(x, scale, zero, axis: axis)
  }

  /// With a scale for the whole or for each element of an axis.
  mutating func dequantized(
    _ x: ONNXConstant, _ scale: ONNXConstant, _ zero: ONNXConstant?, axis: Int
  ) throws -> ONNXConstant {
    try spend(x.shape.count)
    let values = try x.integers(), scales = scale.floats.array(Float.self), zeros = try zero?.integers()
    guard zeros.map({ $0.count == scales.count || $0.count == 1 }) ?? true else {
      throw CompressError("\(scales.count) scales and \(zeros?.count ?? 0) zero points", kind: .input)
    }
    var extent = 1, inner = 1
    if scales.count != 1 {
      guard axis < x.shape.rank, scales.count == x.shape[axis] else {
        throw CompressError("\(scales.count) scales along axis \(axis) of shape \(x.shape)", kind: .input)
      }
      extent = x.shape[axis]
      inner = x.shape.dims[(axis + 1)...].reduce(1, *)
    }
    guard !scales.isEmpty, zeros.map({ !$0.isEmpty }) ?? true else {
      throw CompressError("no scale or zero point", kind: .input)
    }
    let floats = values.enumerated().map { index, value in
      let channel = index / inner % extent
      return Float(value &- (zeros.map { $0.count == 1 ? $0[0] : $0[channel] } ?? 0)) * scales[channel]
    }
    var constant = ONNXConstant(.float32, Tensor(floats, x.shape))
    constant.source = ONNXIntegers(element: x.element, values: values, scales: scales, zeros: zeros, axis: axis)
    constant.integerBits = x.element.bits
    return constant
  }

  /// Integers that floats are rounded to.
  mutating func quantized(_ node: ONNXNode, _ x: ONNXConstant, _ inputs: [ONNXConstant?]) throws -> ONNXConstant
  {
    guard inputs.count > 1, let scale = inputs[1], node.integer("block_size", 0) == 0 else {
      throw CompressError("a constant in blocks is not rounded while a file is read", kind: .input)
    }
    try spend(x.shape.count)
    let zero = inputs.count > 2 ? inputs[2] : nil, type = Int(node.integer("output_dtype", 0))
    let element = try zero?.element ?? (type == 0 ? .uint8 : ONNXElement(checking: type))
    let scales = scale.floats.array(Float.self), zeros = try zero?.integers()
    var extent = 1, inner = 1
    if scales.count != 1 {
      let axis = try Self.axis(node.integer("axis", 1), rank: x.shape.rank)
      extent = x.shape[axis]
      inner = x.shape.dims[(axis + 1)...].reduce(1, *)
    }
    let isSigned = element.wrapped(-1) < 0, bits = Int64(element.bits)
    guard !element.isFloat, bits <= 32, scales.count == extent, zeros?.count ?? extent == extent else {
      throw CompressError("\(scales.count) scales along an axis of \(extent), to \(element)", kind: .input)
    }
    let low = isSigned ? -(1 << (bits - 1)) : Int64(0), high = isSigned ? 1 << (bits - 1) - 1 : Int64(1) << bits - 1
    let integers = x.floats.array(Float.self).enumerated().map { index, value -> Int64 in
      let channel = index / inner % extent, rounded = (value / scales[channel]).rounded(.toNearestOrEven)
      let zero = zeros?[channel] ?? 0
      guard rounded.isFinite else { return rounded > 0 ? high : rounded < 0 ? low : zero }
      return min(max(Int64(max(min(rounded, 0x1p40), -0x1p40)) + zero, low), high)
    }
    return ONNXConstant(element, x.shape, integers)
  }

  /// With a scale for each block along an axis.
  func dequantized(
    _ x: ONNXConstant, _ values: [Int64], _ scale: ONNXConstant, _ zero: ONNXConstant?, _ axis: Int, block: Int
  ) throws -> ONNXConstant {
    var dims = x.shape.dims
    dims[axis] = (dims[axis] - 1) / block + 1
    guard x.shape.count > 0, scale.shape.dims == dims, zero?.shape.dims ?? dims == dims else {
      throw CompressError("scales of shape \(scale.shape) for \(x.shape) in blocks of \(block)", kind: .input)
    }
    let scales = scale.floats.array(Float.self), zeros = try zero?.integers()
    let extent = x.shape[axis], inner = x.shape.dims[(axis + 1)...].reduce(1, *)
    let floats = values.enumerated().map { index, value in
      let outer = index / inner / extent, place = index / inner % extent / block
      let channel = (outer * dims[axis] + place) * inner + index % inner
      return Float(value &- (zeros?[channel] ?? 0)) * scales[channel]
    }
    var constant = ONNXConstant(.float32, Tensor(floats, x.shape))
    constant.integerBits = x.element.bits
    return constant
  }
}
