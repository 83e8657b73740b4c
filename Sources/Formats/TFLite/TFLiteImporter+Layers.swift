import Diagnostics
import Network
import Tensors

// Layers with weights, and products.
extension TFLiteImporter {
  // MARK: Weights

  /// A weight in the engine's order: integers of up to 8 bits as they are, all else as the float32 it stands for; floats
  /// of 16 bits too, for a model of these would count as quantized already.
  ///
  /// - Parameters:
  ///   - value: what the layer reads: integers that are read as floats stay integers behind others.
  ///   - channel: the axis of the output channels in the file.
  ///   - arranged: how the axes come into the engine's order.
  private mutating func weight(
    _ node: TFLiteNode, _ index: Int, of value: Held, channel: Int, _ arranged: (Tensor) throws -> Tensor
  ) throws -> Parameter {
    let constant = try required(node, index)
    guard constant.shape.count > 0 else { throw CompressError("an empty weight", kind: .input) }
    let mayBeIntegers = !constant.isDequantized || activations[value.name] != nil
    if mayBeIntegers, let integers = try constant.integerWeight(channel: channel, arranged) {
      return try Parameter(.integer(integers))
    }
    return Parameter(try arranged(try constant.floats()).contiguous())
  }

  /// A bias: with an integer weight the integers as they are, in the scale of the sums.
  private mutating func bias(
    _ node: TFLiteNode, _ index: Int, input: Int, _ weight: Parameter, count: Int
  ) throws -> Parameter? {
    guard let constant = try constant(node, index) else { return nil }
    guard constant.shape.count == count else {
      throw CompressError("a bias of shape \(constant.shape) for \(count) outputs", kind: .input)
    }
    guard !constant.isFloat else {
      return Parameter(try constant.floats().reshaped([count]).contiguous())
    }
    // Their scale is that of the sums, whatever the file says of it.
    guard let tensor = node.input(input), let own = try encoding(graph.tensors[tensor]),
      let scales = try sumScales(node, inputScale: own.scale, count: count)
    else {
      throw CompressError("a bias of integers behind a value without a scale", kind: .input)
    }
    let integers = try constant.integers()
    if case .integer(let values) = weight.encoding, constant.type == .int32 {
      let kept = values.scales.count == 1 ? [scales[0]] : scales
      if kept.allSatisfy({ $0 > 0 && $0.isFinite }) {
        let tensor = Tensor(integers.map { Int32(truncatingIfNeeded: $0) })
        return try Parameter(.integer(IntegerValues(values: tensor, scales: kept, bits: 32)))
      }
    }
    return Parameter(Tensor(zip(integers, scales).map { Float(Double($0) * Double($1)) }))
  }

  /// `inputScale * scale[c]` of the weight, which is the second input but for transposed convolutions.
  private mutating func sumScales(_ node: TFLiteNode, inputScale: Float, count: Int) throws -> [Float]? {
    guard let tensor = node.input(1), let quantization = graph.tensors[tensor].quantization else { return nil }
    let scales = quantization.scales
    guard scales.count == 1 || scales.count == count else { return nil }
    return (0..<count).map { inputScale * scales[scales.count == 1 ? 0 : $0] }
  }

  /// Adds a layer of a weight and perhaps a bias.
  private mutating func layer(
    _ node: TFLiteNode, _ op: Operator, _ input: String, _ weight: Parameter, _ bias: Parameter?
  ) throws -> String {
    var own: [ParameterRole: Parameter] = [.weight: weight]
    own[.bias] = bias
    return try emit(op, [input], named: name(node), own)
  }

  // MARK: Convolutions

  /// Size is that of the weight, stride and padding those of the options.
  func window(
    _ node: TFLiteNode, _ options: FlatTable?, _ size: Size2D, dilation: (height: Int, width: Int)?
  ) throws -> Window {
    let padding: Int8 = try options?.integer(TFLiteField.Window.padding, 0) ?? 0
    guard let padding = TFLitePadding(rawValue: padding) else {
      throw CompressError("padding of the kind \(padding)", kind: .input)
    }
    func number(_ field: Int, _ otherwise: Int32) throws -> Int {
      Int(try options?.integer(field, otherwise) ?? otherwise)
    }
    let stride = Size2D(
      try number(TFLiteField.Window.strideHeight, 0), try number(TFLiteField.Window.strideWidth, 0))
    var dilated = Size2D(1)
    if let dilation { dilated = Size2D(try number(dilation.height, 1), try number(dilation.width, 1)) }
    let limit = 1...1 << 16
    let extents = [stride.height, stride.width, dilated.height, dilated.width, size.height, size.width]
    guard extents.allSatisfy(limit.contains) else {
      throw CompressError(
        "a window of \(size.height)x\(size.width), stride \(stride.height)x\(stride.width), dilation "
          + "\(dilated.height)x\(dilated.width)", kind: .input)
    }
    return Window(size, stride: stride, padding: padding == .same ? .same : .valid, dilation: dilated)
  }

