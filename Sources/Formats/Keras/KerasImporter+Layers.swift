import Diagnostics
import Network
import Tensors

// What each class of layers is here.
extension KerasImporter {
  /// Those that do nothing when a network runs.
  private static let idle: Set = [
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout",
    "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
    "RandomContrast", "RandomBrightness",
  ]

  private static let supported: [String] =
    idle + [
      "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose", "Dense", "BatchNormalization",
      "LayerNormalization", "GroupNormalization", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax",
      "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "ZeroPadding2D",
      "Cropping2D", "UpSampling2D", "Resizing", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
      "Concatenate", "Flatten", "Reshape", "Permute", "Rescaling", "Normalization",
    ]

  /// The value that a call gives.
  mutating func layer(_ call: KerasCall) throws -> String {
    let layer = call.layer
    if layer.text("data_format", "channels_last") == "channels_first" {
      throw CompressError(
        "has data_format channels_first; only channels_last is read", kind: .input, hint: KerasFile.exporting)
    }
    let hasNumber = call.operands.contains { if case .number = $0 { true } else { false } }
    if layer.isFunction || hasNumber { return try function(call) }
    if Self.idle.contains(layer.kind) { return try call.single() }
    switch layer.kind {
    case "Conv2D": return try convolution(call)
    case "DepthwiseConv2D": return try depthwise(call)
    case "SeparableConv2D": return try separable(call)
    case "Conv2DTranspose": return try transposed(call)
    case "Dense": return try dense(call)
    case "BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2": return try batchNormalization(call)
    case "LayerNormalization", "GroupNormalization": return try sampleNormalization(call)
    case "Activation":
      return try activated(try call.single(), layer.config["activation"], call, named: call.name)
    case "ReLU", "LeakyReLU", "ELU", "Softmax":
      let input = try call.single()
      return try applied(input, activation(layer, rank: shape(input).rank), named: call.name)
    case "PReLU": return try prelu(call)
    case "MaxPooling2D", "AveragePooling2D": return try pool(call)
    case "GlobalAveragePooling2D", "GlobalMaxPooling2D", "GlobalMaxPool2D", "GlobalAvgPool2D":
      return try globalPool(call)
    case "ZeroPadding2D": return try padding(call)
    case "Cropping2D": return try cropping(call)
    case "UpSampling2D": return try upsampling(call)
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

  func shape(_ value: String) -> Shape { shapes[value]! }

  /// Height, width and channels of what a call takes.
  private func image(_ value: String) throws -> Shape {
    guard shape(value).rank == 3 else {
      throw CompressError("takes an image of three axes, not shape \(shape(value))", kind: .input)
    }
    return shape(value)
  }

  // MARK: Layers with weights

  private func window(_ layer: KerasLayer, size: Size2D) throws -> Window {
    let padding: Padding
    switch layer.text("padding", "valid").lowercased() {
    case "valid": padding = .valid
    case "same": padding = .same
    case let other:
      throw CompressError(
        "has padding \"\(other.escapedForTerminal.shortened(to: 40))\"; valid and same are read", kind: .input)
    }
    return Window(
      size, stride: try layer.size("strides", Size2D(1)), padding: padding,
      dilation: try layer.size("dilation_rate", Size2D(1)))
  }

  /// A weight as the file has it, of so many axes.
  private static func weight(_ tensors: [String: Tensor], _ name: String, rank: Int) throws -> Tensor {
    guard let tensor = tensors[name], tensor.rank == rank else {
      throw CompressError(
        "its \(name) in the file has shape \(tensors[name]?.shape ?? []); \(rank) axes are expected", kind: .input)
    }
    return tensor
  }

  private mutating func convolution(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights, hasBias = layer.flag("use_bias", true)
    let conv = Conv2D(
      filters: try layer.integer("filters"), window: try window(layer, size: try layer.size("kernel_size")),
      groups: try layer.integer("groups", 1), hasBias: hasBias)
    let value = try emit(.conv2d(conv), [input], named: call.name) {
      let given = try weights.tensors(of: layer, ["kernel"] + (hasBias ? ["bias"] : []), in: call.scope)
      var tensors = [ParameterRole.weight: try Self.weight(given, "kernel", rank: 4).transposed([3, 0, 1, 2])]
      tensors[.bias] = given["bias"]
      return tensors
    }
    return try activated(value, layer.config["activation"], call)
  }

  /// `[height, width, channels, multiplier]` as one filter for each pair.
  private static func spread(_ kernel: Tensor) throws -> Tensor {
    let dims = kernel.shape.dims
    return try kernel.transposed([2, 3, 0, 1]).contiguous().reshaped([dims[2] * dims[3], dims[0], dims[1], 1])
  }

  private mutating func depthwise(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights, hasBias = layer.flag("use_bias", true)
    let channels = try image(input)[2], multiplier = try layer.integer("depth_multiplier", 1)
    guard (1...1 << 16).contains(multiplier) else { throw layer.wrong("depth_multiplier") }
    let conv = Conv2D(
      filters: channels * multiplier, window: try window(layer, size: try layer.size("kernel_size")), groups: channels,
      hasBias: hasBias)
    let value = try emit(.conv2d(conv), [input], named: call.name) {
      // Keras 3 calls it kernel, 2 depthwise_kernel.
      let given = try Self.either(weights, layer, "depthwise_kernel", "kernel", hasBias ? ["bias"] : [], call.scope)
      var tensors = [ParameterRole.weight: try Self.spread(Self.weight(given, "kernel", rank: 4))]
      tensors[.bias] = given["bias"]
      return tensors
    }
    return try activated(value, layer.config["activation"], call)
  }

  /// Weights of which the first has another name in older files.
  private static func either(
    _ weights: KerasWeights, _ layer: KerasLayer, _ old: String, _ new: String, _ others: [String],
    _ scope: KerasWeights.Scope
  ) throws -> [String: Tensor] {
    do { return try weights.tensors(of: layer, [new] + others, in: scope) } catch let error as CompressError {
      guard var given = try? weights.tensors(of: layer, [old] + others, in: scope) else { throw error }
      given[new] = given[old]
      return given
    }
  }

  private mutating func separable(_ call: KerasCall) throws -> String {
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
      [.weight: try Self.spread(Self.weight(given(), "depthwise_kernel", rank: 4))]
    }
    let second = Conv2D(filters: try layer.integer("filters"), window: Window(Size2D(1)), hasBias: hasBias)
    let value = try emit(.conv2d(second), [inner], named: call.name) {
      let given = try given()
      var tensors = [
        ParameterRole.weight: try Self.weight(given, "pointwise_kernel", rank: 4).transposed([3, 0, 1, 2])
      ]
      tensors[.bias] = given["bias"]
      return tensors
    }
    return try activated(value, layer.config["activation"], call)
  }

  /// The gradient of a convolution: of the one that takes an image of the size that this one gives.
  private mutating func transposed(_ call: KerasCall) throws -> String {
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
      var kernel = try Self.weight(given, "kernel", rank: 4).transposed([2, 0, 1, 3]).contiguous()
      for axis in [1, 2] { kernel = try kernel.gathered(axis: axis, Array((0..<kernel.shape[axis]).reversed())) }
      var tensors = [ParameterRole.weight: kernel]
      tensors[.bias] = given["bias"]
      return tensors
    }
    return try activated(value, layer.config["activation"], call)
  }

