import Kernels
import Network
import Tensors

extension CLayer {
  /// - Parameter window: nil for the whole image.
  static func pooling(
    _ window: Window?, _ reduction: Pool2D.Reduction, countsPadding: Bool, _ own: Own
  ) -> CLayer {
    let image = own.shapes[0], (height, width, channels) = (image[0], image[1], image[2])
    let isWhole = window == nil
    let window = window ?? Window(Size2D(height, width)), pads = window.pads(height: height, width: width)
    let columns = own.output.shape.rank == 3 ? own.output.shape[1] : 1, pixels = own.count / max(channels, 1)
    let (bytes, outputBytes) = (own.inputs[0].elementBytes, own.output.elementBytes)
    /// Of an image, or a patch of one, with so much padding before it.
    func overlap(_ image: PatchStage.Operand, pixels: Int, columns: Int) -> Overlap {
      Overlap.pieces(pixels, pieceBytes: channels * outputBytes, readsFirst: false) { pixel in
        let top = pixel / columns * window.stride.height - image.top,
          left = pixel % columns * window.stride.width - image.left
        let rows = max(top, 0)..<max(min(top + window.size.height, image.height), max(top, 0))
        let across = max(left, 0)..<max(min(left + window.size.width, image.width), max(left, 0))
        guard !rows.isEmpty, !across.isEmpty else { return nil }
        return (rows.lowerBound * image.width + across.lowerBound) * channels
          * bytes..<((rows.upperBound - 1) * image.width + across.upperBound) * channels * bytes
      }
    }
    let reach = PatchForm.Reach(
      rows: PatchForm.Span(stride: window.stride.height, pad: pads.top, size: window.size.height),
      columns: PatchForm.Span(stride: window.stride.width, pad: pads.left, size: window.size.width))
    let form = PatchForm(reaches: [reach]) { result, operands in
      [overlap(operands[0], pixels: result.rows.count * result.columns.count, columns: result.columns.count)]
    }
    let whole = PatchStage.Operand(height: height, width: width, top: pads.top, left: pads.left)
    return CLayer(
      overlaps: [overlap(whole, pixels: pixels, columns: columns)], patches: isWhole ? nil : form
    ) { code, frame in
      let at = PixelText(
        image: (height, width), result: (pixels / max(columns, 1), columns, channels), stride: window.stride,
        pad: (pads.top, pads.left), frame)
      let (height, width) = (at.height, at.width)
      var body = [
        loop("y", at.rows, backward: frame.backward), "  " + loop("x", at.columns, backward: frame.backward),
        "    const int32_t above = \(at.row("y")), before = \(at.column("x"));",
        "    const int32_t first = above > 0 ? above : 0, begin = before > 0 ? before : 0;",
        "    const int32_t below = above + \(window.size.height), behind = before + \(window.size.width);",
        "    const int32_t last = below < \(height) ? below : \(height), end = behind < \(width) ? behind : \(width);",
      ]
      let element = "in[(i * \(width) + j) * \(channels) + c]"
      func gathered(_ start: String, _ step: String) -> [String] {
        [
          "    " + loop("c", channels), "      \(start);", "      for (int32_t i = first; i < last; i++) {",
          "        for (int32_t j = begin; j < end; j++) \(step);", "      }",
        ]
      }
      let to = "      out[\(at.pixel) * \(channels) + c] = "
      let taps = countsPadding ? "\(window.size.height * window.size.width)" : "((last - first) * (end - begin))"
      switch (reduction, own.codings) {
      case (.max, nil):
        body += gathered(
          "float greatest = in[(first * \(width) + begin) * \(channels) + c]",
          "greatest = \(element) > greatest ? \(element) : greatest")
        body.append(to + "greatest;")
      case (.max, _?):
        body += gathered("uint8_t greatest = 0", "greatest = \(element) > greatest ? \(element) : greatest")
        body.append(to + own.coded("greatest", in: &code) + ";")
      case (.average, nil):
        // Minus zero is what a sum of any numbers begins with.
        body += gathered("float sum = -0.0f", "sum += \(element)")
        if countsPadding {
          body.append("      if ((last - first) * (end - begin) < \(taps)) sum += 0.0f;")
        }
        body.append(to + "sum / (float)\(taps);")
      case (.average, let codings?):
        code.use(.code)
        let from = codings[0], coding = own.to!
        body += gathered("int32_t sum = 0", "sum += (int32_t)\(element) - \(from.zeroPoint)")
        body.append(
          to
            + "@code((float)sum * \(CText.float(from.scale / coding.scale)) / (float)\(taps), "
            + "\(coding.zeroPoint), 0, \(coding.limit));"
        )
      }
      code.function([own.input(), own.result] + at.parameters(), body + ["    }", "  }", "}"])
    }
  }

