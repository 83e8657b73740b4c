import Diagnostics
import Network
import Tensors

// What each class of layers is here.
extension KerasImporter {
  /// Those that do nothing when a network runs.
  static let idle: Set = [
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout",
    "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
    "RandomContrast", "RandomBrightness", "StochasticDepth",
  ]

  static let supported: [String] =
    idle + [
      "Dense", "MultiHeadAttention", "Attention", "BatchNormalization", "LayerNormalization", "GroupNormalization",
      "LayerScale", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Resizing", "Add", "Subtract",
      "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Flatten", "Reshape", "Permute", "Rescaling",
      "Normalization",
    ]
    + ["1D", "2D"].flatMap { dimensions in
      [
        "Conv", "DepthwiseConv", "SeparableConv", "MaxPooling", "AveragePooling", "GlobalAveragePooling",
        "GlobalMaxPooling", "ZeroPadding", "Cropping", "UpSampling",
      ].map { $0 + dimensions } + ["Conv\(dimensions)Transpose"]
    }

  /// The value that a call gives.
  mutating func layer(_ call: KerasCall) throws -> String {
    let layer = call.layer
    let hasNumber = call.operands.contains { if case .number = $0 { true } else { false } }
    if layer.isFunction || hasNumber { return try function(call) }
    if Self.idle.contains(layer.kind) { return try call.single() }
    switch layer.kind {
    case "Conv1D", "Conv2D": return try convolution(call)
    case "DepthwiseConv1D", "DepthwiseConv2D": return try depthwise(call)
    case "SeparableConv1D", "SeparableConv2D": return try separable(call)
    case "Conv1DTranspose", "Conv2DTranspose": return try transposed(call)
    case "Dense": return try dense(call)
    case "MultiHeadAttention": return try attentionOfHeads(call)
    case "Attention": return try attention(call)
    case "BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2": return try batchNormalization(call)
    case "LayerNormalization", "GroupNormalization": return try sampleNormalization(call)
    case "LayerScale" where layer.config["projection_dim"] != nil: return try layerScale(call)
    case "Activation":
      return try activated(try call.single(), layer.config["activation"], call, named: call.name)
    case "ReLU", "LeakyReLU", "ELU", "Softmax":
      let input = try call.single()
      if layer.kind == "Softmax" { try checkLast(call, input) }
      return try applied(input, activation(layer), named: call.name)
    case "PReLU": return try prelu(call)
    case "MaxPooling1D", "AveragePooling1D", "MaxPooling2D", "AveragePooling2D": return try pool(call)
    case "GlobalAveragePooling1D", "GlobalMaxPooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
      "GlobalMaxPool2D", "GlobalAvgPool2D":
      return try globalPool(call)
    case "ZeroPadding1D", "ZeroPadding2D": return try padding(call)
    case "Cropping1D", "Cropping2D": return try cropping(call)
    case "UpSampling1D", "UpSampling2D": return try upsampling(call)
    case "Resizing": return try resizing(call)
    case "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum": return try merge(call)
    case "Concatenate": return try concatenation(call)
    case "Flatten": return try emit(.flatten(Flatten()), [try call.single()], named: call.name)
    case "Reshape": return try reshape(call)
    case "Permute": return try permute(call)
    case "Rescaling": return try rescaling(call)
    case "Normalization": return try normalization(call)
    case "Lambda":
      throw CompressError(
        "holds Python code, which is not run", kind: .input, hint: "export what it computes, " + KerasFile.exporting)
    // `.h5` files do not tell functions from layers.
    default: return try function(call)
    }
  }

  func shape(_ value: String) -> Shape { layers.shapes[value]! }

  /// Height, width and channels of what a call takes.
  func image(_ value: String) throws -> Shape {
    guard shape(value).rank == 3 else {
      throw CompressError("takes an image of three axes, not shape \(shape(value))", kind: .input)
    }
    return shape(value)
  }

  // MARK: Layers with weights

