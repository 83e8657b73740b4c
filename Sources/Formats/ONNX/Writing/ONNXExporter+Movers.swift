import Diagnostics
import Network
import Tensors

// What moves, joins and repeats elements, and what goes over axes.
extension ONNXExporter {
  /// Nothing is moved: the axes are called otherwise.
  mutating func transposed(_ transpose: Transpose, _ value: Written) throws -> Written {
    var result = try straight(value)
    if result.isConstant {
      // In the order of the network, so that a constant stays one.
      result = each("Transpose", try ordered(result, Array(result.shape.indices)), named: result.name + " moved")
      file.nodes[file.nodes.count - 1].attributes = [("perm", .integers([0] + transpose.axes.map { $0 + 1 }))]
      result.shape = transpose.axes.map { value.shape[$0] }
      result.axes = Array(result.shape.indices)
      return result
    }
    let places = Self.inverse(transpose.axes)
    result.axes = result.axes.map { places[$0] }
    result.shape = transpose.axes.map { value.shape[$0] }
    return result
  }

  mutating func joined(_ node: Node, _ concat: Concat, _ inputs: [Written]) throws -> Written {
    let first = try straight(inputs.first { !$0.isConstant } ?? inputs[0])
    let axis = concat.axis(rank: first.shape.count), varies = inputs.contains(where: \.varies)
    let names = try inputs.map { input in
      let part = try ordered(input, first.axes)
      return name(varies ? try varying(part) : part)
    }
    let result = file.node("Concat", names, named: node.output, [("axis", .integer(first.place(of: axis)))])
    return Written(result, graph.shape(of: node.output).dims, axes: first.axes, varies: varies)
  }

  mutating func padded(_ node: Node, _ pad: Pad, _ value: Written) throws -> Written {
    let input = try straight(value)
    let pads = [0] + input.axes.map { pad.before[$0] } + [0] + input.axes.map { pad.after[$0] }
    var result = each("Pad", input, named: node.output, [file.integers(pads)])
    result.shape = graph.shape(of: node.output).dims
    return result
  }

  mutating func gathered(_ node: Node, _ gather: Gather, _ value: Written) throws -> Written {
    let input = try straight(value), indices = gather.indices, axis = input.place(of: gather.axis)
    var result: Written
    let step = indices.count > 1 ? indices[1] - indices[0] : 1
    if step != 0, zip(indices, indices.dropFirst()).allSatisfy({ $1 - $0 == step }) {
      // One that goes down to the first element ends before it.
      let end = indices[indices.count - 1] + (step > 0 ? 1 : -1)
      let bounds = [[indices[0]], [end < 0 ? Int(Int32.min) : end], [axis], [step]]
      result = each("Slice", input, named: node.output, bounds.map { file.integers($0) })
    } else {
      result = each("Gather", input, named: node.output, [file.integers(indices)])
      file.nodes[file.nodes.count - 1].attributes = [("axis", .integer(axis))]
    }
    result.shape = graph.shape(of: node.output).dims
    return result
  }

  mutating func expanded(_ node: Node, _ expand: Expand, _ value: Written) throws -> Written {
    let input = try straight(value), missing = expand.shape.rank - input.shape.count
    let axes = Array(0..<missing) + input.axes.map { $0 + missing }
    let source = try arranged(input, shape: [Int](repeating: 1, count: missing) + input.shape, axes)
    var result = each("Expand", source, named: node.output, [file.integers([1] + axes.map { expand.shape[$0] })])
    result.shape = expand.shape.dims
    return result
  }

  mutating func tiled(_ node: Node, _ tile: Tile, _ value: Written) throws -> Written {
    let input = try straight(value)
    var result = each("Tile", input, named: node.output, [file.integers([1] + input.axes.map { tile.repeats[$0] })])
    result.shape = graph.shape(of: node.output).dims
    return result
  }

  // MARK: Reductions

  mutating func reduced(_ node: Node, _ reduce: Reduce, _ value: Written) throws -> Written {
    let input = try straight(value),
      kinds = ["mean": "ReduceMean", "sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin"]
    let name = reduction(
      kinds[reduce.function.rawValue]!, name(input), reduce.axes.map(input.place).sorted(),
      keepsAxes: reduce.keepsAxes, named: node.output)
    return without(reduce.axes, input, name, node, keepsAxes: reduce.keepsAxes)
  }

  /// Along axes of the file's value: as an attribute or as an input, as the version has it.
  mutating func reduction(
    _ kind: String, _ input: String, _ axes: [Int], keepsAxes: Bool = true, named wanted: String
  ) -> String {
    let keeps = ("keepdims", ONNXGraphWriter.Attribute.integer(keepsAxes ? 1 : 0))
    if version >= 18 || kind == "ReduceSum" {
      return file.node(kind, [input, file.integers(axes)], named: wanted, [keeps])
    }
    return file.node(kind, [input], named: wanted, [("axes", .integers(axes)), keeps])
  }