  /// Zeros around the image in front of a window that pads nothing itself are the window's, where nothing else reads
  /// them.
  private func takePadding(_ node: TFLiteNode, _ value: inout Held, _ window: inout Window) {
    guard window.padding == .valid, let input = node.input(0), uses[input] == 1, stands[value.name] == 1,
      let layer = layers.positions[value.name].map({ layers.nodes[$0] }), case .pad(let pad) = layer.op, pad.before.count == 3,
      pad.before[2] == 0, pad.after[2] == 0, activations[layer.name] == activations[layer.inputs[0]]
    else { return }
    window.padding = .explicit(top: pad.before[0], left: pad.before[1], bottom: pad.after[0], right: pad.after[1])
    value = held(layer.inputs[0], hasBatch: true)
  }

  mutating func convolution(_ node: TFLiteNode) throws {
    let options = try node.options(.conv2D)
    var value = try image(try held(node, 0))
    let weight = try weight(node, 1, of: value, channel: 0) { $0 }
    guard weight.shape.rank == 4 else { throw CompressError("a weight of shape \(weight.shape)", kind: .input) }
    let size = Size2D(weight.shape[1], weight.shape[2]), channels = value.dims[3], each = weight.shape[3]
    guard channels % each == 0 else {
      throw CompressError("a weight for \(each) channels of \(channels)", kind: .input)
    }
    var window = try window(
      node, options, size, dilation: (TFLiteField.Conv2D.dilationHeight, TFLiteField.Conv2D.dilationWidth))
    takePadding(node, &value, &window)
    let bias = try bias(node, 2, input: 0, weight, count: weight.shape[0])
    let conv = Conv2D(filters: weight.shape[0], window: window, groups: channels / each, hasBias: bias != nil)
    let result = try layer(node, .conv2d(conv), value.name, weight, bias)
    try give(
      node, held(result, hasBatch: true), fused: try activation(options, TFLiteField.Conv2D.activation))
  }

  mutating func depthwiseConvolution(_ node: TFLiteNode) throws {
    let options = try node.options(.depthwiseConv2D)
    var value = try image(try held(node, 0))
    let channels = value.dims[3]
    let weight = try weight(node, 1, of: value, channel: 3) { weight in
      guard weight.rank == 4, weight.shape[0] == 1 else {
        throw CompressError("a weight of shape \(weight.shape)", kind: .input)
      }
      return try weight.transposed([3, 1, 2, 0])
    }
    let filters = weight.shape[0]
    let said = Int(try options?.integer(TFLiteField.DepthwiseConv2D.multiplier, Int32(0)) ?? 0)
    guard filters % channels == 0, said == 0 || said == filters / channels else {
      throw CompressError("\(filters) filters for \(channels) channels, \(said) for each", kind: .input)
    }
    var window = try window(
      node, options, Size2D(weight.shape[1], weight.shape[2]),
      dilation: (TFLiteField.DepthwiseConv2D.dilationHeight, TFLiteField.DepthwiseConv2D.dilationWidth))
    takePadding(node, &value, &window)
    let bias = try bias(node, 2, input: 0, weight, count: filters)
    let conv = Conv2D(filters: filters, window: window, groups: channels, hasBias: bias != nil)
    let result = try layer(node, .conv2d(conv), value.name, weight, bias)
    try give(
      node, held(result, hasBatch: true), fused: try activation(options, TFLiteField.DepthwiseConv2D.activation))
  }

  mutating func transposedConvolution(_ node: TFLiteNode) throws {
    let options = try node.options(.transposeConv)
    let wanted = try required(node, 0).indices()
    guard wanted.count == 4 else { throw CompressError("an output of shape \(wanted)", kind: .input) }
    let window = try window(node, options, Size2D(1), dilation: nil)
    let held = try transposed(node, input: 2, weight: 1, bias: 3, window, size: Size2D(wanted[1], wanted[2]))
    try give(node, held, fused: try activation(options, TFLiteField.TransposeConv.activation))
  }

