import Diagnostics
import Network
import Tensors

// Layers with weights, and windows over images.
extension ONNXExporter {
  mutating func convolution(_ node: Node, _ conv: Conv2D, _ input: Written) throws -> Written {
    let shape = input.shape, window = conv.window
    guard !conv.isTransposed else { return try transposedConvolution(node, conv, input) }
    let pads = window.pads(height: shape[0], width: shape[1])
    return try convolution(
      node, conv, input, kind: "Conv",
      attributes: Self.attributes(window, [pads.top, pads.left, pads.bottom, pads.right], groups: conv.groups),
      dims: [conv.filters, shape[2] / conv.groups, window.size.height, window.size.width], channelAxis: 0
    ) { try $0.transposed([0, 3, 1, 2]) }
  }

  private static func attributes(
    _ window: Window, _ pads: [Int], groups: Int
  ) -> [(String, ONNXGraphWriter.Attribute)] {
    func pair(_ size: Size2D) -> ONNXGraphWriter.Attribute { .integers([size.height, size.width]) }
    return [
      ("dilations", pair(window.dilation)), ("group", .integer(groups)), ("kernel_shape", pair(window.size)),
      ("pads", .integers(pads)), ("strides", pair(window.stride)),
    ]
  }

  private mutating func transposedConvolution(_ node: Node, _ conv: Conv2D, _ input: Written) throws -> Written {
    let window = conv.window, spacing = conv.inputDilation
    let spread = try InsertZeros(spacing).outputShapes([Shape(input.shape)])[0].dims
    let pads = window.pads(height: spread[0], width: spread[1])
    let rows = (window.size.height - 1) * window.dilation.height
    let columns = (window.size.width - 1) * window.dilation.width
    // What is cut off at each side; less than nothing at bottom and right is output padding.
    let cut = [rows - pads.top, columns - pads.left, rows - pads.bottom, columns - pads.right]
    let more = [max(0, -cut[2]), max(0, -cut[3])]
    guard window.stride == Size2D(1), cut[0] >= 0, cut[1] >= 0, more[0] < spacing.height, more[1] < spacing.width else {
      // Zeros between the pixels, and a plain convolution.
      var plain = conv
      plain.inputDilation = Size2D(1)
      var apart = try image(input)
      apart.name = try zerosBetween(apart, spacing, named: node.output + " spread")
      apart.shape = spread
      apart.encoding = nil
      return try convolution(node, plain, apart)
    }
    var attributes = Self.attributes(window, [cut[0], cut[1], max(0, cut[2]), max(0, cut[3])], groups: conv.groups)
    attributes[4] = ("strides", .integers([spacing.height, spacing.width]))
    if more != [0, 0] { attributes.insert(("output_padding", .integers(more)), at: 3) }
    let groups = conv.groups, each = conv.filters / groups, channels = input.shape[2], size = window.size
    return try convolution(
      node, conv, input, kind: "ConvTranspose", attributes: attributes,
      dims: [channels, each, size.height, size.width], channelAxis: groups == 1 ? 1 : nil
    ) {
      // [out, h, w, in / groups], turned by 180 degrees, as [in, out / groups, h, w].
      var kernel = try $0.gathered(axis: 1, Array((0..<size.height).reversed()))
      kernel = try kernel.gathered(axis: 2, Array((0..<size.width).reversed()))
      kernel = try kernel.reshaped([groups, each, size.height, size.width, channels / groups])
      return try kernel.transposed([0, 4, 1, 2, 3]).contiguous().reshaped([channels, each, size.height, size.width])
    }
  }

  private mutating func convolution(
    _ node: Node, _ conv: Conv2D, _ value: Written, kind: String,
    attributes: [(String, ONNXGraphWriter.Attribute)], dims: [Int], channelAxis: Int?,
    _ arrange: @escaping (Tensor) throws -> Tensor
  ) throws -> Written {
    let input = try image(value)
    if let result = try dynamic(
      node, input, kind: kind, attributes: attributes, dims: dims, channels: [conv.filters, 1, 1], arrange)
    {
      return Written(
        result, graph.shape(of: node.output).dims, axes: Self.channelsFirst, varies: value.varies)
    }
    var inputs = [try rounded(node, name(input), input)]
    inputs.append(
      weight(
        node.name, .weight, key: "\(kind) \(dims)", dims: dims, channelAxis: channelAxis,
        named: graph.owner(of: node.name) + ".weight", arrange))
    if conv.hasBias { inputs.append(bias(of: node)) }
    return try image(node, kind, inputs, attributes, value)
  }

  // MARK: Products