  /// Over axes, in ascending order of the elements.
  static func reduction(_ reduce: Reduce, _ own: Own) -> CLayer {
    CLayer(overlaps: [.none]) { code, _ in
      let shape = own.shapes[0]
      var outer = AxisLoops(operands: 1), inner = AxisLoops(operands: 1)
      for axis in 0..<shape.rank {
        if reduce.axes.contains(axis) {
          inner.add(shape[axis], [.step(shape.strides[axis])])
        } else {
          outer.add(shape[axis], [.step(shape.strides[axis])])
        }
      }
      let count = reduce.axes.reduce(1) { $0 * shape[$1] }
      let body = outer.written(indent: "", in: &code) { places, indent, code in
        let start: String, step: String, result: String
        switch reduce.function {
        case .sum, .mean:
          (start, step) = ("0.0f", "y += x;")
          result = reduce.function == .mean ? "y / \(CText.float(Float(count)))" : "y"
        case .max: (start, step, result) = ("from[0]", "y = x > y || x != x ? x : y;", "y")
        case .min: (start, step, result) = ("from[0]", "y = x < y || x != x ? x : y;", "y")
        }
        return [indent + "const float *from = in + \(places[0]);", indent + "float y = \(start);"]
          + inner.written(indent: indent, variable: "k", in: &code) { within, indent, _ in
            [indent + "const float x = from[\(within[0])];", indent + step]
          } + [indent + "*out++ = \(result);"]
      }
      code.function([own.input(), own.result], ["{"] + body.map { "  " + $0 } + ["}"])
    }
  }

  /// The place of the greatest along an axis, the first of several; of the first NaN, where there is one.
  static func greatest(_ argMax: ArgMax, _ own: Own) -> CLayer {
    let shape = own.shapes[0], extent = shape[argMax.axis], inner = shape.dims[(argMax.axis + 1)...].reduce(1, *)
    let outer = shape.dims[..<argMax.axis].reduce(1, *)
    return CLayer(overlaps: [.none]) { code, _ in
      code.function(
        [own.input(), own.result],
        [
          loop("o", outer), "  " + loop("i", inner), "    const float *from = in + o * \(extent * inner) + i;",
          "    int32_t place = 0;",
          "    for (int32_t k = 1; k < \(extent) && from[place * \(inner)] == from[place * \(inner)]; k++) {",
          "      const float x = from[k * \(inner)];",
          "      if (x > from[place * \(inner)] || x != x) place = k;",
          "    }", "    *out++ = (float)place;", "  }", "}",
        ])
    }
  }

