import Diagnostics
import Network
import Tensors

// Functions of an element, of two, and of rows.
extension TFLiteExporter {
  /// Scale and zero point, as the engine counts it, that TFLite's integers of some functions have always.
  private static func fixedEncoding(_ function: Activation) -> (scale: Float, zeroPoint: Int)? {
    switch function {
    case .sigmoid, .softmax: (1 / 256, 0)
    case .tanh: (1 / 128, 128)
    default: nil
    }
  }

  /// A node of one float input.
  private mutating func unary(
    _ kind: String, _ input: Int, _ node: Node, part: String? = nil, _ type: TFLiteOptions = .none,
    _ options: Fields = [:]
  ) -> Int {
    emit(kind, [input], dims(node.output), named: part.map { "\(node.name) \($0)" } ?? node.name, type, options)
  }

  private mutating func pair(
    _ kind: String, _ a: Int, _ b: Int, _ dims: [Int], named name: String
  ) -> Int {
    let types: [String: TFLiteOptions] = ["ADD": .add, "SUB": .sub, "MUL": .mul, "DIV": .div]
    return emit(kind, [a, b], dims, named: name, types[kind] ?? .maximumMinimum)
  }

  mutating func add(_ node: Node, _ function: Activation) throws {
    if try addInteger(node, function) { return }
    let input = try float(node.inputs[0])
    give(node.output, float: try floatFunction(node, function, input))
  }

  /// On integers, where TFLite has the function on them.
  private mutating func addInteger(_ node: Node, _ function: Activation) throws -> Bool {
    guard let own = encodings[node.inputs[0]], let encoding = encodings[node.output] else { return false }
    let input = try integer(node.inputs[0])
    let kind: String, type: TFLiteOptions
    var fields: Fields = [:]
    switch function {
    case .relu: (kind, type) = ("RELU", .none)
    case .relu6: (kind, type) = (Self.isBeyond(6, encoding) ? "RELU" : "RELU6", .none)
    case .clip(let low, let high):
      // In the scale of the input, then in its own.
      let bounds = Self.bounds(low...high, own)
      let clamped = clampedInteger(
        input, dims(node.output), high: bounds.high, low: bounds.low, named: node.name, own)
      give(node.output, integer: clamped, as: own)
      return true
    case .sigmoid, .tanh, .softmax:
      guard let fixed = Self.fixedEncoding(function), fixed == (encoding.scale, encoding.zeroPoint), encoding.bits == 8
      else { return false }
      (kind, type) =
        function == .sigmoid ? ("LOGISTIC", .none) : function == .tanh ? ("TANH", .none) : ("SOFTMAX", .softmax)
      if function == .softmax { fields = [TFLiteField.Softmax.beta: .float(1)] }
    default: return false  // the declared fallback: in floats, between DEQUANTIZE and QUANTIZE
    }
    let tensor = emit(
      kind, [input], dims(node.output), named: node.name, as: encoding, type, fields, version: 2)
    give(node.output, integer: tensor, as: encoding)
    return true
  }

  /// The least and the greatest integer of a range, as the engine counts them.
  static func bounds(_ range: ClosedRange<Float>, _ encoding: ActivationQuantization) -> (low: Int, high: Int) {
    func q(_ value: Float) -> Int {
      let q = (value * (1 / encoding.scale)).rounded(.toNearestOrEven) + Float(encoding.zeroPoint)
      return Int(min(max(q, 0), Float(encoding.limit)))
    }
    return (q(range.lowerBound), q(range.upperBound))
  }

