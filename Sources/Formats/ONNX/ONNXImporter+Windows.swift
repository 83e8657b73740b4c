import Diagnostics
import Network
import Tensors

// What slides a window over an image, and what goes over the whole of it.
extension ONNXImporter {
  /// An image held with its channels last; of a signal of one dimension, one of height 1.
  mutating func windowed(_ value: Held) throws -> (held: Held, isSignal: Bool) {
    let held = try batched(value)
    guard held.dims.count == 2 else { return (try image(held), false) }
    let signal = try ordered(held, [1, 0])
    let name = try reshape(signal.name, [1, held.dims[1], held.dims[0]], named: signal.name + " reshaped")
    return (Held(name, [held.dims[0], 1, held.dims[1]], order: [1, 2, 0], hasBatch: true), true)
  }

  /// What comes of it, as the file has it.
  mutating func giveImage(_ node: ONNXNode, _ name: String, isSignal: Bool) throws {
    give(node, try imageResult(name, isSignal: isSignal))
  }

  private mutating func imageResult(_ name: String, isSignal: Bool) throws -> Held {
    let shape = layers.shapes[name]!
    guard isSignal else { return Held(name, [shape[2], shape[0], shape[1]], order: [1, 2, 0], hasBatch: true) }
    let flat = try reshape(name, [shape[1], shape[2]], named: name + " signal")
    return Held(flat, [shape[2], shape[1]], order: [1, 0], hasBatch: true)
  }

  /// Two numbers of an attribute; of a signal the second is its own.
  func pair(_ node: ONNXNode, _ name: String, _ otherwise: Int, isSignal: Bool) throws -> Size2D {
    guard let sizes = try node.sizes(name) else { return isSignal ? Size2D(1, otherwise) : Size2D(otherwise) }
    guard sizes.count == (isSignal ? 1 : 2) else { throw CompressError("\(name) \(sizes)", kind: .input) }
    return isSignal ? Size2D(name == "output_padding" ? 0 : 1, sizes[0]) : Size2D(sizes[0], sizes[1])
  }

  /// The pads an operator states itself: top, left, bottom, right.
  private func pads(_ node: ONNXNode, isSignal: Bool) throws -> [Int] {
    let pads = try node.sizes("pads") ?? []
    if pads.isEmpty { return [0, 0, 0, 0] }
    guard pads.count == (isSignal ? 2 : 4) else { throw CompressError("pads \(pads)", kind: .input) }
    return isSignal ? [0, pads[0], 0, pads[1]] : pads
  }

  /// How an image is padded for a window, in pixels: top, left, bottom, right.
  func pads(
    _ node: ONNXNode, _ shape: Shape, _ size: Size2D, _ stride: Size2D, _ dilation: Size2D, isSignal: Bool
  ) throws -> [Int] {
    let mode = node.text("auto_pad", "NOTSET")
    switch mode {
    case "NOTSET", "": return try pads(node, isSignal: isSignal)
    case "VALID": return [0, 0, 0, 0]
    case "SAME_UPPER", "SAME_LOWER":
      func both(_ extent: Int, _ size: Int, _ stride: Int, _ dilation: Int) throws -> (Int, Int) {
        guard stride > 0, size > 0, size < 1 << 16, dilation > 0, dilation < 1 << 16 else {
          throw CompressError("kernel \(size), stride \(stride), dilation \(dilation)", kind: .input)
        }
        let outputs = (extent + stride - 1) / stride
        let total = max(0, (outputs - 1) * stride + (size - 1) * dilation + 1 - extent)
        return mode == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
      }
      let (top, bottom) = try both(shape[0], size.height, stride.height, dilation.height)
      let (left, right) = try both(shape[1], size.width, stride.width, dilation.width)
      return [top, left, bottom, right]
    default: throw CompressError("auto_pad \(mode.escapedForTerminal.shortened(to: 40))", kind: .input)
    }
  }