  mutating func greatest(_ node: Node, _ argMax: ArgMax, _ value: Written) throws -> Written {
    let input = try straight(value)
    let place = file.node(
      "ArgMax", [name(input)], named: node.output + " place",
      [("axis", .integer(input.place(of: argMax.axis))), ("keepdims", .integer(argMax.keepsAxis ? 1 : 0))])
    let float = file.node("Cast", [place], named: node.output, [("to", .integer(ONNXElement.float32.rawValue))])
    return without([argMax.axis], input, float, node, keepsAxes: argMax.keepsAxis)
  }

  private func without(
    _ axes: [Int], _ input: Written, _ name: String, _ node: Node, keepsAxes: Bool
  ) -> Written {
    let shape = graph.shape(of: node.output).dims
    let left =
      keepsAxes
      ? input.axes : input.axes.filter { !axes.contains($0) }.map { axis in axis - axes.count { $0 < axis } }
    return Written(name, shape, axes: left, varies: input.varies)
  }

  // MARK: Sizes

  mutating func spread(_ node: Node, _ zeros: InsertZeros, _ value: Written) throws -> Written {
    let input = try image(value)
    var result = Written("", graph.shape(of: node.output).dims, axes: Self.channelsFirst, varies: value.varies)
    result.name = try zerosBetween(input, zeros.spacing, named: node.output)
    return result
  }

  /// Zeros between the pixels of an image: a transposed convolution of each channel with the number one.
  mutating func zerosBetween(_ input: Written, _ spacing: Size2D, named wanted: String) throws -> String {
    let channels = input.shape[2]
    let ones = form("ones \(channels)") {
      $0.file.initializer("ones \(channels)", .float32, [channels, 1, 1, 1]) { Tensor(repeating: 1, [channels]) }
    }
    return file.node(
      "ConvTranspose", [name(input), ones], named: wanted,
      [
        ("group", .integer(channels)), ("kernel_shape", .integers([1, 1])),
        ("strides", .integers([spacing.height, spacing.width])),
      ])
  }

  mutating func resized(_ node: Node, _ resize: Resize, _ value: Written) throws -> Written {
    let input = try image(value), before = [value.shape[0], value.shape[1]], after = [resize.height, resize.width]
    let scales = resize.scales ?? (0..<2).map { Float(after[$0]) / Float(before[$0]) }
    // Readers round what a scale makes of a size down, in one precision or the other.
    let isSame = (0..<2).allSatisfy { axis -> Bool in
      let single = (Float(before[axis]) * scales[axis]).rounded(.down)
      let double = (Double(before[axis]) * Double(scales[axis])).rounded(.down)
      return Int(single) == after[axis] && Int(double) == after[axis]
    }
    // Version 13 has no longer what TensorFlow did.
    guard resize.coordinates != .tfHalfPixelForNearest, isSame || resize.scales == nil else {
      return try interpolated(node, resize, input)
    }
    let linear = resize.interpolation == .bilinear
    var attributes: [(String, ONNXGraphWriter.Attribute)] = [
      ("coordinate_transformation_mode", .text(resize.coordinates.rawValue)),
      ("mode", .text(linear ? "linear" : "nearest")),
    ]
    if !linear { attributes.append(("nearest_mode", .text(resize.rounding.rawValue))) }
    guard isSame else {
      let sizes = self.sizes([value.shape[2]] + after)
      return try image(node, "Resize", [name(input), "", "", sizes], attributes, value)
    }
    let factors = [1, 1] + scales
    let list = form("scales \(factors)") { $0.file.floats(factors, named: "scales \(factors)") }
    return try image(node, "Resize", [name(input), "", list], attributes, value)
  }

  /// By the pixels that each new one lies between, one axis after the other.
  private mutating func interpolated(_ node: Node, _ resize: Resize, _ value: Written) throws -> Written {
    var image = name(value)
    for axis in [1, 0] {
      let taps = resize.taps(Shape(value.shape), axis: axis), wanted = node.output + (axis == 0 ? "" : " across")
      let at = ("axis", ONNXGraphWriter.Attribute.integer(axis + 2))
      let isNearest = taps.allSatisfy { $0.share == 0 }
      let first = file.node(
        "Gather", [image, file.integers(taps.map(\.first))], named: isNearest ? wanted : wanted + " first", [at])
      guard !isNearest else {
        image = first
        continue
      }
      let second = file.node("Gather", [image, file.integers(taps.map(\.second))], named: wanted + " second", [at])
      let shares = file.floats(
        taps.map(\.share), axis == 0 ? [taps.count, 1] : [taps.count], named: wanted + " shares")
      let distance = file.node("Sub", [second, first], named: wanted + " distance")
      let part = file.node("Mul", [distance, shares], named: wanted + " part")
      image = file.node("Add", [first, part], named: wanted)
    }
    return Written(image, graph.shape(of: node.output).dims, axes: Self.channelsFirst, varies: value.varies)
  }
}