  private mutating func dense(_ call: KerasCall) throws -> String {
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

  // MARK: Normalization

  /// That the axis, or the only one of a list, is the last.
  private func checkLast(_ layer: KerasLayer, _ value: String) throws {
    let axes = layer.config["axis"]?.list?.map(\.integer) ?? [layer.config["axis"]?.integer ?? -1]
    // With the batch in front.
    guard axes.count == 1, let axis = axes[0], axis == -1 || axis == shape(value).rank else {
      throw CompressError("works along other axes than the last", kind: .input)
    }
  }

  private mutating func batchNormalization(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights
    try checkLast(layer, input)
    guard !layer.flag("renorm", false) else { throw CompressError("has renorm, which is not supported", kind: .input) }
    let momentum = try layer.number("momentum", otherwise: 0.99)
    let op = BatchNorm(
      epsilon: try layer.number("epsilon", otherwise: 1e-3), momentum: (0..<1).contains(momentum) ? momentum : 0.99)
    let channels = shape(input).dims.last ?? 1, hasScale = layer.flag("scale", true),
      hasShift = layer.flag("center", true)
    return try emit(.batchNorm(op), [input], named: call.name) {
      let given = try weights.tensors(
        of: layer,
        (hasScale ? ["gamma"] : []) + (hasShift ? ["beta"] : []) + ["moving_mean", "moving_variance"], in: call.scope)
      // Nothing is made for as many channels as are claimed before the file has as many.
      guard given["moving_mean"]?.shape == [channels] else {
        throw CompressError(
          "its moving_mean in the file has shape \(given["moving_mean"]?.shape ?? []); \([channels]) is expected",
          kind: .input)
      }
      var tensors: [ParameterRole: Tensor] = [
        .gamma: Tensor(repeating: 1, [channels]), .beta: Tensor(zeros: [channels]),
      ]
      for (name, role) in [
        ("gamma", ParameterRole.gamma), ("beta", .beta), ("moving_mean", .mean), ("moving_variance", .variance),
      ] {
        if let tensor = given[name] { tensors[role] = tensor }
      }
      return tensors
    }
  }

  private mutating func sampleNormalization(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights
    try checkLast(layer, input)
    let hasScale = layer.flag("scale", true), hasShift = layer.flag("center", true)
    var groups: Int?
    if layer.kind == "GroupNormalization" {
      let given = try layer.integer("groups", 32)
      groups = given == -1 ? shape(input).dims.last : given
    }
    let op = SampleNorm(
      layer.flag("rms_scaling", false) ? .meanSquare : .variance, groups: groups,
      epsilon: try layer.number("epsilon", otherwise: 1e-3), hasScale: hasScale, hasShift: hasShift)
    guard op.statistic == .variance else {
      throw CompressError("has rms_scaling, which is not supported", kind: .input)
    }
    return try emit(.normalization(op), [input], named: call.name) {
      let given = try weights.tensors(
        of: layer, (hasScale ? ["gamma"] : []) + (hasShift ? ["beta"] : []), in: call.scope)
      var tensors: [ParameterRole: Tensor] = [:]
      tensors[.gamma] = given["gamma"]
      tensors[.beta] = given["beta"]
      return tensors
    }
  }

  private mutating func scaled(_ value: String, by scale: [Float], plus shift: [Float], named name: String) throws
    -> String
  {
    var value = value
    if scale.contains(where: { $0 != 1 }) {
      let factor = try constant(scale, named: name + "/scale")
      value = try emit(.mul(Mul()), [value, factor], named: shift.allSatisfy { $0 == 0 } ? name : name + "/scaled")
    }
    if shift.contains(where: { $0 != 0 }) {
      let term = try constant(shift, named: name + "/offset")
      value = try emit(.add(Add()), [value, term], named: name)
    }
    return value
  }

  private mutating func rescaling(_ call: KerasCall) throws -> String {
    func numbers(_ key: String, _ otherwise: Float) throws -> [Float] {
      guard let value = call.layer.config[key] else { return [otherwise] }
      let numbers = value.list?.map(\.number) ?? [value.number]
      guard !numbers.isEmpty, numbers.allSatisfy({ $0.map { Float($0).isFinite } ?? false }) else {
        throw call.layer.wrong(key)
      }
      return numbers.map { Float($0!) }
    }
    return try scaled(try call.single(), by: numbers("scale", 1), plus: numbers("offset", 0), named: call.name)
  }

  /// `(x - mean) / sqrt(variance)`, with what the layer was adapted to.
  private mutating func normalization(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single()
    try checkLast(layer, input)
    guard !layer.flag("invert", false) else { throw CompressError("has invert, which is not supported", kind: .input) }
    func numbers(_ json: KerasJSON?) -> [Float]? {
      guard let json else { return nil }
      if let number = json.number { return [Float(number)] }
      let inner = json.list?.map { numbers($0) } ?? [nil]
      return inner.contains { $0 == nil } ? nil : inner.flatMap { $0! }
    }
    var mean = numbers(layer.config["mean"]), variance = numbers(layer.config["variance"])
    if mean == nil || variance == nil {
      let given = try weights.tensors(of: layer, ["mean", "variance"], in: call.scope)
      mean = given["mean"]?.array(Float.self)
      variance = given["variance"]?.array(Float.self)
    }
    let channels = shape(input).dims.last ?? 1
    guard let mean, let variance, mean.count == variance.count, [1, channels].contains(mean.count) else {
      throw CompressError("has no mean and variance for each of \(channels) channels", kind: .input)
    }
    let term = try constant(mean.map { -$0 }, named: call.name + "/mean")
    let centred = try emit(.add(Add()), [input, term], named: call.name + "/centred")
    let factor = try constant(variance.map { 1 / max($0.squareRoot(), 1e-7) }, named: call.name + "/scale")
    return try emit(.mul(Mul()), [centred, factor], named: call.name)
  }

  // MARK: Functions

  private mutating func prelu(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights, channels = shape(input).dims.last ?? 1
    return try emit(.prelu(PReLU()), [input], named: call.name) {
      let given = try weights.tensors(of: layer, ["alpha"], in: call.scope)["alpha"]!
      guard
        given.count == 1 && channels <= 1 << 20
          || given.count == channels && given.shape.dims.last == channels
      else {
        throw CompressError(
          "has slopes of shape \(given.shape); one for each of \(channels) channels is supported", kind: .input,
          hint: "shared_axes=[1, 2]")
      }
      return [.slope: given.count == 1 ? Tensor(repeating: given.item, [channels]) : try given.reshaped([channels])]
    }
  }

  /// Of a layer that is a function: nil for the identity.
  private func activation(_ layer: KerasLayer, rank: Int) throws -> Activation? {
    switch layer.kind {
    case "ReLU":
      let slope = try layer.number("negative_slope", otherwise: 0), least = try layer.number("threshold", otherwise: 0)
      guard least == 0 else { throw CompressError("has a threshold, which is not supported", kind: .input) }
      guard layer.config["max_value"] != nil else { return slope == 0 ? .relu : .leakyReLU(slope: slope) }
      let most = try layer.number("max_value", otherwise: 0)
      guard slope == 0, most >= 0 else {
        throw CompressError("has max_value and negative_slope, which are not supported together", kind: .input)
      }
      return most == 6 ? .relu6 : .clip(low: 0, high: most)
    case "LeakyReLU": return .leakyReLU(slope: try layer.number("negative_slope", "alpha", otherwise: 0.3))
    case "ELU": return .elu(alpha: try layer.number("alpha", otherwise: 1))
    default:
      let axes = layer.config["axis"]?.list?.map(\.integer) ?? [layer.config["axis"]?.integer ?? -1]
      guard axes.count == 1, axes[0] == -1 || axes[0] == rank else {
        throw CompressError("works along another axis than the last", kind: .input)
      }
      return .softmax
    }
  }

  /// By the names that `activation=` takes; nil for the identity.
  private func activation(_ name: String) throws -> Activation? {
    switch name {
    case "linear": return nil
    case "relu": return .relu
    case "relu6": return .relu6
    case "sigmoid": return .sigmoid
    case "tanh": return .tanh
    case "softmax": return .softmax
    case "log_softmax": return .logSoftmax
    case "swish", "silu": return .silu
    case "gelu": return .gelu
    case "elu": return .elu(alpha: 1)
    case "leaky_relu": return .leakyReLU(slope: 0.2)
    case "hard_sigmoid": return .hardSigmoid(slope: isVersion3 ? 1 / 6 : 0.2, offset: 0.5)
    case "hard_swish", "hard_silu": return .hardSwish
    case "softplus": return .softplus
    case "exponential": return .exp
    case "mish": return .mish
    default:
      throw CompressError(
        "has activation \"\(name.escapedForTerminal.shortened(to: 80))\", which is not supported", kind: .input,
        hint: KerasFile.exporting)
    }
  }

  /// What `activation=` adds to a layer.
  private mutating func activated(
    _ value: String, _ json: KerasJSON?, _ call: KerasCall, named given: String? = nil
  ) throws -> String {
    guard let json else { return value }
    // A name; a function of Keras's by its name; or a layer that is a function.
    let kind = json["class_name"]?.text
    var function: Activation?, name = json.text ?? json["config"]?.text ?? kind ?? "nothing"
    if json.text == nil, let kind, ["ReLU", "LeakyReLU", "ELU", "Softmax"].contains(kind) {
      var fields: [String: KerasJSON] = ["class_name": .text(kind), "name": .text(kind)]
      fields["config"] = json["config"] ?? .object([:])
      function = try activation(KerasLayer(.object(fields)), rank: shape(value).rank)
      name = kind
    } else {
      function = try activation(name)
    }
    guard let function else { return value }
    return try emit(.activation(function), [value], named: given ?? "\(call.name)/\(name)")
  }

  private mutating func applied(_ value: String, _ function: Activation?, named name: String) throws -> String {
    try function.map { try emit(.activation($0), [value], named: name) } ?? value
  }

  /// One of Keras's or TensorFlow's functions, called in place of a layer.
  private mutating func function(_ call: KerasCall) throws -> String {
    let layer = call.layer
    // `Multiply` of Keras 3, `math.multiply` and `__operators__.add` of TensorFlow.
    let whole = layer.kind == "TFOpLambda" ? layer.text("function", "nothing") : layer.kind
    let name = whole.splitByBytes(at: ".").last!.replacing("_", with: "").lowercased()
    switch name {
    case "add", "subtract", "multiply", "sub", "mul", "divide", "truedivide", "truediv", "maximum", "minimum":
      return try pair(name, call)
    case "relu", "relu6", "sigmoid", "tanh", "silu", "swish", "softplus":
      return try applied(try call.single(), activation(name), named: call.name)
    case "hardsilu", "hardswish": return try applied(try call.single(), .hardSwish, named: call.name)
    case "hardsigmoid": return try applied(try call.single(), activation("hard_sigmoid"), named: call.name)
    default:
      guard layer.isFunction else {
        throw CompressError(
          "is a class of layers that is not supported" + Suggestion.text(for: layer.kind, among: Self.supported),
          kind: .input, hint: KerasFile.exporting)
      }
      throw CompressError(
        "calls the function \(whole.escapedForTerminal.shortened(to: 80)), which is not supported", kind: .input,
        hint: KerasFile.exporting)
    }
  }

  /// Of two values, or of one and a number.
  private mutating func pair(_ name: String, _ call: KerasCall) throws -> String {
    guard call.operands.count == 2 else {
      throw CompressError("takes two values, not \(call.operands.count)", kind: .input)
    }
    let sides = try call.operands.enumerated().map { index, operand -> String in
      switch operand {
      case .value(let value): return value
      case .number(let number):
        guard number.isFinite else { throw CompressError("is called with \(number)", kind: .input) }
        return try constant([number], named: "\(call.name)/\(index == 0 ? "first" : "second")")
      }
    }
    // A function would broadcast a value of fewer axes along the batch.
    let ranks = call.operands.compactMap { if case .value(let value) = $0 { shape(value).rank } else { nil } }
    guard let rank = ranks.first else { throw CompressError("takes numbers alone", kind: .input) }
    if let other = ranks.first(where: { $0 != rank }) {
      throw CompressError("takes values of \(rank) and \(other) axes", kind: .input)
    }
    let op: Operator
    switch name {
    case "add": op = .add(Add())
    case "multiply", "mul": op = .mul(Mul())
    case "subtract", "sub": op = .binary(Binary(.sub))
    case "maximum": op = .binary(Binary(.maximum))
    case "minimum": op = .binary(Binary(.minimum))
    default: op = .binary(Binary(.div))
    }
    return try emit(op, sides, named: call.name)
  }

  // MARK: Pools and images

  private mutating func pool(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single()
    _ = try image(input)
    let size = try layer.size("pool_size", Size2D(2))
    var window = try window(layer, size: size)
    window.stride = try layer.size("strides", size)
    let reduction: Pool2D.Reduction = layer.kind == "MaxPooling2D" ? .max : .average
    return try emit(.pool2d(Pool2D(reduction, window: window)), [input], named: call.name)
  }

  private mutating func globalPool(_ call: KerasCall) throws -> String {
    let input = try call.single(), channels = try image(input)[2]
    let reduction: Pool2D.Reduction = call.layer.kind.contains("Max") ? .max : .average
    let keeps = call.layer.flag("keepdims", false)
    let value = try emit(.globalPool(GlobalPool(reduction)), [input], named: keeps ? call.name + "/pool" : call.name)
    return keeps ? try emit(.reshape(Reshape([1, 1, channels])), [value], named: call.name) : value
  }

  private mutating func padding(_ call: KerasCall) throws -> String {
    let input = try call.single(), margins = try call.layer.margins("padding")
    _ = try image(input)
    let pad = Pad(before: [margins.top, margins.left, 0], after: [margins.bottom, margins.right, 0])
    return try emit(.pad(pad), [input], named: call.name)
  }

  private mutating func cropping(_ call: KerasCall) throws -> String {
    let input = try call.single(), before = try image(input), margins = try call.layer.margins("cropping")
    let rows = margins.top..<max(margins.top, before[0] - margins.bottom)
    let columns = margins.left..<max(margins.left, before[1] - margins.right)
    guard before[0] <= 1 << 16, before[1] <= 1 << 16 else {
      throw CompressError("takes an image of \(before)", kind: .limit)
    }
    guard !rows.isEmpty, !columns.isEmpty else { throw CompressError("leaves nothing of \(before)", kind: .input) }
    let cut = try emit(.gather(Gather(axis: 0, Array(rows))), [input], named: call.name + "/rows")
    return try emit(.gather(Gather(axis: 1, Array(columns))), [cut], named: call.name)
  }

  private mutating func upsampling(_ call: KerasCall) throws -> String {
    let input = try call.single(), before = try image(input), factor = try call.layer.size("size", Size2D(2))
    guard (1...1 << 10).contains(factor.height), (1...1 << 10).contains(factor.width) else {
      throw call.layer.wrong("size")
    }
    let isNearest = try isNearest(call.layer, "nearest")
    let resize = Resize(
      isNearest ? .nearest : .bilinear, height: before[0] * factor.height, width: before[1] * factor.width,
      coordinates: isNearest ? .asymmetric : .halfPixel)
    return try emit(.resize(resize), [input], named: call.name)
  }

  private mutating func resizing(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single()
    _ = try image(input)
    for key in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"] where layer.flag(key, false) {
      throw CompressError("has \(key), which is not supported", kind: .input)
    }
    let isNearest = try isNearest(layer, "bilinear")
    let resize = Resize(
      isNearest ? .nearest : .bilinear, height: try layer.integer("height"), width: try layer.integer("width"),
      coordinates: isNearest ? .tfHalfPixelForNearest : .halfPixel)
    return try emit(.resize(resize), [input], named: call.name)
  }