  static func normalization(_ norm: SampleNorm, _ own: Own) -> CLayer {
    let shape = own.shapes[0], channels = shape.dims.last!, positions = shape.count / max(channels, 1)
    let groups = norm.groups ?? 1, width = channels / groups
    // Sets of elements: rows of channels, or a group of channels over all positions.
    let sets = norm.groups == nil ? positions : groups, rows = norm.groups == nil ? 1 : positions
    let first = norm.groups == nil ? "s * \(channels)" : "s * \(width)",
      channel = norm.groups == nil ? "i" : "s * \(width) + i"
    let gamma = own.operation.parameters[.gamma] ?? [Float](repeating: 1, count: channels)
    let beta = own.operation.parameters[.beta] ?? [Float](repeating: 0, count: channels)
    let epsilon = CText.float(norm.epsilon), all = rows * width
    return CLayer(overlaps: [Overlap(atOnce: true)]) { code, _ in
      code.use(.root)
      func over(_ step: String) -> [String] {
        [
          "  for (int32_t r = 0; r < \(rows); r++) {",
          "    for (int32_t i = 0; i < \(width); i++) \(step)", "  }",
        ]
      }
      var body = [
        loop("s", sets), "  const \(own.inputs[0].type) *x = in + \(first);",
        "  \(own.output.type) *y = out + \(first);",
      ]
      let element = "x[r * \(channels) + i]"
      if let from = own.codings?[0], let to = own.to {
        code.use(.code)
        let area = "((double)\(CText.float(from.scale)) * (double)\(CText.float(from.scale)))"
        let scale = CText.float(from.scale)
        body += ["  int64_t sum = 0, squares = 0;", "  for (int32_t r = 0; r < \(rows); r++) {"]
        body += [
          "    for (int32_t i = 0; i < \(width); i++) {",
          "      const int32_t q = (int32_t)\(element) - \(from.zeroPoint);",
          "      sum += q;", "      squares += q * q;", "    }", "  }",
        ]
        switch norm.statistic {
        case .variance:
          body += [
            "  const float mean = (float)((double)sum / \(all).0);",
            "  const float square = (float)((double)(\(all) * squares - sum * sum) / (\(all).0 * \(all).0) * \(area));",
            "  const float inverse = \(scale) * (1.0f / @root(square + \(epsilon)));",
          ]
        case .meanSquare:
          body += [
            "  (void)sum;", "  const float mean = 0.0f;",
            "  const float square = (float)((double)squares / \(all).0 * \(area));",
            "  const float inverse = \(scale) * (1.0f / @root(square + \(epsilon)));",
          ]
        case .length:
          body += [
            "  (void)sum;", "  const float mean = 0.0f, length = @root((float)((double)squares * \(area)));",
            "  const float inverse = \(scale) * (1.0f / (length > \(epsilon) ? length : \(epsilon)));",
          ]
        }
        let factor = code.perChannel("gamma", gamma.map { $0 / to.scale }, index: channel)
        let added = code.perChannel("beta", beta.map { $0 / to.scale }, index: channel)
        let value = "(((float)((int32_t)\(element) - \(from.zeroPoint)) - mean) * inverse) * \(factor) + \(added)"
        body += over("y[r * \(channels) + i] = @code(\(value), \(to.zeroPoint), 0, \(to.limit));")
      } else {
        body.append("  double squares = 0.0;")
        if norm.statistic == .variance {
          body.append("  double sum = 0.0;")
          body += over("sum += (double)\(element);")
          body.append("  const float mean = (float)(sum / \(all).0);")
        } else {
          body.append("  const float mean = 0.0f;")
        }
        body += [
          "  for (int32_t r = 0; r < \(rows); r++) {", "    for (int32_t i = 0; i < \(width); i++) {",
          "      const double distance = (double)\(element) - (double)mean;", "      squares += distance * distance;",
          "    }", "  }",
        ]
        if norm.statistic == .length {
          body += [
            "  const float length = @root((float)squares);",
            "  const float inverse = 1.0f / (length > \(epsilon) ? length : \(epsilon));",
          ]
        } else {
          body.append("  const float inverse = 1.0f / @root((float)(squares / \(all).0) + \(epsilon));")
        }
        let factor = code.perChannel("gamma", gamma, index: channel),
          added = code.perChannel("beta", beta, index: channel)
        body += over("y[r * \(channels) + i] = (\(element) - mean) * inverse * \(factor) + \(added);")
      }
      code.function([own.input(), own.result], body + ["}"])
    }
  }

