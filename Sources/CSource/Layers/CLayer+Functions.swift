import Kernels
import Network
import Tensors

extension CLayer {
  /// From one way of holding a value to another.
  static func conversion(_ own: Own) -> CLayer {
    let from = own.inputs[0].coding
    return each(own) { x, code in
      switch (from, own.to) {
      case (nil, nil): return x
      case (nil, let to?):
        code.use(.code)
        return "@code(\(x) * \(CText.float(1 / to.scale)), \(to.zeroPoint), 0, \(to.limit))"
      case (let from?, nil): return "(float)\(centred(x, from.zeroPoint)) * \(CText.float(from.scale))"
      case (let from?, let to?):
        return "\(code.constant("codes", .uint8(Conversion.table(from: from, to: to))))[\(x)]"
      }
    }
  }

  /// float32 to the nearest float32 of some.
  static func rounding(_ encoding: ActivationEncoding, _ own: Own) -> CLayer {
    switch encoding {
    case .affine(let to):
      let most = Float(to.limit - to.zeroPoint)
      return byElements(own) { span, code in
        code.use(.round)
        return [
          span.elements("i"), "  float x = in[i] * \(CText.float(1 / to.scale));",
          "  x = x > \(CText.float(-Float(to.zeroPoint))) ? x : \(CText.float(-Float(to.zeroPoint)));",
          "  x = x < \(CText.float(most)) ? x : \(CText.float(most));",
          "  out[i] = @round(x) * \(CText.float(to.scale));", "}",
        ]
      }
    case .levels(let levels):
      return byElements(own) { span, code in
        let middles = code.constant("middles", .floats(levels.middles))
        let values = code.constant("levels", .floats(levels.values))
        return [
          span.elements("i"), "  int32_t level = 0;",
          "  while (level < \(levels.middles.count) && in[i] > \(middles)[level]) level++;",
          "  out[i] = \(values)[level];", "}",
        ]
      }
    }
  }

  /// `factor * x + shift` for each channel.
  static func affine(_ factor: [Float], _ shift: [Float], _ own: Own) -> CLayer {
    let channels = factor.count
    return byElements(own) { span, code in
      let value: String
      if let from = own.codings?[0], let to = own.to {
        code.use(.code)
        let scale = code.perChannel("factor", factor.map { $0 * from.scale / to.scale }, index: "c")
        let added = code.perChannel("shift", shift.map { $0 / to.scale }, index: "c")
        value =
          "@code((float)\(centred("in[i]", from.zeroPoint)) * \(scale) + \(added), \(to.zeroPoint), 0, \(to.limit))"
      } else {
        code.use(.fma)
        let scale = code.perChannel("factor", factor, index: "c"), added = code.perChannel("shift", shift, index: "c")
        value = clamped("@fma(in[i], \(scale), \(added))", own.operation.clamp?.clampRange)
        if own.operation.clamp != nil { code.use(.clamp) }
      }
      return [
        span.pixels("p", of: channels), "  " + loop("c", channels, backward: span.backward),
        "    const int32_t i = p * \(channels) + c;", "    out[i] = \(value);", "  }", "}",
      ]
    }
  }

  /// The same values for every sample.
  static func constant(_ values: [Float]) -> CLayer {
    CLayer(overlaps: []) { code, _ in
      let table = code.constant("values", .floats(values))
      code.function(
        [("float *", "out", .output())], ["memcpy(out, \(table), \(values.count) * sizeof(float));"])
    }
  }

  /// Slopes below zero, one for each channel.
  static func prelu(_ own: Own) -> CLayer {
    let slopes = own.operation.parameters[.slope] ?? []
    return byElements(own) { span, code in
      let slope = code.perChannel("slope", slopes, index: "c")
      return [
        span.pixels("p", of: slopes.count), "  " + loop("c", slopes.count, backward: span.backward),
        "    const int32_t i = p * \(slopes.count) + c;", "    out[i] = in[i] < 0.0f ? \(slope) * in[i] : in[i];",
        "  }", "}",
      ]
    }
  }

  /// A function of each element, of codes by a table; or of each row.
  static func activation(_ function: Activation, _ own: Own) -> CLayer {
    if let codings = own.codings, let to = own.to {
      guard let table = Conversion.table(from: codings[0], to: to, function) else { return integerSoftmax(own) }
      return each(own) { x, code in "\(code.constant("codes", .uint8(table)))[\(x)]" }
    }
    guard !function.isOverRows else { return softmax(function, own) }
    return byElements(own) { span, code in
      let value = float(function, &code)
      return [span.elements("i"), "  const float x = in[i];", "  out[i] = \(value);", "}"]
    }
  }