  static func padding(_ pads: [Int]) -> Padding {
    pads == [0, 0, 0, 0] ? .valid : .explicit(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3])
  }

  // MARK: Convolutions

  mutating func convolution(_ node: ONNXNode) throws {
    give(node, try convolved(node, try held(node, 0), try required(node, 1), try constant(node, 2)))
  }

  mutating func convolved(
    _ node: ONNXNode, _ value: Held, _ weight: ONNXConstant, _ given: ONNXConstant?
  ) throws -> Held {
    var (held, isSignal) = try windowed(value)
    let kernel = try Self.kernel(weight.floats, isSignal: isSignal)
    let size = Size2D(kernel.shape[2], kernel.shape[3])
    try checkKernel(node, size, isSignal: isSignal)
    let stride = try pair(node, "strides", 1, isSignal: isSignal)
    let dilation = try pair(node, "dilations", 1, isSignal: isSignal)
    let pads = try pads(node, held.shape, size, stride, dilation, isSignal: isSignal)
    let integerBias = given?.shape.rank == 1 ? try integers(given, channelAxis: 0) { $0 } : nil
    let bias = given?.floats
    let window = Window(size, stride: stride, padding: Self.padding(pads), dilation: dilation)
    let conv = Conv2D(
      filters: kernel.shape[0], window: window, groups: Int(clamping: node.integer("group", 1)), hasBias: bias != nil)
    var tensors: [ParameterRole: Tensor] = [.weight: try kernel.transposed([0, 2, 3, 1])]
    tensors[.bias] = bias
    held.name = try emit(.conv2d(conv), [held.name], named: node.outputs[0], tensors)
    let integers = try self.integers(weight, channelAxis: 0) {
      try (isSignal ? $0.reshaped(kernel.shape.dims) : $0).transposed([0, 2, 3, 1])
    }
    try setIntegers(held.name, integers, bias: integerBias)
    foreign[held.name] = weight.integerBits
    return try imageResult(held.name, isSignal: isSignal)
  }

  mutating func transposedConvolution(_ node: ONNXNode) throws {
    let (held, isSignal) = try windowed(try self.held(node, 0))
    let known = try required(node, 1), kernel = try Self.kernel(known.floats, isSignal: isSignal)
    let size = Size2D(kernel.shape[2], kernel.shape[3])
    try checkKernel(node, size, isSignal: isSignal)
    let mode = node.text("auto_pad", "NOTSET")
    let stride = try pair(node, "strides", 1, isSignal: isSignal)
    let dilation = try pair(node, "dilations", 1, isSignal: isSignal)
    let more = try node.sizes("output_padding") == nil ? Size2D(0) : pair(node, "output_padding", 0, isSignal: isSignal)
    var pads = try pads(node, isSignal: isSignal)
    var wanted = try node.sizes("output_shape")
    if wanted != nil { wanted = Array(wanted!.suffix(isSignal ? 1 : 2)) }
    if wanted == nil, mode.hasPrefix("SAME") {
      let sizes = [held.shape[0] * stride.height, held.shape[1] * stride.width]
      wanted = isSignal ? [sizes[1]] : sizes
    }
    if let wanted {
      guard wanted.count == (isSignal ? 1 : 2), wanted.allSatisfy({ $0 > 0 && $0 < 1 << 24 }) else {
        throw CompressError("output_shape \(wanted)", kind: .input)
      }
      // As much is cut off as there is more, half of it on each side.
      func cut(_ extent: Int, _ size: Int, _ stride: Int, _ dilation: Int, _ more: Int, _ wanted: Int) throws
        -> (before: Int, after: Int)
      {
        guard stride > 0, stride < 1 << 16, size > 0, size < 1 << 16, dilation > 0, dilation < 1 << 16 else {
          throw CompressError("kernel \(size), stride \(stride), dilation \(dilation)", kind: .input)
        }
        let total = (extent - 1) * stride + more + (size - 1) * dilation + 1 - wanted
        return mode == "SAME_LOWER" ? (total - total / 2, total / 2) : (total / 2, total - total / 2)
      }
      if !isSignal {
        (pads[0], pads[2]) = try cut(
          held.shape[0], size.height, stride.height, dilation.height, more.height, wanted[0])
      }
      (pads[1], pads[3]) = try cut(
        held.shape[1], size.width, stride.width, dilation.width, more.width, wanted[wanted.count - 1])
    }
    let groups = Int(clamping: node.integer("group", 1)), inputs = kernel.shape[0], each = kernel.shape[1]
    guard groups > 0, inputs % groups == 0, each > 0 else {
      throw CompressError("\(inputs) input channels in \(groups) groups", kind: .input)
    }
    let filters = try Shape(checking: [groups, each]).count
    let rows = (size.height - 1) * dilation.height, columns = (size.width - 1) * dilation.width
    let window = Window(
      size,
      padding: .explicit(
        top: rows - pads[0], left: columns - pads[1], bottom: rows - pads[2] + more.height,
        right: columns - pads[3] + more.width), dilation: dilation)
    let given = try constant(node, 2), bias = given?.floats
    let integerBias = given?.shape.rank == 1 ? try integers(given, channelAxis: 0) { $0 } : nil
    let conv = Conv2D(filters: filters, window: window, groups: groups, hasBias: bias != nil, inputDilation: stride)
    // [in, out / groups, h, w] as [out, h, w, in / groups], turned by 180 degrees.
    func turned(_ kernel: Tensor) throws -> Tensor {
      var weight = try kernel.reshaped([groups, inputs / groups, each, size.height, size.width])
      weight = try weight.transposed([0, 2, 3, 4, 1]).contiguous()
      weight = try weight.gathered(axis: 2, Array((0..<size.height).reversed()))
      weight = try weight.gathered(axis: 3, Array((0..<size.width).reversed()))
      return try weight.reshaped([filters, size.height, size.width, inputs / groups])
    }
    var tensors: [ParameterRole: Tensor] = [.weight: try turned(kernel)]
    tensors[.bias] = bias
    let name = try emit(.conv2d(conv), [held.name], named: node.outputs[0], tensors)
    // With several groups the scales of output channels lie along no axis.
    let isSingle = groups == 1 || known.source?.scales.count == 1
    let integers = isSingle ? try self.integers(known, channelAxis: 1, turned) : nil
    try setIntegers(name, integers, bias: integerBias)
    foreign[name] = known.integerBits
    try giveImage(node, name, isSignal: isSignal)
  }

  private static func kernel(_ weight: Tensor, isSignal: Bool) throws -> Tensor {
    guard weight.rank == (isSignal ? 3 : 4), weight.count > 0 else {
      throw CompressError("a weight of shape \(weight.shape)", kind: .input)
    }
    return isSignal ? try weight.reshaped([weight.shape[0], weight.shape[1], 1, weight.shape[2]]) : weight
  }

  private func checkKernel(_ node: ONNXNode, _ size: Size2D, isSignal: Bool) throws {
    guard let said = try node.sizes("kernel_shape") else { return }
    guard said == (isSignal ? [size.width] : [size.height, size.width]) else {
      throw CompressError("kernel_shape \(said) of a weight of \(size.height)x\(size.width)", kind: .input)
    }
  }

  // MARK: Pooling

  mutating func pool(_ node: ONNXNode, _ reduction: Pool2D.Reduction) throws {
    var (held, isSignal) = try windowed(try self.held(node, 0))
    guard node.attributes["kernel_shape"] != nil else { throw CompressError("has no kernel_shape", kind: .input) }
    let size = try pair(node, "kernel_shape", 1, isSignal: isSignal)
    let stride = try pair(node, "strides", 1, isSignal: isSignal)
    let dilation = try pair(node, "dilations", 1, isSignal: isSignal)
    let numbers = [size.height, size.width, stride.height, stride.width, dilation.height, dilation.width]
    guard numbers.allSatisfy({ (1...1 << 16).contains($0) }) else {
      throw CompressError("kernel \(size), stride \(stride), dilation \(dilation)", kind: .input)
    }
    var pads = try pads(node, held.shape, size, stride, dilation, isSignal: isSignal)
    var countsPadding = reduction == .average && node.flag("count_include_pad") && pads.contains { $0 != 0 }
    if node.flag("ceil_mode") {
      // As many more rows as the last window takes that still begins inside the image or before it.
      func surplus(_ extent: Int, _ before: Int, _ after: Int, _ size: Int, _ stride: Int, _ dilation: Int) -> Int {
        let room = extent + before + after - (size - 1) * dilation - 1
        guard room >= 0 else { return 0 }
        var outputs = (room + stride - 1) / stride + 1
        if (outputs - 1) * stride >= extent + before { outputs -= 1 }
        return max(0, (outputs - 1) * stride - room)
      }
      let down = surplus(held.shape[0], pads[0], pads[2], size.height, stride.height, dilation.height)
      let across = surplus(held.shape[1], pads[1], pads[3], size.width, stride.width, dilation.width)
      if down + across > 0, countsPadding {
        // What is said to be padding counts, what only completes the last window does not.
        let pad = Pad(before: [pads[0], pads[1], 0], after: [pads[2], pads[3], 0])
        held.name = try emit(.pad(pad), [held.name], named: node.outputs[0] + " padded")
        (pads, countsPadding) = ([0, 0, 0, 0], false)
      }
      pads[2] += down
      pads[3] += across
    }
    if dilation != Size2D(1) {
      let window = Window(size, stride: stride, padding: Self.padding(pads), dilation: dilation)
      let name = try dilated(held, reduction, window, pads, countsPadding: countsPadding, named: node.outputs[0])
      return try giveImage(node, name, isSignal: isSignal)
    }
    let pool = Pool2D(
      reduction, window: Window(size, stride: stride, padding: Self.padding(pads)), countsPadding: countsPadding)
    held.name = try emit(.pool2d(pool), [held.name], named: node.outputs[0])
    try giveImage(node, held.name, isSignal: isSignal)
  }

  mutating func globalPool(_ node: ONNXNode, _ reduction: Pool2D.Reduction) throws {
    let held = try windowed(try self.held(node, 0))
    try givePooled(node, held.held, reduction, isSignal: held.isSignal)
  }

  /// The mean or maximum over an image, as one pixel.
  mutating func givePooled(_ node: ONNXNode, _ held: Held, _ reduction: Pool2D.Reduction, isSignal: Bool) throws {
    let pooled = try emit(.globalPool(GlobalPool(reduction)), [held.name], named: node.outputs[0])
    let name = try reshape(pooled, [1, 1, held.dims[0]], named: pooled + " reshaped")
    try giveImage(node, name, isSignal: isSignal)
  }

  // MARK: Sizes

  mutating func resize(_ node: ONNXNode) throws {
    let (held, isSignal) = try windowed(try self.held(node, 0))
    let isOld = node.kind == "Upsample" || node.version < 11
    let isStretched = node.text("keep_aspect_ratio_policy", "stretch") == "stretch"
    guard node.version < 18 || (!node.flag("antialias") && isStretched) else {
      throw CompressError("antialias and keep_aspect_ratio_policy are not supported", kind: .input)
    }
    let mode = node.text("mode", "nearest")
    let modes: [String: Resize.Interpolation] = ["nearest": .nearest, "linear": .bilinear, "bilinear": .bilinear]
    guard let interpolation = modes[mode] else {
      throw CompressError(
        "mode \(mode.escapedForTerminal.shortened(to: 40)); supported are nearest and linear", kind: .input)
    }
    let named = isOld ? "asymmetric" : node.text("coordinate_transformation_mode", "half_pixel")
    guard let coordinates = Resize.Coordinates(rawValue: named) else {
      throw CompressError(
        "coordinate_transformation_mode \(named.escapedForTerminal.shortened(to: 40)) is not supported", kind: .input)
    }
    let near = isOld ? "floor" : node.text("nearest_mode", "round_prefer_floor")
    guard let rounding = Resize.Rounding(rawValue: near) else {
      throw CompressError("nearest_mode \(near.escapedForTerminal.shortened(to: 40))", kind: .input)
    }
    let rank = isSignal ? 3 : 4
    var axes = Array(0..<rank)
    if let given = node.integers("axes") { axes = try given.map { try Self.axis($0, rank: rank) } }
    var scales: [Float]? = node.attributes["scales"]?.floats, sizes: [Int]?
    if scales == nil, let down = node.attributes["height_scale"]?.float, let across = node.attributes["width_scale"]?.float {
      scales = [1, 1, down, across]
    }
    if scales == nil, let given = try constant(node, isOld ? 1 : 2), given.shape.count > 0 {
      scales = given.floats.array(Float.self)
    }
    if !isOld, let given = try constant(node, 3), given.shape.count > 0 {
      sizes = try given.integers().map { $0 == ONNXConstant.batch ? -1 : Int($0) }
    }
    let count = scales?.count ?? sizes?.count ?? 0
    guard count == axes.count, Set(axes).count == count else {
      throw CompressError("\(count) sizes or scales of \(axes.count) axes", kind: .input)
    }
    let before = [held.shape[0], held.shape[1]]
    var after = before, by: [Float] = [1, 1]
    for (index, axis) in axes.enumerated() {
      guard axis >= 2 else {
        let isKept = scales.map { $0[index] == 1 } ?? (axis == 0 || sizes?[index] == held.dims[0])
        guard isKept else { throw CompressError("resizes the batch or the channels", kind: .input) }
        continue
      }
      // Of a signal the only one, its width.
      let place = isSignal ? 1 : axis - 2
      if let scales {
        by[place] = scales[index]
        let size = (Double(before[place]) * Double(scales[index])).rounded(.down)
        guard size >= 1, size <= Double(1 << 16) else {
          throw CompressError("scale \(scales[index]) of \(before[place]) pixels", kind: .input)
        }
        after[place] = Int(size)
      } else if let sizes {
        after[place] = sizes[index]
      }
    }
    let isExact = zip(zip(before, after), by).allSatisfy { Float($0.0) * $1 == Float($0.1) }
    let resize = Resize(
      interpolation, height: after[0], width: after[1], coordinates: coordinates, rounding: rounding,
      scales: scales == nil || isExact ? nil : by)
    let name = try emit(.resize(resize), [held.name], named: node.outputs[0])
    try giveImage(node, name, isSignal: isSignal)
  }

  mutating func depthToSpace(_ node: ONNXNode) throws {
    let held = try image(try self.held(node, 0))
    let mode = node.text("mode", "DCR")
    guard mode == "DCR" || mode == "CRD" else { throw CompressError("mode \(mode.escapedForTerminal)", kind: .input) }
    let op = DepthToSpace(
      block: Int(clamping: node.integer("blocksize", 0)), order: mode == "DCR" ? .depthLast : .depthFirst)
    try giveImage(node, emit(.depthToSpace(op), [held.name], named: node.outputs[0]), isSignal: false)
  }

  mutating func spaceToDepth(_ node: ONNXNode) throws {
    let held = try image(try self.held(node, 0))
    let op = SpaceToDepth(block: Int(clamping: node.integer("blocksize", 0)))
    try giveImage(node, emit(.spaceToDepth(op), [held.name], named: node.outputs[0]), isSignal: false)
  }
}