  private mutating func floatFunction(_ node: Node, _ function: Activation, _ input: Int) throws -> Int {
    let dims = dims(node.output), name = node.name
    switch function {
    case .relu: return unary("RELU", input, node)
    case .relu6: return unary("RELU6", input, node)
    case .clip(let low, let high): return clampedFloat(input, dims, low...high, named: name)
    case .sigmoid: return unary("LOGISTIC", input, node)
    case .softmax: return unary("SOFTMAX", input, node, .softmax, [TFLiteField.Softmax.beta: .float(1)])
    case .logSoftmax: return unary("LOG_SOFTMAX", input, node, .logSoftmax)
    case .tanh: return unary("TANH", input, node)
    case .exp: return unary("EXP", input, node, .exp)
    case .log: return unary("LOG", input, node)
    case .sqrt: return unary("SQRT", input, node)
    case .reciprocal: return pair("DIV", number(1, named: name + " one"), input, dims, named: name)
    case .negative: return unary("NEG", input, node, .neg)
    case .absolute: return unary("ABS", input, node, .abs)
    case .sin: return unary("SIN", input, node)
    case .cos: return unary("COS", input, node, .cos)
    case .floor: return unary("FLOOR", input, node)
    case .ceil: return unary("CEIL", input, node)
    case .round: return unary("ROUND", input, node)
    case .sign: return unary("SIGN", input, node, .sign)
    case .hardSwish: return unary("HARD_SWISH", input, node, .hardSwish)
    case .silu: return pair("MUL", input, unary("LOGISTIC", input, node, part: "gate"), dims, named: name)
    case .gelu: return unary("GELU", input, node, .gelu, [TFLiteField.Gelu.approximate: .flag(false)])
    case .geluTanh: return unary("GELU", input, node, .gelu, [TFLiteField.Gelu.approximate: .flag(true)])
    case .softplus: return softplus(node, input)
    case .mish: return pair("MUL", input, unary("TANH", softplus(node, input), node, part: "gate"), dims, named: name)
    case .leakyReLU(let slope):
      return unary("LEAKY_RELU", input, node, .leakyReLU, [TFLiteField.LeakyReLU.alpha: .float(slope)])
    case .elu(let alpha):
      guard alpha != 1 else { return unary("ELU", input, node) }
      // relu(x) + alpha * (elu(x) - relu(x))
      let above = unary("RELU", input, node, part: "above"), whole = unary("ELU", input, node, part: "whole")
      let below = pair("SUB", whole, above, dims, named: name + " below")
      let scaled = pair("MUL", below, number(alpha, named: name + " alpha"), dims, named: name + " scaled")
      return pair("ADD", above, scaled, dims, named: name)
    case .hardSigmoid(let slope, let offset):
      let scaled = pair("MUL", input, number(slope, named: name + " slope"), dims, named: name + " scaled")
      let shifted = pair("ADD", scaled, number(offset, named: name + " offset"), dims, named: name + " shifted")
      return clampedFloat(shifted, dims, 0...1, named: name)
    case .erf: throw Self.unsupported("the error function")
    }
  }

  /// `max(x, 0) + log(1 + exp(-|x|))`, which does not overflow.
  private mutating func softplus(_ node: Node, _ input: Int) -> Int {
    let dims = dims(node.output), name = node.name
    let magnitude = unary("ABS", input, node, part: "magnitude", .abs)
    let negative = unary("NEG", magnitude, node, part: "negative", .neg)
    let power = unary("EXP", negative, node, part: "power", .exp)
    let more = pair("ADD", power, number(1, named: name + " one"), dims, named: name + " more")
    let log = unary("LOG", more, node, part: "log")
    return pair("ADD", unary("RELU", input, node, part: "above"), log, dims, named: name + " softplus")
  }

  mutating func clampedFloat(_ tensor: Int, _ dims: [Int], _ range: ClosedRange<Float>, named name: String) -> Int {
    if range == -1...1 { return emit("RELU_N1_TO_1", [tensor], dims, named: name) }
    var result = tensor
    if range.lowerBound > -.infinity {
      result = pair("MAXIMUM", result, number(range.lowerBound, named: name + " low"), dims, named: name + " above")
    }
    if range.upperBound < .infinity {
      result = pair("MINIMUM", result, number(range.upperBound, named: name + " high"), dims, named: name + " below")
    }
    return result
  }

  // MARK: Pairs

  /// What the clamp that is part of a layer is in its options; nil where they have none for it.
  func fusedActivation(_ node: Node) -> TFLiteActivation? {
    guard let clamp = clamps[node.name], let range = clamp.op.clampRange else { return TFLiteActivation.none }
    switch range {
    case 0 ... .infinity: return .relu
    case 0...6: return Self.isBeyond(6, encodings[clamp.output]) ? .relu : .relu6
    case -1...1: return Self.isBeyond(1, encodings[clamp.output]) ? TFLiteActivation.none : .reluN1To1
    default: return nil
    }
  }

