import Diagnostics
import Network
import Tensors

// Layers with weights.
extension TFLiteExporter {
  /// How a layer with a weight is computed.
  private enum Computation {
    /// Integers in and out, a bias in the scale of the sums.
    case integer(bias: [Int32])
    /// An integer weight, floats in and out: TFLite rounds the input as it comes.
    case dynamic
    case float
  }

  private func computation(_ node: Node) -> Computation {
    guard case .integer(let weight)? = model[node.name, .weight]?.encoding else { return .float }
    guard let input = encodings[node.inputs[0]] else {
      return node.op.isTransposed || weight.zeroPoints != nil ? .float : .dynamic
    }
    guard encodings[result(node)] != nil else { return .float }
    // TFLite's integer layers take weights without zero points.
    guard weight.zeroPoints?.allSatisfy({ $0 == 0 }) ?? true else { return .float }
    let count = weight.values.shape[0], largest = weight.values.count / max(count, 1) * 255 * 128
    guard largest <= Int(Int32.max) else { return .float }
    let scales = (0..<count).map { input.scale * weight.scales[weight.scales.count == 1 ? 0 : $0] }
    guard scales.allSatisfy({ $0.isNormal && $0 <= 0x1p60 }) else { return .float }
    guard let bias = model[node.name, .bias]?.encoding else {
      return .integer(bias: [Int32](repeating: 0, count: count))
    }
    let values: [Double]
    if case .integer(let integers) = bias {
      values = integers.values.converted(to: .int32).array(Int32.self).enumerated().map { index, q in
        Double(q) * Double(integers.scales[integers.scales.count == 1 ? 0 : index])
      }
    } else {
      values = bias.decoded.array(Float.self).map(Double.init)
    }
    let rounded = zip(values, scales).map { ($0 / Double($1)).rounded(.toNearestOrEven) }
    guard rounded.allSatisfy({ abs($0) <= Double(Int(Int32.max) - largest) }) else { return .float }
    return .integer(bias: rounded.map { Int32($0) })
  }

  /// A layer's weight as a tensor, in the file's order of axes.
  ///
  /// - Parameters:
  ///   - channel: the axis of the output channels in the file.
  ///   - isWidened: whether integers are to be read as floats.
  private mutating func weight(
    _ node: Node, _ dims: [Int], channel: Int, isWidened: Bool, _ arranged: (Tensor) throws -> Tensor
  ) throws -> Int {
    let name = node.name + " weight"
    guard let parameter = model[node.name, .weight] else { throw CompressError("has no weight", kind: .input) }
    switch parameter.encoding {
    case .integer(let integers):
      let bytes = try arranged(integers.values).contiguous().withBytes { Array($0) }
      let quantization = TFLiteQuantization(
        scales: integers.scales, zeroPoints: integers.zeroPoints?.map { Int64($0) } ?? [],
        axis: integers.scales.count == 1 ? 0 : channel)
      let tensor = content.tensor(name, dims, .int8, bytes: bytes, quantization: quantization)
      guard isWidened else { return tensor }
      return emit(
        "DEQUANTIZE", [tensor], dims, named: name + " dequantized", .dequantize,
        version: integers.scales.count == 1 ? 2 : 5)
    case .float(let tensor) where tensor.dtype == .float16:
      return constant(try arranged(tensor), dims, named: name)
    case .float, .codes: return constant(try arranged(parameter.values), dims, named: name)
    }
  }

  private mutating func bias(_ node: Node, _ count: Int, _ computation: Computation) -> Int {
    let name = node.name + " bias"
    if case .integer(let bias) = computation, case .integer(let weight)? = model[node.name, .weight]?.encoding,
      let input = encodings[node.inputs[0]]
    {
      let scales = weight.scales.map { input.scale * $0 }
      return content.tensor(
        name, [count], .int32, bytes: FlatBufferBuilder.littleEndian(bias),
        quantization: TFLiteQuantization(scales: scales, zeroPoints: []))
    }
    let values = model[node.name, .bias]?.values ?? Tensor(zeros: [count])
    return constant(values.converted(to: .float32), [count], named: name)
  }

