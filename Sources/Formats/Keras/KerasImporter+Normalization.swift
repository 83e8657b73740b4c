import Diagnostics
import Network
import Tensors

// Layers that scale and shift, by statistics or by numbers of their own.
extension KerasImporter {
  /// That the axis, or the only one of a list, is the one that is last here: the first or the last of Keras's value.
  func checkLast(_ call: KerasCall, _ value: String) throws {
    let given = call.layer.config["axis"], axes = given?.list?.map(\.integer) ?? [given?.integer ?? -1]
    guard axes.count == 1, let axis = axes[0], call.axis(axis, rank: shape(value).rank) == shape(value).rank - 1 else {
      throw CompressError("works along other axes than the first or the last", kind: .input)
    }
  }

  mutating func batchNormalization(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights
    try checkLast(call, input)
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

  mutating func sampleNormalization(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single(), weights = weights
    try checkLast(call, input)
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

  mutating func scaled(_ value: String, by scale: [Float], plus shift: [Float], named name: String) throws
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

  mutating func rescaling(_ call: KerasCall) throws -> String {
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
  mutating func normalization(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single()
    try checkLast(call, input)
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
}
