import Diagnostics
import Network
import Tensors

// Functions of an element, and of pairs of values.
extension KerasImporter {
  mutating func prelu(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights, channels = shape(input).dims.last ?? 1
    return try emit(.prelu(PReLU()), [input], named: call.name) {
      let given = try weights.tensors(of: layer, ["alpha"], in: call.scope)["alpha"]!
      guard
        given.count == 1 && channels <= 1 << 20
          || given.count == channels
            && (call.form.isTurned ? given.shape.dims.first : given.shape.dims.last) == channels
      else {
        throw CompressError(
          "has slopes of shape \(given.shape); one for each of \(channels) channels is supported", kind: .input,
          hint: "shared_axes=[1, 2], of channels first [2, 3]")
      }
      return [.slope: given.count == 1 ? Tensor(repeating: given.item, [channels]) : try given.reshaped([channels])]
    }
  }

  /// Of a layer that is a function: nil for the identity. What works along an axis does so along the last one.
  func activation(_ layer: KerasLayer) throws -> Activation? {
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
      return .softmax
    }
  }

  /// By the names that `activation=` takes; nil for the identity.
  func activation(_ name: String) throws -> Activation? {
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
  mutating func activated(
    _ value: String, _ json: KerasJSON?, _ call: KerasCall, named given: String? = nil
  ) throws -> String {
    guard let json else { return value }
    // A name; a function of Keras's by its name; or a layer that is a function.
    let kind = json["class_name"]?.text
    var function: Activation?, name = json.text ?? json["config"]?.text ?? kind ?? "nothing"
    if json.text == nil, let kind, ["ReLU", "LeakyReLU", "ELU", "Softmax"].contains(kind) {
      var fields: [String: KerasJSON] = ["class_name": .text(kind), "name": .text(kind)]
      fields["config"] = json["config"] ?? .object([:])
      let layer = try KerasLayer(.object(fields))
      if kind == "Softmax" {
        try checkLast(KerasCall(layer, [], scope: call.scope, path: "", form: call.form), value)
      }
      function = try activation(layer)
      name = kind
    } else {
      function = try activation(name)
      if call.form.isTurned, function == .softmax || function == .logSoftmax {
        throw CompressError("has \(name) along the last axis, and its channels first", kind: .input)
      }
    }
    guard let function else { return value }
    return try emit(.activation(function), [value], named: given ?? "\(call.name)/\(name)")
  }

  mutating func applied(_ value: String, _ function: Activation?, named name: String) throws -> String {
    try function.map { try emit(.activation($0), [value], named: name) } ?? value
  }

  /// One of Keras's or TensorFlow's functions, called in place of a layer.
  mutating func function(_ call: KerasCall) throws -> String {
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
  mutating func pair(_ name: String, _ call: KerasCall) throws -> String {
    guard call.operands.count == 2 else {
      throw CompressError("takes two values, not \(call.operands.count)", kind: .input)
    }
    let sides = try call.operands.enumerated().map { index, operand -> String in
      switch operand {
      case .value(let held): return held.name
      case .number(let number):
        guard number.isFinite else { throw CompressError("is called with \(number)", kind: .input) }
        return try constant([number], named: "\(call.name)/\(index == 0 ? "first" : "second")")
      }
    }
    // A function would broadcast a value of fewer axes along the batch.
    let ranks = call.operands.compactMap { if case .value(let held) = $0 { shape(held.name).rank } else { nil } }
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
}