  private func isNearest(_ layer: KerasLayer, _ otherwise: String) throws -> Bool {
    let interpolation = layer.text("interpolation", otherwise)
    guard interpolation == "nearest" || interpolation == "bilinear" else {
      throw CompressError(
        "has interpolation \"\(interpolation.escapedForTerminal.shortened(to: 40))\"; nearest and bilinear are read",
        kind: .input)
    }
    return interpolation == "nearest"
  }

  // MARK: Several values

  private mutating func merge(_ call: KerasCall) throws -> String {
    let values = try call.operands.map { try Self.value($0) }, kind = call.layer.kind
    guard values.count >= 2, kind != "Subtract" || values.count == 2 else {
      throw CompressError("takes two values\(kind == "Subtract" ? "" : " or more"), not \(values.count)", kind: .input)
    }
    let op: Operator
    switch kind {
    case "Add", "Average": op = .add(Add())
    case "Multiply": op = .mul(Mul())
    case "Subtract": op = .binary(Binary(.sub))
    case "Maximum": op = .binary(Binary(.maximum))
    default: op = .binary(Binary(.minimum))
    }
    var value = values[0]
    for (index, next) in values.enumerated().dropFirst() {
      let isLast = index == values.count - 1 && kind != "Average"
      value = try emit(op, [value, next], named: isLast ? call.name : "\(call.name)/\(index)")
    }
    guard kind == "Average" else { return value }
    return try scaled(value, by: [1 / Float(values.count)], plus: [0], named: call.name)
  }