  /// Whether a bound is so many steps away that LiteRT, which counts them in 32 bits, refuses it. No integer reaches
  /// it.
  static func isBeyond(_ bound: Float, _ encoding: ActivationQuantization?) -> Bool {
    encoding.map { bound / $0.scale >= 0x1p30 } ?? false
  }

  /// Adds what clamps behind a layer, where it could not be said in the layer's options.
  mutating func give(_ node: Node, _ tensor: Int, isInteger: Bool) {
    let value = result(node)
    var tensor = tensor
    if let clamp = clamps[node.name], let range = clamp.op.clampRange, fusedActivation(node) == nil {
      if isInteger, let encoding = encodings[value] {
        let bounds = Self.bounds(range, encoding)
        tensor = clampedInteger(tensor, dims(value), high: bounds.high, low: bounds.low, named: clamp.name, encoding)
      } else {
        tensor = clampedFloat(tensor, dims(value), range, named: clamp.name)
      }
    }
    if isInteger, let encoding = encodings[value] {
      give(value, integer: tensor, as: encoding)
    } else {
      give(value, float: tensor)
    }
  }

  /// A sum, product or difference.
  mutating func addPair(_ node: Node, _ kind: String, _ type: TFLiteOptions) throws {
    let value = result(node)
    let options: Fields = [
      TFLiteField.Arithmetic.activation: .int((fusedActivation(node) ?? .none).rawValue)
    ]
    if let encoding = encodings[value], node.inputs.allSatisfy({ encodings[$0] != nil }) {
      let inputs = try node.inputs.map { try integer($0) }
      let tensor = emit(kind, inputs, dims(value), named: node.name, as: encoding, type, options, version: 2)
      return give(node, tensor, isInteger: true)
    }
    let inputs = try node.inputs.map { try float($0) }
    give(node, emit(kind, inputs, dims(value), named: node.name, type, options), isInteger: false)
  }

  mutating func add(_ node: Node, _ binary: Binary) throws {
    switch binary.function {
    case .sub: return try addPair(node, "SUB", .sub)
    case .div:
      let inputs = try node.inputs.map { try float($0) }
      give(node.output, float: emit("DIV", inputs, dims(node.output), named: node.name, .div))
    case .pow:
      let inputs = try node.inputs.map { try float($0) }
      give(node.output, float: emit("POW", inputs, dims(node.output), named: node.name, .pow))
    case .minimum, .maximum:
      let kind = binary.function == .minimum ? "MINIMUM" : "MAXIMUM"
      if let encoding = encodings[node.output], node.inputs.allSatisfy({ encodings[$0] != nil }) {
        let inputs = try node.inputs.map { try integer($0, as: encoding) }
        let tensor = emit(
          kind, inputs, dims(node.output), named: node.name, as: encoding, .maximumMinimum, version: 2,
          mayExceed: false)
        return give(node.output, integer: tensor, as: encoding)
      }
      let inputs = try node.inputs.map { try float($0) }
      give(node.output, float: emit(kind, inputs, dims(node.output), named: node.name, .maximumMinimum))
    }
  }

  // MARK: Norms

  /// A batch norm that no layer took up: a factor and a shift for each channel.
  mutating func addNorm(_ node: Node) throws {
    let factors = model.normFactors(of: node.name), dims = dims(node.output)
    let means = model[node.name, .mean]!.values.array(Float.self)
    let betas = model[node.name, .beta]!.values.array(Float.self)
    let shifts = factors.indices.map { betas[$0] - means[$0] * factors[$0] }
    let factor = constant(Tensor(factors), [factors.count], named: node.name + " factor")
    let shift = constant(Tensor(shifts), [shifts.count], named: node.name + " shift")
    let scaled = pair("MUL", try float(node.inputs[0]), factor, dims, named: node.name + " scaled")
    give(node.output, float: pair("ADD", scaled, shift, dims, named: node.name))
  }