  mutating func product(_ node: Node, _ dense: Dense, _ value: Written) throws -> Written {
    let width = value.shape.last!, units = dense.units, shape = graph.shape(of: node.output).dims
    if value.shape.count == 1 {
      var key = "Gemm", arrange: (Tensor) throws -> Tensor = { $0 }
      if let image = value.image {
        // The elements lie in the order of the file's image: so do the weight's columns.
        key += " \(image.shape) \(image.axes)"
        arrange = { weight in
          try weight.reshaped([units] + image.shape).transposed([0] + image.axes.map { $0 + 1 }).contiguous()
            .reshaped([units, width])
        }
      }
      if let result = try dynamic(
        node, value, kind: "MatMul", attributes: [], dims: [width, units], channels: [units],
        { try arrange($0).transposed([1, 0]) })
      {
        return Written(result, shape, varies: value.varies)
      }
      let weight = weight(
        node.name, .weight, key: key, dims: [units, width], channelAxis: 0,
        named: graph.owner(of: node.name) + ".weight", arrange)
      let inputs = [try rounded(node, name(value), value), weight] + (dense.hasBias ? [bias(of: node)] : [])
      return Written(
        file.node("Gemm", inputs, named: node.output, [("transB", .integer(1))]), shape, varies: value.varies)
    }
    let last = value.shape.count - 1
    let input = try ordered(value, value.axes.filter { $0 != last } + [last])
    var result = Written("", shape, axes: input.axes, varies: value.varies)
    if let dynamic = try dynamic(
      node, input, kind: "MatMul", attributes: [], dims: [width, units], channels: [units],
      { try $0.transposed([1, 0]) })
    {
      result.name = dynamic
      return result
    }
    let weight = weight(
      node.name, .weight, key: "MatMul", dims: [width, units], channelAxis: 1,
      named: graph.owner(of: node.name) + ".weight"
    ) { try $0.transposed([1, 0]) }
    let inputs = [try rounded(node, name(input), input), weight]
    guard dense.hasBias else {
      result.name = file.node("MatMul", inputs, named: node.output)
      return result
    }
    let product = file.node("MatMul", inputs, named: node.output + " product")
    result.name = file.node("Add", [product, bias(of: node)], named: node.output)
    return result
  }

  mutating func product(_ node: Node, _ product: MatMul, _ inputs: [Written]) throws -> Written {
    let rank = max(inputs[0].shape.count, inputs[1].shape.count)
    func padded(_ shape: [Int]) -> [Int] { [Int](repeating: 1, count: rank - shape.count) + shape }
    let plain = Array(0..<rank)
    let turned = Array(0..<rank - 2) + [rank - 1, rank - 2]
    let a = try arranged(inputs[0], shape: padded(inputs[0].shape), plain)
    let b = try arranged(inputs[1], shape: padded(inputs[1].shape), product.transposesSecond ? turned : plain)
    let result = file.node("MatMul", [name(a), name(b)], named: node.output)
    return Written(result, graph.shape(of: node.output).dims, varies: a.varies || b.varies)
  }

  mutating func attended(_ node: Node, _ attention: Attention, _ inputs: [Written]) throws -> Written {
    let heads = attention.heads, shapes = inputs.map(\.shape), output = node.output
    func split(_ exporter: inout ONNXExporter, _ index: Int, _ perm: [Int], _ what: String) throws -> String {
      let plain = try exporter.ordered(inputs[index], [0, 1]), shape = shapes[index]
      let apart = exporter.reshape(
        exporter.name(plain), [shape[0], heads, shape[1] / heads], named: "\(output) \(what) apart", keepsBatch: true)
      return exporter.file.node("Transpose", [apart], named: "\(output) \(what)", [("perm", .integers(perm))])
    }
    let queries = try split(&self, 0, [0, 2, 1, 3], "queries"), keys = try split(&self, 1, [0, 2, 3, 1], "keys")
    let values = try split(&self, 2, [0, 2, 1, 3], "values")
    let products = file.node("MatMul", [queries, keys], named: output + " products")
    let scale = file.number(attention.scale(Shape(shapes[0])))
    let scores = file.node("Mul", [products, scale], named: output + " scores")
    let shares = file.node("Softmax", [scores], named: output + " shares", [("axis", .integer(-1))])
    let sums = file.node("MatMul", [shares, values], named: output + " sums")
    let together = file.node("Transpose", [sums], named: output + " together", [("perm", .integers([0, 2, 1, 3]))])
    let shape = graph.shape(of: output).dims
    return Written(
      reshape(together, shape, named: output, keepsBatch: true), shape, varies: inputs.contains(where: \.varies))
  }

  // MARK: Pools

  mutating func pooled(_ node: Node, _ pool: Pool2D, _ value: Written) throws -> Written {
    let input = try image(value), window = pool.window
    let pads = window.pads(height: value.shape[0], width: value.shape[1])
    var attributes: [(String, ONNXGraphWriter.Attribute)] = [
      ("kernel_shape", .integers([window.size.height, window.size.width])),
      ("pads", .integers([pads.top, pads.left, pads.bottom, pads.right])),
      ("strides", .integers([window.stride.height, window.stride.width])),
    ]
    if pool.countsPadding { attributes.insert(("count_include_pad", .integer(1)), at: 0) }
    return try image(
      node, pool.reduction == .max ? "MaxPool" : "AveragePool", [name(input)], attributes, value)
  }

  mutating func pooled(_ node: Node, _ pool: GlobalPool, _ value: Written) throws -> Written {
    let input = try image(value), channels = value.shape[2]
    let pooled = file.node(
      pool.reduction == .max ? "GlobalMaxPool" : "GlobalAveragePool", [name(input)], named: node.output)
    var result = Written(pooled, [1, 1, channels], axes: Self.channelsFirst, varies: value.varies)
    // Integers come directly behind it, before the axes go.
    result = try encoded(result, node.output)
    return try reshaped(result, [channels], named: node.output + " vector")
  }
}