  private mutating func concatenation(_ call: KerasCall) throws -> String {
    let values = try call.operands.map { try Self.value($0) }
    guard let first = values.first else { throw CompressError("takes no value", kind: .input) }
    if values.count == 1 { return first }
    let rank = shape(first).rank, given = try call.layer.integer("axis", -1)
    let axis = given < 0 ? given + rank : given - 1
    guard (0..<rank).contains(axis) else { throw CompressError("joins along axis \(given)", kind: .input) }
    return try emit(.concat(Concat(axis: axis == rank - 1 ? nil : axis)), values, named: call.name)
  }

  // MARK: Shapes

  private mutating func reshape(_ call: KerasCall) throws -> String {
    let input = try call.single(), count = shape(input).count
    let target = call.layer.config["target_shape"]?.list?.map(\.integer) ?? []
    guard !target.isEmpty, target.allSatisfy({ $0 != nil }), target.count(where: { $0 == -1 }) <= 1 else {
      throw call.layer.wrong("target_shape")
    }
    var dims = target.map { $0! }
    if let free = dims.firstIndex(of: -1) {
      let others = try Shape(checking: dims.enumerated().filter { $0.offset != free }.map(\.element)).count
      guard others > 0, count % others == 0 else { throw call.layer.wrong("target_shape") }
      dims[free] = count / others
    }
    return try emit(.reshape(Reshape(try Shape(checking: dims))), [input], named: call.name)
  }

  private mutating func permute(_ call: KerasCall) throws -> String {
    let axes = call.layer.config["dims"]?.list?.map(\.integer) ?? []
    guard !axes.isEmpty, axes.allSatisfy({ $0 != nil && $0! > 0 }) else { throw call.layer.wrong("dims") }
    return try emit(.transpose(Transpose(axes.map { $0! - 1 })), [try call.single()], named: call.name)
  }
}
