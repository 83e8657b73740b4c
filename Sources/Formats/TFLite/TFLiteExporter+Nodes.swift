import Diagnostics
import Network
import Tensors

extension TFLiteExporter {
  /// What a layer gives: its own value, or that of what clamps as part of it.
  func result(_ node: Node) -> String { clamps[node.name]?.output ?? node.output }

  static func unsupported(_ what: String) -> CompressError {
    CompressError("\(what) is nothing that TFLite files can say", kind: .input, hint: "docs/tflite.md lists what is")
  }

  mutating func add(_ node: Node) throws {
    switch node.op {
    case .input: break
    case .constant(let constant):
      give(
        node.output,
        float: self.constant(model[node.name, constant.role]!.values, dims(node.output), named: node.name))
    case .conv2d(let conv): try add(node, conv)
    case .dense: try addDense(node)
    case .batchNorm: try addNorm(node)
    case .activation(let function): try add(node, function)
    case .pool2d(let pool): try add(node, pool)
    case .globalPool(let pool): try add(node, pool)
    case .add: try addPair(node, "ADD", .add)
    case .mul: try addPair(node, "MUL", .mul)
    case .binary(let binary): try add(node, binary)
    case .concat(let concat): try add(node, concat)
    case .flatten, .reshape, .dropout: try addSelection(node) { $0.reshape($1, to: $2, named: node.name, as: $3) }
    case .pad(let pad):
      let pads = [0, 0] + zip(pad.before, pad.after).flatMap { [$0, $1] }
      try addSelection(node) {
        $0.emit(
          "PAD", [$1, $0.list(pads, dims: [pads.count / 2, 2])], $2, named: node.name, as: $3, .pad,
          version: $3 == nil ? 1 : 2, mayExceed: false)
      }
    case .prelu:
      let slope = model[node.name, .slope]!.values, rank = dims(node.inputs[0]).count
      let ones = [Int](repeating: 1, count: rank - 2)
      let alpha = constant(slope, ones + [slope.count], named: node.name + " slope")
      let input = try float(node.inputs[0])
      give(node.output, float: emit("PRELU", [input, alpha], dims(node.output), named: node.name))
    case .reduce(let reduce): try add(node, reduce)
    case .argMax(let argMax): try add(node, argMax)
    case .normalization(let norm): try add(node, norm)
    case .matmul(let product):
      let inputs = try node.inputs.map { try float($0) }
      give(
        node.output,
        float: emit(
          "BATCH_MATMUL", inputs, dims(node.output), named: node.name, .batchMatMul,
          [TFLiteField.BatchMatMul.transposesSecond: .flag(product.transposesSecond)]))
    case .attention(let attention): try add(node, attention)
    case .transpose(let transpose):
      let axes = [0] + transpose.axes.map { $0 + 1 }
      try addSelection(node) {
        $0.emit(
          "TRANSPOSE", [$1, $0.list(axes)], $2, named: node.name, as: $3, .transpose, version: $3 == nil ? 1 : 2,
          mayExceed: false)
      }
    case .gather(let gather):
      try addSelection(node) { $0.taking($1, gather.axis + 1, gather.indices, $2, named: node.name, as: $3) }
    case .expand(let expand): try add(node, expand)
    case .tile(let tile):
      try addSelection(node) {
        $0.emit(
          "TILE", [$1, $0.list([1] + tile.repeats)], $2, named: node.name, as: $3, .tile,
          version: $3 == nil ? 1 : 3, mayExceed: false)
      }
    case .depthToSpace(let op): try add(node, op)
    case .spaceToDepth(let op):
      try addSelection(node) {
        $0.emit(
          "SPACE_TO_DEPTH", [$1], $2, named: node.name, as: $3, .spaceToDepth,
          [TFLiteField.Block.size: .int(Int32(op.block))], version: $3 == nil ? 1 : 2, mayExceed: false)
      }
    case .resize(let resize): try add(node, resize)
    case .insertZeros: throw Self.unsupported("setting pixels apart")
    }
  }