  mutating func add(_ node: Node, _ norm: SampleNorm) throws {
    let whole = dims(node.output), name = node.name
    var dims = whole, source = try float(node.inputs[0]), axes = [whole.count - 1]
    if let groups = norm.groups, let channels = whole.last {
      // Pixels, groups, channels of one group: over pixels and channels.
      dims = [1, whole.dropFirst().dropLast().reduce(1, *), groups, channels / groups]
      source = reshape(source, to: dims, named: name + " groups")
      axes = [1, 3]
    }
    let one = dims.indices.map { axes.contains($0) ? 1 : dims[$0] }
    let options: Fields = [TFLiteField.Reducer.keepsAxes: .flag(true)]
    var result: Int
    if norm.statistic == .length, norm.epsilon == 1e-6 {
      result = emit("L2_NORMALIZATION", [source], dims, named: name + " normal", .l2Norm)
    } else {
      if norm.statistic == .variance {
        let mean = emit("MEAN", [source, list(axes)], one, named: name + " mean", .reducer, options)
        source = pair("SUB", source, mean, dims, named: name + " centred")
      }
      let squares = pair("MUL", source, source, dims, named: name + " squares")
      let kind = norm.statistic == .length ? "SUM" : "MEAN"
      let spread = emit(kind, [squares, list(axes)], one, named: name + " spread", .reducer, options)
      let epsilon = number(norm.epsilon, named: name + " epsilon")
      if norm.statistic == .length {
        let root = emit("SQRT", [spread], one, named: name + " length")
        let least = pair("MAXIMUM", root, epsilon, one, named: name + " least")
        result = pair("DIV", source, least, dims, named: name + " normal")
      } else {
        let shifted = pair("ADD", spread, epsilon, one, named: name + " shifted")
        let inverse = emit("RSQRT", [shifted], one, named: name + " inverse")
        result = pair("MUL", source, inverse, dims, named: name + " normal")
      }
    }
    if dims != whole { result = reshape(result, to: whole, named: name + " pixels") }
    for (role, kind) in [(ParameterRole.gamma, "MUL"), (.beta, "ADD")] {
      guard let values = model[node.name, role]?.values else { continue }
      let parameter = constant(values, [values.count], named: "\(name) \(role.rawValue)")
      result = pair(kind, result, parameter, whole, named: "\(name) by \(role.rawValue)")
    }
    give(node.output, float: result)
  }

  // MARK: Attention

  mutating func add(_ node: Node, _ attention: Attention) throws {
    let name = node.name, heads = attention.heads, shapes = graph.inputShapes(of: node)
    func split(_ exporter: inout TFLiteExporter, _ input: Int, _ shape: Shape, _ part: String) -> Int {
      let dims = [1, shape[0], heads, shape[1] / heads]
      let apart = exporter.reshape(input, to: dims, named: "\(name) \(part)")
      return exporter.emit(
        "TRANSPOSE", [apart, exporter.list([0, 2, 1, 3])], [1, heads, shape[0], shape[1] / heads],
        named: "\(name) \(part) by heads", .transpose)
    }
    let queries = split(&self, try float(node.inputs[0]), shapes[0], "queries")
    let keys = split(&self, try float(node.inputs[1]), shapes[1], "keys")
    let values = split(&self, try float(node.inputs[2]), shapes[2], "values")
    let scores = [1, heads, shapes[0][0], shapes[1][0]]
    let products = emit(
      "BATCH_MATMUL", [queries, keys], scores, named: name + " products", .batchMatMul,
      [TFLiteField.BatchMatMul.transposesSecond: .flag(true)])
    let scale = number(attention.scale(shapes[0]), named: name + " scale")
    let scaled = pair("MUL", products, scale, scores, named: name + " scaled")
    let shares = emit(
      "SOFTMAX", [scaled], scores, named: name + " shares", .softmax, [TFLiteField.Softmax.beta: .float(1)])
    let each = shapes[2][1] / heads
    let mixed = emit(
      "BATCH_MATMUL", [shares, values], [1, heads, shapes[0][0], each], named: name + " mixed", .batchMatMul)
    let turned = emit(
      "TRANSPOSE", [mixed, list([0, 2, 1, 3])], [1, shapes[0][0], heads, each], named: name + " by tokens", .transpose)
    give(node.output, float: reshape(turned, to: dims(node.output), named: name))
  }
}