  /// MediaPipe's: the options of a transposed convolution as C has them (padding, stride across, stride down), where
  /// SAME is 1 and VALID is 2.
  mutating func transposedConvolutionWithBias(_ node: TFLiteNode) throws {
    guard let bytes = node.customOptions, bytes.count >= 12 else {
      throw CompressError("has no options", kind: .input)
    }
    let numbers = (0..<3).map {
      Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)))
    }
    guard (1...2).contains(numbers[0]), (1...1 << 16).contains(numbers[1]), (1...1 << 16).contains(numbers[2]) else {
      throw CompressError("has the options \(numbers)", kind: .input)
    }
    let window = Window(
      Size2D(1), stride: Size2D(numbers[2], numbers[1]), padding: numbers[0] == 1 ? .same : .valid)
    try give(node, try transposed(node, input: 0, weight: 1, bias: 2, window, size: nil))
  }

  /// - Parameter size: of the output; nil for what follows from the input.
  private mutating func transposed(
    _ node: TFLiteNode, input: Int, weight: Int, bias: Int, _ window: Window, size: Size2D?
  ) throws -> Held {
    let value = try image(try held(node, input)), stride = window.stride
    // The engine sets the input's pixels apart and has the kernel turned by 180 degrees.
    let kernel = try self.weight(node, weight, of: value, channel: 0) { weight in
      guard weight.rank == 4 else { throw CompressError("a weight of shape \(weight.shape)", kind: .input) }
      let turned = try weight.gathered(axis: 1, Array((0..<weight.shape[1]).reversed()))
      return try turned.gathered(axis: 2, Array((0..<weight.shape[2]).reversed()))
    }
    let isSame = window.padding == .same
    func pads(_ extent: Int, _ kernel: Int, _ stride: Int, _ size: Int?) throws -> (Int, Int) {
      let output = size ?? (isSame ? extent * stride : (extent - 1) * stride + kernel)
      guard (1...1 << 20).contains(output) else { throw CompressError("an output of \(output) pixels", kind: .input) }
      // As the convolution from the output to the input would be padded.
      let total = max(0, (extent - 1) * stride + kernel - output), before = isSame ? total / 2 : 0
      let first = kernel - 1 - before
      let last = output - ((extent - 1) * stride + 1) - first + kernel - 1
      guard first >= 0, last >= 0 else {
        throw CompressError("\(extent) pixels with stride \(stride) as \(output)", kind: .input)
      }
      return (first, last)
    }
    let (top, bottom) = try pads(value.dims[1], kernel.shape[1], stride.height, size?.height)
    let (left, right) = try pads(value.dims[2], kernel.shape[2], stride.width, size?.width)
    let bias = try self.bias(node, bias, input: input, kernel, count: kernel.shape[0])
    let conv = Conv2D(
      filters: kernel.shape[0],
      window: Window(
        Size2D(kernel.shape[1], kernel.shape[2]),
        padding: .explicit(top: top, left: left, bottom: bottom, right: right)),
      hasBias: bias != nil, inputDilation: stride)
    let name = try layer(node, .conv2d(conv), value.name, kernel, bias)
    return held(name, hasBatch: true)
  }

  // MARK: Products

  mutating func fullyConnected(_ node: TFLiteNode) throws {
    let options = try node.options(.fullyConnected)
    let format: Int8 = try options?.integer(TFLiteField.FullyConnected.weightsFormat, 0) ?? 0
    guard format == 0 else { throw CompressError("has its weights shuffled, which is not read", kind: .input) }
    let fused = try activation(options, TFLiteField.FullyConnected.activation)
    let keepsAxes = try options?.flag(TFLiteField.FullyConnected.keepsAxes) ?? false
    var value = try held(node, 0)
    guard isConstant(node, 1) else {
      guard node.input(2) == nil else { throw CompressError("has a bias, but a weight that varies", kind: .input) }
      let product = try product(value, try held(node, 1), transposesSecond: true, named: name(node))
      return try give(node, product, fused: fused)
    }
    let weight = try weight(node, 1, of: value, channel: 0) { $0 }
    guard weight.shape.rank == 2 else { throw CompressError("a weight of shape \(weight.shape)", kind: .input) }
    let width = weight.shape[1], units = weight.shape[0]
    let bias = try bias(node, 2, input: 0, weight, count: units)
    // Rows of as many elements as the weight takes.
    if keepsAxes, value.dims.last == width {
      if value.shape.rank == 0 { value = try unbatched(value) }
    } else if value.hasBatch, value.shape.count == width {
      value.name = try reshape(value.name, [width], named: value.name + " flattened")
      value.dims = [batch, width]
    } else {
      guard value.dims.reduce(1, *) % width == 0 else {
        throw CompressError("a weight for \(width) inputs of shape \(value.dims)", kind: .input)
      }
      if value.dims.count != 2 || value.dims[1] != width {
        value = try unbatched(value)
        let rows = value.dims.reduce(1, *) / width
        value.name = try reshape(value.name, [rows, width], named: value.name + " rows")
        value.dims = [rows, width]
      }
    }
    let result = try layer(
      node, .dense(Dense(units: units, hasBias: bias != nil)), value.name, weight, bias)
    value.name = result
    value.dims[value.dims.count - 1] = units
    try give(node, value, fused: fused)
  }

  mutating func matrixProduct(_ node: TFLiteNode) throws {
    let options = try node.options(.batchMatMul)
    let transposesFirst = try options?.flag(TFLiteField.BatchMatMul.transposesFirst) ?? false
    let transposesSecond = try options?.flag(TFLiteField.BatchMatMul.transposesSecond) ?? false
    var first = try held(node, 0)
    if transposesFirst { first = try turned(first) }
    if isConstant(node, 1), let known = node.input(1), graph.tensors[known].dims.dropLast(2).allSatisfy({ $0 == 1 }),
      graph.tensors[known].dims.count >= 2, first.shape.rank >= 1, graph.tensors[known].dims.count <= first.dims.count
    {
      // A layer without a bias.
      let rank = graph.tensors[known].dims.count
      let weight = try weight(
        node, 1, of: first, channel: transposesSecond ? rank - 2 : rank - 1
      ) { weight in
        let matrix = try weight.reshaped(Array(weight.shape.dims.suffix(2)))
        return transposesSecond ? matrix : try matrix.transposed()
      }
      let op = Operator.dense(Dense(units: weight.shape[0], hasBias: false))
      let name = try layer(node, op, first.name, weight, nil)
      return try give(node, held(name, hasBatch: first.hasBatch))
    }
    try give(node, try product(first, try held(node, 1), transposesSecond: transposesSecond, named: name(node)))
  }

  /// The last two axes in the other order.
  private mutating func turned(_ value: Held) throws -> Held {
    let held = value.shape.rank >= 2 ? value : try unbatched(value), rank = held.shape.rank
    guard rank >= 2 else { throw CompressError("a matrix of shape \(value.dims)", kind: .input) }
    let order = Array(0..<rank - 2) + [rank - 1, rank - 2]
    let name = try emit(.transpose(Transpose(order)), [held.name], named: held.name + " transposed")
    activations[name] = activations[held.name]
    return self.held(name, hasBatch: held.hasBatch)
  }

  /// Of two values that vary.
  private mutating func product(
    _ first: Held, _ second: Held, transposesSecond: Bool, named name: String
  ) throws -> Held {
    var a = first, b = second
    if a.hasBatch != b.hasBatch || a.dims.count != b.dims.count || a.dims.count < 3 {
      a = try unbatched(a)
      b = try unbatched(b)
    }
    guard a.shape.rank >= 2, b.shape.rank >= 2 else {
      throw CompressError("of shapes \(first.dims) and \(second.dims)", kind: .input)
    }
    // Leading axes of one element are broadcast; the others have to be the same.
    let outer = try Shape.broadcast(Shape(a.shape.dims.dropLast(2)), Shape(b.shape.dims.dropLast(2)))
    func stretched(_ value: Held) throws -> String {
      let target = Shape(outer.dims + value.shape.dims.suffix(2))
      if value.shape == target || value.shape.rank == 2 { return value.name }
      let expanded = try emit(.expand(Expand(target)), [value.name], named: value.name + " expanded")
      activations[expanded] = activations[value.name]
      return expanded
    }
    let result = try emit(
      .matmul(MatMul(transposesSecond: transposesSecond)), [try stretched(a), try stretched(b)], named: name)
    return held(result, hasBatch: a.hasBatch)
  }
}