  /// In float32, of `x`.
  private static func float(_ function: Activation, _ code: inout LayerCode) -> String {
    func use(_ helpers: Helper...) { helpers.forEach { code.use($0) } }
    func number(_ value: Float) -> String { CText.float(value) }
    let softplus = "(x > 0.0f ? x : 0.0f) + log1pf(expf(x > 0.0f ? 0.0f - x : x))"
    switch function {
    case .relu, .relu6, .clip:
      use(.clamp)
      return clamped("x", function.clampRange)
    case .sigmoid:
      use(.sigmoid)
      return "@sigmoid(x)"
    case .tanh:
      use(.tanh)
      return "@tanh(x)"
    case .erf:
      use(.erf)
      return "@erf(x)"
    case .exp:
      use(.exp)
      return "@exp(x)"
    case .sqrt:
      use(.root)
      return "@root(x)"
    case .reciprocal: return "1.0f / x"
    case .negative: return "-x"
    case .absolute: return "x <= 0.0f ? 0.0f - x : x"
    case .hardSwish:
      use(.clamp)
      return "x * @clamp(x + 3.0f, 0.0f, 6.0f) / 6.0f"
    case .silu:
      use(.sigmoid)
      return "x * @sigmoid(x)"
    case .gelu:
      use(.erf)
      return "0.5f * x * (1.0f + @erf(x * 0.70710678118654752f))"
    case .geluTanh:
      use(.tanh)
      return "0.5f * x * (1.0f + @tanh(0.79788456080286536f * (x + 0.044715f * x * x * x)))"
    case .floor, .ceil, .round:
      use(.whole)
      return "@whole(x, \(function == .floor ? -1 : function == .ceil ? 1 : 0))"
    case .sign: return "x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x != x ? x : 0.0f"
    case .leakyReLU(let slope): return "x < 0.0f ? \(number(slope)) * x : x"
    case .hardSigmoid(let slope, let offset):
      use(.clamp)
      return "@clamp(\(number(slope)) * x + \(number(offset)), 0.0f, 1.0f)"
    // What the C library computes: its functions are called.
    case .log:
      code.useMathematics()
      return "logf(x)"
    case .sin:
      code.useMathematics()
      return "sinf(x)"
    case .cos:
      code.useMathematics()
      return "cosf(x)"
    case .elu(let alpha):
      code.useMathematics()
      return "x < 0.0f ? \(number(alpha)) * expm1f(x) : x"
    case .softplus:
      code.useMathematics()
      return softplus
    case .mish:
      code.useMathematics()
      return "x * tanhf(\(softplus))"
    case .softmax, .logSoftmax: preconditionFailure("a function of rows")
    }
  }

  private static func softmax(_ function: Activation, _ own: Own) -> CLayer {
    let columns = own.output.shape.dims.last!
    return CLayer(overlaps: [Overlap(atOnce: true)]) { code, _ in
      var body = [
        loop("r", own.count / max(columns, 1)), "  const float *x = in + r * \(columns);",
        "  float *y = out + r * \(columns);",
        "  float greatest;",
      ]
      if function == .logSoftmax {
        code.useMathematics()
        // The powers would write over what is still to be read.
        code.use(.exp)
        body =
          Array(body.dropLast()) + [
            "  float greatest = x[0], sum = 0.0f;",
            "  for (int32_t i = 1; i < \(columns); i++) greatest = x[i] > greatest ? x[i] : greatest;",
            "  for (int32_t i = 0; i < \(columns); i++) sum += @exp(x[i] - greatest);",
            "  const float logarithm = logf(sum);",
            "  for (int32_t i = 0; i < \(columns); i++) y[i] = (x[i] - greatest) - logarithm;", "}",
          ]
      } else {
        code.use(.softmax)
        body += [
          "  const float sum = @powers(x, \(columns), y, &greatest);",
          "  for (int32_t i = 0; i < \(columns); i++) y[i] = y[i] / sum;", "}",
        ]
      }
      code.function([own.input(), own.result], body)
    }
  }