  func window(_ layer: KerasLayer, size: Size2D) throws -> Window {
    let padding: Padding, dilation = try layer.size("dilation_rate", Size2D(1))
    switch layer.text("padding", "valid").lowercased() {
    case "valid": padding = .valid
    case "same": padding = .same
    // What is computed of a place takes none behind it.
    case "causal" where layer.isOfSignals:
      padding = .explicit(top: 0, left: max(size.width - 1, 0) * dilation.width, bottom: 0, right: 0)
    case let other:
      throw CompressError(
        "has padding \"\(other.escapedForTerminal.shortened(to: 40))\"; valid and same are read", kind: .input)
    }
    return Window(
      size, stride: try layer.size("strides", Size2D(1)), padding: padding, dilation: dilation)
  }

  /// A weight as the file has it, of so many axes.
  static func weight(_ tensors: [String: Tensor], _ name: String, rank: Int) throws -> Tensor {
    guard let tensor = tensors[name], tensor.rank == rank else {
      throw CompressError(
        "its \(name) in the file has shape \(tensors[name]?.shape ?? []); \(rank) axes are expected", kind: .input)
    }
    return tensor
  }

  /// The kernel of a convolution; of one of signals as that of images of height 1.
  private static func kernel(_ tensors: [String: Tensor], _ name: String, of layer: KerasLayer) throws -> Tensor {
    guard layer.isOfSignals else { return try weight(tensors, name, rank: 4) }
    let kernel = try weight(tensors, name, rank: 3)
    return try kernel.contiguous().reshaped([1] + kernel.shape.dims)
  }

  mutating func convolution(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights, hasBias = layer.flag("use_bias", true)
    let conv = Conv2D(
      filters: try layer.integer("filters"), window: try window(layer, size: try layer.size("kernel_size")),
      groups: try layer.integer("groups", 1), hasBias: hasBias)
    let value = try emit(.conv2d(conv), [input], named: call.name) {
      let given = try weights.tensors(of: layer, ["kernel"] + (hasBias ? ["bias"] : []), in: call.scope)
      var tensors = [ParameterRole.weight: try Self.kernel(given, "kernel", of: layer).transposed([3, 0, 1, 2])]
      tensors[.bias] = given["bias"]
      return tensors
    }
    return try activated(value, layer.config["activation"], call)
  }

  /// `[height, width, channels, multiplier]` as one filter for each pair.
  static func spread(_ kernel: Tensor) throws -> Tensor {
    let dims = kernel.shape.dims
    return try kernel.transposed([2, 3, 0, 1]).contiguous().reshaped([dims[2] * dims[3], dims[0], dims[1], 1])
  }

  mutating func depthwise(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights, hasBias = layer.flag("use_bias", true)
    let channels = try image(input)[2], multiplier = try layer.integer("depth_multiplier", 1)
    guard (1...1 << 16).contains(multiplier) else { throw layer.wrong("depth_multiplier") }
    let conv = Conv2D(
      filters: channels * multiplier, window: try window(layer, size: try layer.size("kernel_size")), groups: channels,
      hasBias: hasBias)
    let value = try emit(.conv2d(conv), [input], named: call.name) {
      // Keras 3 calls it kernel, 2 depthwise_kernel.
      let given = try Self.either(weights, layer, "depthwise_kernel", "kernel", hasBias ? ["bias"] : [], call.scope)
      var tensors = [ParameterRole.weight: try Self.spread(Self.kernel(given, "kernel", of: layer))]
      tensors[.bias] = given["bias"]
      return tensors
    }
    return try activated(value, layer.config["activation"], call)
  }

  /// Weights of which the first has another name in older files.
  static func either(
    _ weights: KerasWeights, _ layer: KerasLayer, _ old: String, _ new: String, _ others: [String],
    _ scope: KerasWeights.Scope
  ) throws -> [String: Tensor] {
    do { return try weights.tensors(of: layer, [new] + others, in: scope) } catch let error as CompressError {
      guard var given = try? weights.tensors(of: layer, [old] + others, in: scope) else { throw error }
      given[new] = given[old]
      return given
    }
  }