  /// Adds a layer of an input, a weight and a bias.
  private mutating func layer(
    _ node: Node, _ kind: String, _ input: Int, _ weight: Int, _ computation: Computation, _ count: Int,
    _ type: TFLiteOptions, _ options: Fields, versions: (float: Int, dynamic: Int, integer: Int)
  ) {
    let bias = bias(node, count, computation), value = result(node)
    switch computation {
    case .integer:
      let tensor = emit(
        kind, [input, weight, bias], dims(value), named: node.name, as: encodings[value], type, options,
        version: versions.integer)
      give(node, tensor, isInteger: true)
    case .dynamic, .float:
      let version = if case .dynamic = computation { versions.dynamic } else { versions.float }
      let tensor = emit(
        kind, [input, weight, bias], dims(value), named: node.name, type, options, version: version)
      give(node, tensor, isInteger: false)
    }
  }

  // MARK: Windows

  func windowOptions(_ window: Window, _ padding: TFLitePadding) -> Fields {
    [
      TFLiteField.Window.padding: .int(padding.rawValue),
      TFLiteField.Window.strideWidth: .int(Int32(window.stride.width)),
      TFLiteField.Window.strideHeight: .int(Int32(window.stride.height)),
    ]
  }

  /// Whether pads are those of SAME.
  func isSame(
    _ window: Window, _ image: Shape, _ pads: (top: Int, left: Int, bottom: Int, right: Int)
  ) -> Bool {
    var same = window
    same.padding = .same
    return same.pads(height: image[0], width: image[1]) == pads
  }

  // MARK: Convolutions

  mutating func add(_ node: Node, _ conv: Conv2D) throws {
    if conv.isTransposed { return try addTransposed(node, conv) }
    let shape = graph.shape(of: node.inputs[0]), window = conv.window, computation = computation(node)
    let channels = shape[2], size = window.size
    let pads = window.pads(height: shape[0], width: shape[1])
    var isInteger = false
    if case .integer = computation { isInteger = true }
    var input = try isInteger ? integer(node.inputs[0]) : float(node.inputs[0])
    var padding = TFLitePadding.valid
    if pads != (0, 0, 0, 0) {
      if isSame(window, shape, pads) {
        padding = .same
      } else {
        input = emit(
          "PAD", [input, list([0, 0, pads.top, pads.bottom, pads.left, pads.right, 0, 0], dims: [4, 2])],
          [1, shape[0] + pads.top + pads.bottom, shape[1] + pads.left + pads.right, channels],
          named: node.name + " padded", as: isInteger ? encodings[node.inputs[0]] : nil, .pad,
          version: isInteger ? 2 : 1, mayExceed: false)
      }
    }
    var isWidened = true
    switch computation {
    case .integer, .dynamic: isWidened = false
    case .float: break
    }
    let isDilated = window.dilation != Size2D(1)
    var options = windowOptions(window, padding)
    let fused = (fusedActivation(node) ?? .none).rawValue
    if conv.groups > 1, conv.groups == channels {
      let weight = try weight(
        node, [1, size.height, size.width, conv.filters], channel: 3, isWidened: isWidened
      ) { try $0.transposed([3, 1, 2, 0]) }
      options[TFLiteField.DepthwiseConv2D.multiplier] = .int(Int32(conv.filters / channels))
      options[TFLiteField.DepthwiseConv2D.activation] = .int(fused)
      options[TFLiteField.DepthwiseConv2D.dilationWidth] = .int(Int32(window.dilation.width))
      options[TFLiteField.DepthwiseConv2D.dilationHeight] = .int(Int32(window.dilation.height))
      return layer(
        node, "DEPTHWISE_CONV_2D", input, weight, computation, conv.filters, .depthwiseConv2D, options,
        versions: (isDilated ? 2 : 1, 6, 3))
    }
    let weight = try weight(
      node, [conv.filters, size.height, size.width, channels / conv.groups], channel: 0, isWidened: isWidened
    ) { $0 }
    options[TFLiteField.Conv2D.activation] = .int(fused)
    options[TFLiteField.Conv2D.dilationWidth] = .int(Int32(window.dilation.width))
    options[TFLiteField.Conv2D.dilationHeight] = .int(Int32(window.dilation.height))
    layer(
      node, "CONV_2D", input, weight, computation, conv.filters, .conv2D, options,
      versions: conv.groups > 1 ? (6, 6, 6) : (isDilated ? 2 : 1, 5, 3))
  }