  private static func integerSoftmax(_ own: Own) -> CLayer {
    let columns = own.output.shape.dims.last!, from = own.codings![0], to = own.to!
    return CLayer(overlaps: [Overlap(atOnce: true)]) { code, _ in
      code.use(.code)
      let powers = Elementwise.softmaxTable(scale: from.scale).map { Int32(bitPattern: $0) }
      let table = code.constant("powers", .int32(powers))
      // Each is 2^22 at most.
      let sum = columns < 1024 ? "uint32_t" : "uint64_t"
      code.function(
        [own.input(), own.result],
        [
          loop("r", own.count / max(columns, 1)), "  const uint8_t *x = in + r * \(columns);",
          "  uint8_t *y = out + r * \(columns);", "  uint8_t greatest = 0;", "  \(sum) sum = 0;",
          "  for (int32_t i = 0; i < \(columns); i++) greatest = x[i] > greatest ? x[i] : greatest;",
          "  for (int32_t i = 0; i < \(columns); i++) sum += (\(sum))\(table)[greatest - x[i]];",
          "  const float factor = 1.0f / ((float)sum * \(CText.float(to.scale)));",
          "  for (int32_t i = 0; i < \(columns); i++) {",
          "    y[i] = @code((float)\(table)[greatest - x[i]] * factor, \(to.zeroPoint), 0, \(to.limit));", "  }", "}",
        ])
    }
  }

  /// A function of two values, element by element, with what is fused into it.
  static func pairs(_ op: Operator, _ own: Own) -> CLayer {
    let shapes = own.shapes, output = own.output.shape
    if shapes[0].count == output.count, shapes[1].count == output.count {
      return byElements(own, names: ["a", "b"]) { span, code in
        [span.elements("i"), "  out[i] = \(pair(op, own, "a[i]", "b[i]", &code));", "}"]
      }
    }
    // Loops over a broadcast run forward only.
    let overlaps = own.inputs.indices.map { input in
      guard shapes[input].count == output.count else { return Overlap.none }
      var found = Overlap.elements(own.count, from: own.inputs[input].elementBytes, to: own.output.elementBytes)
      found.backward = nil
      return found
    }
    return CLayer(overlaps: overlaps) { code, _ in
      var loops = AxisLoops(operands: 2)
      for axis in 0..<output.rank {
        func step(_ shape: Shape) -> AxisLoops.Move {
          let own = axis - (output.rank - shape.rank)
          return .step(own < 0 || shape[own] == 1 ? 0 : shape.strides[own])
        }
        loops.add(output[axis], [step(shapes[0]), step(shapes[1])])
      }
      let body = loops.written(indent: "", in: &code) { places, indent, code in
        [indent + "*out++ = \(pair(op, own, "a[\(places[0])]", "b[\(places[1])]", &code));"]
      }
      code.function([own.input(0, "a"), own.input(1, "b"), own.result], body)
    }
  }

  private static func pair(_ op: Operator, _ own: Own, _ a: String, _ b: String, _ code: inout LayerCode) -> String {
    let function: String
    switch op {
    case .add: function = "add"
    case .mul: function = "mul"
    default: function = op.spec.name
    }
    if let codings = own.codings, let to = own.to {
      code.use(.code)
      let bounds = to.codes(of: own.operation.clamp)
      let (x, y) = (centred(a, codings[0].zeroPoint), centred(b, codings[1].zeroPoint))
      let left = "(float)\(x) * \(CText.float(codings[0].scale / to.scale))"
      let right = "(float)\(y) * \(CText.float(codings[1].scale / to.scale))"
      let sum: String
      switch function {
      case "mul":
        sum = "(float)(\(x) * \(y)) * \(CText.float(codings[0].scale * codings[1].scale / to.scale))"
      case "sub": sum = "\(left) - \(right)"
      case "minimum", "maximum":
        sum = "\(left) \(function == "minimum" ? "<" : ">") \(right) ? \(left) : \(right)"
      default: sum = "\(left) + \(right)"
      }
      return "@code(\(sum), \(to.zeroPoint), \(bounds.lowerBound), \(bounds.upperBound))"
    }
    let value: String
    switch function {
    case "add": value = "\(a) + \(b)"
    case "mul": value = "\(a) * \(b)"
    case "sub": value = "\(a) - \(b)"
    case "div": value = "\(a) / \(b)"
    case "minimum": value = "\(a) < \(b) || \(a) != \(a) ? \(a) : \(b)"
    case "maximum": value = "\(a) > \(b) || \(a) != \(a) ? \(a) : \(b)"
    default:
      code.useMathematics()
      value = "powf(\(a), \(b))"
    }
    guard let range = own.operation.clamp?.clampRange else { return value }
    code.use(.clamp)
    return clamped(value, range)
  }
}