  /// What only moves elements or chooses among them: on integers in the scale of its input.
  mutating func addSelection(
    _ node: Node, _ made: (inout TFLiteExporter, Int, [Int], ActivationQuantization?) -> Int
  ) throws {
    let input = node.inputs[0]
    if let encoding = encodings[input], encodings[node.output] != nil {
      let source = try integer(input)
      give(node.output, integer: made(&self, source, dims(node.output), encoding), as: encoding)
    } else {
      let source = try float(input)
      give(node.output, float: made(&self, source, dims(node.output), nil))
    }
  }

  /// Some indices of an axis.
  mutating func taking(
    _ tensor: Int, _ axis: Int, _ indices: [Int], _ dims: [Int], named name: String,
    as encoding: ActivationQuantization?
  ) -> Int {
    let step = indices.count > 1 ? indices[1] - indices[0] : 1
    let isEven = step > 0 && zip(indices, indices.dropFirst()).allSatisfy { $1 - $0 == step }
    guard isEven, let first = indices.first, let last = indices.last else {
      return emit(
        "GATHER", [tensor, list(indices)], dims, named: name, as: encoding, .gather,
        [TFLiteField.Gather.axis: .int(Int32(axis))], version: encoding == nil ? 1 : 2, mayExceed: false)
    }
    // All of the other axes.
    let rank = dims.count
    var begins = [Int](repeating: 0, count: rank), ends = dims, steps = [Int](repeating: 1, count: rank)
    (begins[axis], ends[axis], steps[axis]) = (first, last + 1, step)
    return emit(
      "STRIDED_SLICE", [tensor, list(begins), list(ends), list(steps)], dims, named: name, as: encoding, .stridedSlice,
      version: encoding == nil ? 1 : 2, mayExceed: false)
  }

  mutating func add(_ node: Node, _ concat: Concat) throws {
    let axis = concat.axis(rank: graph.shape(of: node.inputs[0]).rank) + 1
    let options: Fields = [TFLiteField.Concatenation.axis: .int(Int32(axis))]
    if let encoding = encodings[node.output], node.inputs.allSatisfy({ encodings[$0] != nil }) {
      let inputs = try node.inputs.map { try integer($0, as: encoding) }
      let tensor = emit(
        "CONCATENATION", inputs, dims(node.output), named: node.name, as: encoding, .concatenation, options, version: 2,
        mayExceed: false)
      return give(node.output, integer: tensor, as: encoding)
    }
    let inputs = try node.inputs.map { try float($0) }
    give(
      node.output, float: emit("CONCATENATION", inputs, dims(node.output), named: node.name, .concatenation, options))
  }

  mutating func add(_ node: Node, _ expand: Expand) throws {
    let shape = expand.shape
    try addSelection(node) { exporter, tensor, dims, encoding in
      exporter.emit(
        "BROADCAST_TO", [tensor, exporter.list([1] + shape.dims)], dims, named: node.name, as: encoding, .broadcastTo,
        version: 2, mayExceed: false)
    }
  }

  mutating func add(_ node: Node, _ op: DepthToSpace) throws {
    let shape = graph.shape(of: node.inputs[0]), block = op.block
    let options: Fields = [TFLiteField.Block.size: .int(Int32(block))]
    try addSelection(node) { exporter, tensor, dims, encoding in
      var source = tensor
      if op.order == .depthFirst {
        // Channels in the order that TensorFlow has them.
        let count = shape[2], each = count / (block * block)
        let order = (0..<count).map { $0 % each * block * block + $0 / each }
        source = exporter.taking(tensor, 3, order, [1] + shape.dims, named: node.name + " channels", as: encoding)
      }
      return exporter.emit(
        "DEPTH_TO_SPACE", [source], dims, named: node.name, as: encoding, .depthToSpace, options, mayExceed: false)
    }
  }