  /// The product of two values.
  static func matmul(_ product: MatMul, _ own: Own) -> CLayer {
    let (a, b, out) = (own.shapes[0], own.shapes[1], own.output.shape)
    let m = out[out.rank - 2], n = out[out.rank - 1], k = a[a.rank - 1]
    let matrices = out.dims.dropLast(2).reduce(1, *)
    // From one element of b to the next of a sum, and from one column of the result to the next.
    let (step, column) = product.transposesSecond ? (1, k) : (n, 1)
    return CLayer(overlaps: [.none, .none]) { code, _ in
      var body = [
        loop("g", matrices), "  " + loop("i", m), "    " + loop("j", n),
        "      const \(own.inputs[0].type) *x = a + \(a.rank == 2 ? "" : "g * \(m * k) + ")i * \(k);",
        "      const \(own.inputs[1].type) *y = b + \(b.rank == 2 ? "" : "g * \(k * n) + ")j * \(column);",
      ]
      if let codings = own.codings, let to = own.to {
        code.use(.code)
        let scale = codings[0].scale * codings[1].scale / to.scale
        body += [
          "      int32_t sum = 0;", "      " + loop("p", k),
          "        sum += \(centred("x[p]", codings[0].zeroPoint)) * "
            + "\(centred("y[p * \(step)]", codings[1].zeroPoint));",
          "      }",
          "      *out++ = @code((float)sum * \(CText.float(scale)), \(to.zeroPoint), 0, \(to.limit));",
        ]
      } else {
        code.use(.product)
        body.append("      *out++ = @product(x, y, \(k), \(step));")
      }
      code.function([own.input(0, "a"), own.input(1, "b"), own.result], body + ["    }", "  }", "}"])
    }
  }

  static func attention(_ attention: Attention, _ own: Own) -> CLayer {
    let shapes = own.shapes, (queries, keys) = (shapes[0][0], shapes[1][0])
    let all = shapes[0][1], wide = shapes[2][1], depth = all / attention.heads, width = wide / attention.heads
    let scale = attention.scale(shapes[0])
    return CLayer(scratchBytes: keys * 4, overlaps: [.none, .none, .none]) { code, _ in
      var body = [
        loop("h", attention.heads), "  " + loop("t", queries),
        "    const \(own.inputs[0].type) *query = q + t * \(all) + h * \(depth);",
        "    const \(own.inputs[1].type) *key = k + h * \(depth);",
        "    const \(own.inputs[2].type) *value = v + h * \(width);",
        "    \(own.output.type) *result = out + t * \(wide) + h * \(width);",
      ]
      let scratch: (String, String, LayerCode.Argument)
      if let codings = own.codings, let to = own.to {
        code.use(.code)
        scratch = ("int32_t *restrict ", "scores", .scratch)
        let powers = code.constant("powers", .uint8(AttentionGeometry.weightTable))
        let step = codings[0].scale * codings[1].scale * scale * 256
        let ratio = codings[2].scale / to.scale
        body += [
          "    int32_t greatest = INT32_MIN, weights = 0;", "    " + loop("s", keys), "      int32_t sum = 0;",
          "      " + loop("i", depth),
          "        const int32_t other = \(centred("key[s * \(all) + i]", codings[1].zeroPoint));",
          "        sum += \(centred("query[i]", codings[0].zeroPoint)) * other;",
          "      }", "      scores[s] = sum;", "      greatest = sum > greatest ? sum : greatest;", "    }",
          "    " + loop("s", keys), "      const float x = (float)(greatest - scores[s]) * \(CText.float(step));",
          "      scores[s] = \(powers)[(int32_t)((x < 2047.0f ? x : 2047.0f) + 0.5f)];", "      weights += scores[s];",
          "    }", "    const float divisor = (float)weights;", "    " + loop("c", width), "      int32_t sum = 0;",
          "      " + loop("s", keys),
          "        sum += scores[s] * ((int32_t)value[s * \(wide) + c] - \(codings[2].zeroPoint));", "      }",
          "      result[c] = @code((float)sum * \(CText.float(ratio)) / divisor, \(to.zeroPoint), 0, \(to.limit));",
          "    }",
        ]
      } else {
        code.use(.product)
        code.use(.softmax)
        scratch = ("float *restrict ", "scores", .scratch)
        body += [
          "    " + loop("s", keys),
          "      scores[s] = @product(query, key + s * \(all), \(depth), 1) * \(CText.float(scale));", "    }",
          "    float greatest;", "    const float sum = @powers(scores, \(keys), scores, &greatest);",
          "    " + loop("s", keys), "      scores[s] = scores[s] / sum;", "    }", "    " + loop("c", width),
          "      result[c] = @product(scores, value + c, \(keys), \(wide));", "    }",
        ]
      }
      code.function(
        [own.input(0, "q"), own.input(1, "k"), own.input(2, "v"), own.result, scratch], body + ["  }", "}"])
    }
  }
}