  mutating func separable(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights, hasBias = layer.flag("use_bias", true)
    let channels = try image(input)[2], multiplier = try layer.integer("depth_multiplier", 1)
    guard (1...1 << 16).contains(multiplier) else { throw layer.wrong("depth_multiplier") }
    func given() throws -> [String: Tensor] {
      try weights.tensors(
        of: layer, ["depthwise_kernel", "pointwise_kernel"] + (hasBias ? ["bias"] : []), in: call.scope)
    }
    let first = Conv2D(
      filters: channels * multiplier, window: try window(layer, size: try layer.size("kernel_size")), groups: channels,
      hasBias: false)
    let inner = try emit(.conv2d(first), [input], named: call.name + "/depthwise") {
      [.weight: try Self.spread(Self.kernel(given(), "depthwise_kernel", of: layer))]
    }
    let second = Conv2D(filters: try layer.integer("filters"), window: Window(Size2D(1)), hasBias: hasBias)
    let value = try emit(.conv2d(second), [inner], named: call.name) {
      let given = try given()
      var tensors = [
        ParameterRole.weight: try Self.kernel(given, "pointwise_kernel", of: layer).transposed([3, 0, 1, 2])
      ]
      tensors[.bias] = given["bias"]
      return tensors
    }
    return try activated(value, layer.config["activation"], call)
  }

  /// The gradient of a convolution: of the one that takes an image of the size that this one gives.
  mutating func transposed(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights, hasBias = layer.flag("use_bias", true)
    let before = try image(input), forward = try window(layer, size: try layer.size("kernel_size"))
    guard layer.config["output_padding"] == nil else {
      throw CompressError("has output_padding, which is not supported", kind: .input, hint: KerasFile.exporting)
    }
    for size in [forward.size, forward.stride, forward.dilation] {
      guard (1...1 << 10).contains(size.height), (1...1 << 10).contains(size.width) else {
        throw CompressError("has sizes that are out of range", kind: .input)
      }
    }
    func margins(_ extent: Int, _ size: Int, _ stride: Int, _ dilation: Int) -> (before: Int, after: Int) {
      let reach = (size - 1) * dilation
      let after = forward.padding == .same ? extent * stride : extent * stride + max(reach + 1 - stride, 0)
      let total = forward.padding == .same ? max((extent - 1) * stride + reach + 1 - after, 0) : 0
      let first = reach - total / 2
      return (first, after - (extent - 1) * stride - 1 - first + reach)
    }
    let rows = margins(before[0], forward.size.height, forward.stride.height, forward.dilation.height)
    let columns = margins(before[1], forward.size.width, forward.stride.width, forward.dilation.width)
    let conv = Conv2D(
      filters: try layer.integer("filters"),
      window: Window(
        forward.size,
        padding: .explicit(top: rows.before, left: columns.before, bottom: rows.after, right: columns.after),
        dilation: forward.dilation), groups: try layer.integer("groups", 1), hasBias: hasBias,
      inputDilation: forward.stride)
    guard conv.groups == 1 else { throw CompressError("has groups, which are not supported", kind: .input) }
    let value = try emit(.conv2d(conv), [input], named: call.name) {
      let given = try weights.tensors(of: layer, ["kernel"] + (hasBias ? ["bias"] : []), in: call.scope)
      // [height, width, out, in], turned by 180 degrees.
      var kernel = try Self.kernel(given, "kernel", of: layer).transposed([2, 0, 1, 3]).contiguous()
      for axis in [1, 2] { kernel = try kernel.gathered(axis: axis, Array((0..<kernel.shape[axis]).reversed())) }
      var tensors = [ParameterRole.weight: kernel]
      tensors[.bias] = given["bias"]
      return tensors
    }
    return try activated(value, layer.config["activation"], call)
  }

  mutating func dense(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights, hasBias = layer.flag("use_bias", true)
    let op = Dense(units: try layer.integer("units"), hasBias: hasBias)
    let value = try emit(.dense(op), [input], named: call.name) {
      let given = try weights.tensors(of: layer, ["kernel"] + (hasBias ? ["bias"] : []), in: call.scope)
      var tensors = [ParameterRole.weight: try Self.weight(given, "kernel", rank: 2).transposed()]
      tensors[.bias] = given["bias"]
      return tensors
    }
    return try activated(value, layer.config["activation"], call)
  }
}