  mutating func add(_ node: Node, _ resize: Resize) throws {
    let shape = graph.shape(of: node.inputs[0])
    guard resize.interpolation == .nearest else {
      guard resize.scales == nil else { throw Self.unsupported("resizing by scales that do not fit the size") }
      let isHalf: Bool, aligns: Bool
      switch resize.coordinates {
      case .alignCorners: (isHalf, aligns) = (false, true)
      case .asymmetric: (isHalf, aligns) = (false, false)
      case .halfPixel: (isHalf, aligns) = (true, false)
      case .pytorchHalfPixel where resize.height > 1 && resize.width > 1: (isHalf, aligns) = (true, false)
      case .pytorchHalfPixel, .tfHalfPixelForNearest:
        throw Self.unsupported("resizing linearly by the coordinates \(resize.coordinates.rawValue)")
      }
      let input = try float(node.inputs[0])
      let tensor = emit(
        "RESIZE_BILINEAR", [input, list([resize.height, resize.width])], dims(node.output), named: node.name,
        .resizeBilinear,
        [
          TFLiteField.ResizeBilinear.alignCorners: .flag(aligns),
          TFLiteField.ResizeBilinear.halfPixelCenters: .flag(isHalf),
        ], version: isHalf ? 3 : 1)
      return give(node.output, float: tensor)
    }
    let rows = resize.taps(shape, axis: 0).map(\.first), columns = resize.taps(shape, axis: 1).map(\.first)
    for (aligns, isHalf) in [(false, false), (false, true), (true, false)] {
      let same =
        TFLiteNearest.places(shape[0], resize.height, aligns: aligns, isHalf: isHalf) == rows
        && TFLiteNearest.places(shape[1], resize.width, aligns: aligns, isHalf: isHalf) == columns
      guard same else { continue }
      return try addSelection(node) {
        $0.emit(
          "RESIZE_NEAREST_NEIGHBOR", [$1, $0.list([resize.height, resize.width])], $2, named: node.name, as: $3,
          .resizeNearestNeighbor,
          [
            TFLiteField.ResizeNearestNeighbor.alignCorners: .flag(aligns),
            TFLiteField.ResizeNearestNeighbor.halfPixelCenters: .flag(isHalf),
          ], version: aligns || isHalf ? 3 : $3 == nil ? 1 : 2, mayExceed: false)
      }
    }
    try addSelection(node) {
      let down = $0.taking($1, 1, rows, [1, rows.count, shape[1], shape[2]], named: node.name + " rows", as: $3)
      return $0.taking(down, 2, columns, $2, named: node.name, as: $3)
    }
  }

  // MARK: Pools and reductions