  private mutating func addTransposed(_ node: Node, _ conv: Conv2D) throws {
    guard conv.groups == 1, conv.window.dilation == Size2D(1), conv.window.stride == Size2D(1) else {
      throw Self.unsupported("a transposed convolution in groups, or with a dilation")
    }
    let shape = graph.shape(of: node.inputs[0]), out = graph.shape(of: node.output)
    let size = conv.window.size, stride = conv.inputDilation
    let spread = ((shape[0] - 1) * stride.height + 1, (shape[1] - 1) * stride.width + 1)
    let pads = conv.window.pads(height: spread.0, width: spread.1)
    // How many rows and columns of the whole result are cut off in front.
    let top = size.height - 1 - pads.top, left = size.width - 1 - pads.left
    guard top >= 0, left >= 0 else {
      throw Self.unsupported("a transposed convolution that is padded in front by more than its kernel")
    }
    func same(_ extent: Int, _ kernel: Int, _ stride: Int, _ output: Int) -> Int {
      max(0, (extent - 1) * stride + kernel - output) / 2
    }
    let isValid = top == 0 && left == 0
    let isSame =
      same(shape[0], size.height, stride.height, out[0]) == top
      && same(shape[1], size.width, stride.width, out[1]) == left
    var whole = out.dims
    if !isValid, !isSame { whole = [out[0] + top, out[1] + left, out[2]] }
    let computation = computation(node)
    var encoding: ActivationQuantization?
    if case .integer = computation { encoding = encodings[result(node)] }
    let weight = try weight(
      node, [conv.filters, size.height, size.width, shape[2]], channel: 0, isWidened: encoding == nil
    ) { weight in
      let turned = try weight.gathered(axis: 1, Array((0..<size.height).reversed()))
      return try turned.gathered(axis: 2, Array((0..<size.width).reversed()))
    }
    let input = try encoding == nil ? float(node.inputs[0]) : integer(node.inputs[0])
    let bias = bias(node, conv.filters, computation)
    var window = conv.window
    window.stride = stride
    var options = windowOptions(window, isSame && !isValid ? .same : .valid)
    let fused = fusedActivation(node) ?? TFLiteActivation.none
    options[TFLiteField.TransposeConv.activation] = .int(fused.rawValue)
    var tensor = emit(
      "TRANSPOSE_CONV", [list([1] + whole), weight, input, bias], [1] + whole, named: node.name, as: encoding,
      .transposeConv, options, version: fused == TFLiteActivation.none ? 3 : 4)
    if whole != out.dims {
      tensor = emit(
        "STRIDED_SLICE",
        [tensor, list([0, top, left, 0]), list([1, top + out[0], left + out[1], out[2]]), list([1, 1, 1, 1])],
        [1] + out.dims, named: node.name + " cut", as: encoding, .stridedSlice, version: encoding == nil ? 1 : 2,
        mayExceed: false)
    }
    give(node, tensor, isInteger: encoding != nil)
  }

  // MARK: Dense layers

  mutating func addDense(_ node: Node) throws {
    guard case .dense(let dense) = node.op else { return }
    let shape = graph.shape(of: node.inputs[0]), computation = computation(node)
    var isInteger = false, isWidened = true
    switch computation {
    case .integer: (isInteger, isWidened) = (true, false)
    case .dynamic: isWidened = false
    case .float: break
    }
    let weight = try weight(
      node, [dense.units, shape.dims.last ?? 1], channel: 0, isWidened: isWidened
    ) { $0 }
    let input = try isInteger ? integer(node.inputs[0]) : float(node.inputs[0])
    let keepsAxes = shape.rank > 1
    let options: Fields = [
      TFLiteField.FullyConnected.activation: .int((fusedActivation(node) ?? .none).rawValue),
      TFLiteField.FullyConnected.keepsAxes: .flag(keepsAxes),
    ]
    var isPerChannel = false
    if case .integer(let values)? = model[node.name, .weight]?.encoding { isPerChannel = values.scales.count > 1 }
    layer(
      node, "FULLY_CONNECTED", input, weight, computation, dense.units, .fullyConnected, options,
      versions: (keepsAxes ? 5 : 1, isPerChannel ? 12 : keepsAxes ? 5 : 3, isPerChannel ? 12 : keepsAxes ? 5 : 4))
  }
}