  mutating func add(_ node: Node, _ pool: Pool2D) throws {
    let shape = graph.shape(of: node.inputs[0])
    let pads = pool.window.pads(height: shape[0], width: shape[1])
    let isMax = pool.reduction == .max, kind = isMax ? "MAX_POOL_2D" : "AVERAGE_POOL_2D"
    var padding = TFLitePadding.valid, isApart = pads != (0, 0, 0, 0)
    if isApart, !pool.countsPadding, isSame(pool.window, shape, pads) { (padding, isApart) = (.same, false) }
    let window = pool.window
    func options(_ exporter: TFLiteExporter) -> Fields {
      exporter.windowOptions(window, padding).merging([
        TFLiteField.Pool2D.width: .int(Int32(window.size.width)),
        TFLiteField.Pool2D.height: .int(Int32(window.size.height)),
      ]) { $1 }
    }
    let list = [0, 0, pads.top, pads.bottom, pads.left, pads.right, 0, 0]
    let padded = [1, shape[0] + pads.top + pads.bottom, shape[1] + pads.left + pads.right, shape[2]]
    let staysInScale = encodings[node.inputs[0]] == encodings[node.output]
    if !isMax, !staysInScale, !isApart || pool.countsPadding {
      // Rounded once, to the scale of the output.
      var source = try float(node.inputs[0])
      if isApart {
        source = emit("PAD", [source, self.list(list, dims: [4, 2])], padded, named: node.name + " padded", .pad)
      }
      let mean = emit(kind, [source], dims(node.output), named: node.name, .pool2D, options(self))
      return give(node.output, float: mean)
    }
    if !isMax, isApart, !pool.countsPadding {
      // The mean of the pixels inside: of all with zeros around, times how many there are to how many count.
      var source = try float(node.inputs[0])
      source = emit(
        "PAD", [source, self.list(list, dims: [4, 2])], padded, named: node.name + " padded", .pad)
      let mean = emit(kind, [source], dims(node.output), named: node.name + " of all", .pool2D, options(self))
      let out = graph.shape(of: node.output)
      func inside(_ extent: Int, _ before: Int, _ size: Int, _ stride: Int, _ count: Int) -> [Float] {
        (0..<count).map { index in
          let start = index * stride - before
          return Float(min(start + size, extent) - max(start, 0))
        }
      }
      let rows = inside(shape[0], pads.top, window.size.height, window.stride.height, out[0])
      let columns = inside(shape[1], pads.left, window.size.width, window.stride.width, out[1])
      let taps = Float(window.size.height * window.size.width)
      let factors = rows.flatMap { row in columns.map { taps / (row * $0) } }
      let factor = constant(Tensor(factors, [out[0], out[1], 1]), [1, out[0], out[1], 1], named: node.name + " share")
      return give(
        node.output, float: emit("MUL", [mean, factor], dims(node.output), named: node.name, .mul))
    }
    try addSelection(node) { exporter, tensor, dims, encoding in
      var source = tensor
      if isApart {
        var inputs = [tensor, exporter.list(list, dims: [4, 2])]
        if isMax {
          // Less than every value.
          inputs.append(
            encoding.map {
              exporter.content.tensor(
                node.name + " least", [1], .int8, bytes: [0x80], quantization: Self.quantization($0))
            } ?? exporter.number(-.greatestFiniteMagnitude, named: node.name + " least"))
        }
        source = exporter.emit(
          isMax ? "PADV2" : "PAD", inputs, padded, named: node.name + " padded", as: encoding, isMax ? .padV2 : .pad,
          version: encoding == nil ? 1 : 2, mayExceed: false)
      }
      return exporter.emit(
        kind, [source], dims, named: node.name, as: encoding, .pool2D, options(exporter),
        version: encoding == nil ? 1 : 2, mayExceed: false)
    }
  }

  mutating func add(_ node: Node, _ pool: GlobalPool) throws {
    let isMean = pool.reduction == .average, kind = isMean ? "MEAN" : "REDUCE_MAX"
    let options: Fields = [TFLiteField.Reducer.keepsAxes: .flag(false)]
    if let own = encodings[node.inputs[0]], let encoding = encodings[node.output] {
      // Means are rounded to any scale, maxima stay in theirs.
      let held = isMean ? encoding : own
      let tensor = emit(
        kind, [try integer(node.inputs[0]), list([1, 2])], dims(node.output), named: node.name, as: held, .reducer,
        options, version: 2)
      return give(node.output, integer: tensor, as: held)
    }
    let input = try float(node.inputs[0])
    give(
      node.output,
      float: emit(kind, [input, list([1, 2])], dims(node.output), named: node.name, .reducer, options))
  }

  mutating func add(_ node: Node, _ reduce: Reduce) throws {
    let kind =
      switch reduce.function {
      case .mean: "MEAN"
      case .sum: "SUM"
      case .max: "REDUCE_MAX"
      case .min: "REDUCE_MIN"
      }
    let input = try float(node.inputs[0])
    give(
      node.output,
      float: emit(
        kind, [input, list(reduce.axes.map { $0 + 1 })], dims(node.output), named: node.name, .reducer,
        [TFLiteField.Reducer.keepsAxes: .flag(reduce.keepsAxes)]))
  }

  mutating func add(_ node: Node, _ argMax: ArgMax) throws {
    let input = try float(node.inputs[0])
    var left = dims(node.inputs[0])
    left.remove(at: argMax.axis + 1)
    let place = content.tensor(node.name + " place", left, .int32)
    content.node(
      "ARG_MAX", [input, list([argMax.axis + 1], dims: [])], [place], .argMax,
      [TFLiteField.ArgMax.outputType: .int(TFLiteType.int32.rawValue)])
    var tensor = emit("CAST", [place], left, named: node.name, .cast)
    if left != dims(node.output) { tensor = reshape(tensor, to: dims(node.output), named: node.name + " reshaped") }
    give(node.output, float: tensor)
  }
}
