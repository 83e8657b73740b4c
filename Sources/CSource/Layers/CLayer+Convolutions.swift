import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// The numbers of a convolution, or of a dense layer: that is a convolution of pixels in a row.
struct ConvolutionShape {
  var height, width: Int
  let channels: Int
  var outputHeight, outputWidth: Int
  let filters: Int
  let groups: Int
  let window: Window
  var top, left: Int
  /// How far apart the window sees the image's pixels, with zeros between.
  let spread: Size2D

  init(_ conv: Conv2D, _ input: Shape, _ output: Shape, spread: Size2D? = nil) {
    (height, width, channels) = (input[0], input[1], input[2])
    (outputHeight, outputWidth, filters) = (output[0], output[1], conv.filters)
    (groups, window) = (conv.groups, conv.window)
    self.spread = spread ?? Size2D(1)
    let pads = conv.window.pads(
      height: (height - 1) * self.spread.height + 1, width: (width - 1) * self.spread.width + 1)
    (top, left) = (pads.top, pads.left)
  }

  init(_ dense: Dense, _ input: Shape) {
    let isImage = input.rank == 3
    (height, width) = isImage ? (input[0], input[1]) : (1, input.dims.dropLast().reduce(1, *))
    channels = input.dims.last!
    (outputHeight, outputWidth, filters) = (height, width, dense.units)
    groups = 1
    window = Window(Size2D(1))
    (top, left) = (0, 0)
    spread = Size2D(1)
  }

  var taps: Int { window.size.height * window.size.width }
  /// Channels of a group, and products of an output.
  var groupChannels: Int { channels / groups }
  var depth: Int { taps * groupChannels }
  /// One filter to each channel.
  var isDepthwise: Bool { groups > 1 && groups == channels && filters == channels }
  var pixels: Int { outputHeight * outputWidth }

  /// Whether each pixel of the result is made of the one at its place.
  var isPointwise: Bool {
    taps == 1 && spread == Size2D(1) && top == 0 && left == 0 && window.stride == Size2D(1)
      && pixels == height * width
  }

  /// Whether what lies under a window lies together in the image: single pixels, or the whole of it.
  var isTogether: Bool {
    guard groups == 1, spread == Size2D(1), top == 0, left == 0,
      (outputHeight - 1) * window.stride.height + window.size.height <= height,
      (outputWidth - 1) * window.stride.width + window.size.width <= width
    else { return false }
    let isWhole = pixels == 1 && window.size.width == width && window.dilation == Size2D(1)
    return taps == 1 || isWhole
  }

  /// The same of a patch.
  func patch(_ result: PatchStage.Region, _ image: PatchStage.Operand) -> ConvolutionShape {
    var shape = self
    (shape.height, shape.width, shape.top, shape.left) = (image.height, image.width, image.top, image.left)
    (shape.outputHeight, shape.outputWidth) = (result.rows.count, result.columns.count)
    return shape
  }

  /// What of the image the pixels of the result need.
  var reach: PatchForm.Reach {
    PatchForm.Reach(
      rows: PatchForm.Span(
        stride: window.stride.height, pad: top, size: window.size.height, dilation: window.dilation.height),
      columns: PatchForm.Span(
        stride: window.stride.width, pad: left, size: window.size.width, dilation: window.dilation.width))
  }

  /// nil where the image is needed as a whole.
  func patches(_ overlap: @escaping (_ shape: ConvolutionShape) -> Overlap) -> PatchForm? {
    guard spread == Size2D(1), !isTogether || taps == 1 else { return nil }
    return PatchForm(reaches: [reach]) { [overlap(patch($0, $1[0]))] }
  }

  /// The bytes of the image that an output pixel reads.
  func range(_ pixel: Int, elementBytes: Int) -> Range<Int>? {
    func inside(
      _ place: Int, _ stride: Int, _ pad: Int, _ size: Int, _ dilation: Int, _ extent: Int, _ spread: Int
    ) -> (Int, Int)? {
      let taps = (0..<size).map { place * stride - pad + $0 * dilation }
        .filter { $0 >= 0 && $0 % spread == 0 && $0 / spread < extent }
      return taps.first.map { ($0 / spread, taps.last! / spread) }
    }
    guard
      let rows = inside(
        pixel / outputWidth, window.stride.height, top, window.size.height, window.dilation.height, height,
        spread.height),
      let columns = inside(
        pixel % outputWidth, window.stride.width, left, window.size.width, window.dilation.width, width, spread.width)
    else { return nil }
    let first = (rows.0 * width + columns.0) * channels, last = (rows.1 * width + columns.1 + 1) * channels
    return first * elementBytes..<last * elementBytes
  }
}

extension CLayer {
  /// A convolution or a dense layer.
  static func convolution(_ weights: Program.Weights, _ shape: ConvolutionShape, _ own: Own) throws -> CLayer {
    if own.operation.arithmetic.sumsIntegers, case .integer(let integers) = weights.weight {
      return try integerConvolution(integers, weights.bias, shape, own)
    }
    return floatConvolution(weights.weight.decoded.array(), weights.bias?.decoded.array(), shape, own)
  }

  // MARK: Integers

  private static func integerConvolution(
    _ integers: IntegerValues, _ bias: Encoding?, _ shape: ConvolutionShape, _ own: Own
  ) throws -> CLayer {
    let isDynamic = own.operation.arithmetic == .dynamicRange
    let from = own.inputs[0].coding,
      scratch = shape.isDepthwise ? shape.filters * 4 : shape.isTogether ? 0 : shape.depth
    guard isDynamic || from != nil else { throw CompressError("an input of no quantization") }
    let codes = isDynamic ? (own.inputs[0].count + 3) / 4 * 4 : 0
    // Sums and windows are read before the result is written; a pixel read in place is read again for each filter.
    let outputBytes = own.output.elementBytes
    let readsFirst = !shape.isTogether && (shape.groups == 1 || shape.isDepthwise)
    func overlap(_ shape: ConvolutionShape) -> Overlap {
      Overlap.pieces(shape.pixels, pieceBytes: shape.filters * outputBytes, readsFirst: readsFirst) {
        shape.range($0, elementBytes: 1)
      }
    }
    return CLayer(
      scratchBytes: codes + scratch, overlaps: [isDynamic ? .none : overlap(shape)],
      patches: isDynamic ? nil : shape.patches(overlap)
    ) { code, frame in
      var weight = [Int32](repeating: 0, count: integers.values.count)
      integers.forEachWeight { weight[$0] = $1 }
      let output = outputs(integers, bias, weight, shape, own, &code)
      var parameters = [own.input(), own.result]
      var prologue: [String] = []
      let scratchType = shape.isDepthwise ? "int32_t" : "uint8_t"
      if isDynamic {
        code.use(.range)
        parameters.append(("uint8_t *restrict ", "codes", .scratch))
        prologue = [
          "int32_t zero;", "const float scale = @range(in, \(own.inputs[0].count), codes, &zero);",
        ]
        if scratch > 0 {
          prologue.append(
            "\(scratchType) *\(shape.isDepthwise ? "sums" : "patch") = (\(scratchType) *)(void *)(codes + \(codes));")
        }
      } else if scratch > 0 {
        parameters.append(("\(scratchType) *restrict ", shape.isDepthwise ? "sums" : "patch", .scratch))
      }
      let source = isDynamic ? "codes" : "in", at = PixelText(shape, frame)
      parameters += at.parameters(hasHeight: shape.isDepthwise ? !shape.isPointwise : !shape.isTogether)
      let body =
        shape.isDepthwise
        ? depthwise(
          weightTable(transposed(weight, shape), integers, &code), shape, at, source,
          zero: isDynamic ? "zero" : "\(from!.zeroPoint)",
          start: output.start, output: output, own, frame)
        : windows(
          weightTable(weight, integers, &code), integers, shape, at, source, isDynamic: isDynamic,
          zero: from?.zeroPoint ?? 0, output: output, own, frame, &code)
      code.function(parameters, prologue + body)
    }
  }

  /// What becomes of a sum.
  private struct Outputs {
    /// What sums begin with.
    var start: String
    /// The expression of a result by that of its sum.
    var result: (_ sum: String) -> String
  }

  /// Of windows that are gathered the zero point is taken off at once: padding is the zero point, so that it comes to
  /// the same for every window.
  private static func outputs(
    _ integers: IntegerValues, _ bias: Encoding?, _ weight: [Int32], _ shape: ConvolutionShape, _ own: Own,
    _ code: inout LayerCode
  ) -> Outputs {
    let depth = shape.depth, zero = Int32(own.inputs[0].coding?.zeroPoint ?? 0)
    var offsets = [Int32](repeating: 0, count: shape.filters)
    if !shape.isDepthwise, own.operation.arithmetic != .dynamicRange {
      for c in offsets.indices { offsets[c] = 0 &- zero &* weight[c * depth..<(c + 1) * depth].reduce(0, &+) }
    }
    if let to = own.to, let from = own.inputs[0].coding, own.operation.arithmetic == .int8 {
      let bounds = to.codes(of: own.operation.clamp)
      let biases = integers.bias(bias, inputScale: from.scale) ?? []
      let start = code.perChannel("bias", zip(biases, offsets).map { $0 &+ $1 }, index: "c")
      let scale = code.perChannel("scale", integers.sumScales(inputScale: from.scale).map { $0 / to.scale }, index: "c")
      code.use(.code)
      return Outputs(start: start) {
        "@code((float)(\($0)) * \(scale), \(to.zeroPoint), \(bounds.lowerBound), \(bounds.upperBound))"
      }
    }
    code.use(.fma)
    let floats: [Float] = bias?.decoded.array() ?? [Float](repeating: 0, count: shape.filters)
    let added = code.perChannel("bias", floats, index: "c")
    var start = "0", scale: String
    if let from = own.inputs[0].coding, own.operation.arithmetic == .int8 {
      start = code.perChannel("start", offsets, index: "c")
      scale = code.perChannel("scale", integers.sumScales(inputScale: from.scale), index: "c")
    } else {
      if !shape.isDepthwise {
        let sums = (0..<shape.filters).map { c in weight[c * depth..<(c + 1) * depth].reduce(0, &+) }
        start = "0 - zero * \(code.perChannel("sum", sums, index: "c"))"
      }
      let own =
        integers.scales.count == 1 ? [Float](repeating: integers.scales[0], count: shape.filters) : integers.scales
      scale = "(scale * \(code.perChannel("scale", own, index: "c")))"
    }
    let clamp = own.operation.clamp?.clampRange
    if clamp != nil { code.use(.clamp) }
    return Outputs(start: start) { clamped("@fma((float)(\($0)), \(scale), \(added))", clamp) }
  }

  private static func weightTable(_ weight: [Int32], _ integers: IntegerValues, _ code: inout LayerCode) -> String {
    code.constant(
      "weight", integers.zeroPoints == nil ? .int8(weight.map { Int8($0) }) : .int16(weight.map { Int16($0) }))
  }

  /// From filter by filter to tap by tap.
  private static func transposed<T>(_ weight: [T], _ shape: ConvolutionShape) -> [T] {
    (0..<shape.depth).flatMap { tap in (0..<shape.filters).map { weight[$0 * shape.depth + tap] } }
  }

  /// Each window's elements together, and one filter after the other over them.
  private static func windows(
    _ weight: String, _ integers: IntegerValues, _ shape: ConvolutionShape, _ at: PixelText, _ source: String,
    isDynamic: Bool, zero: UInt8, output: Outputs, _ own: Own, _ frame: Frame, _ code: inout LayerCode
  ) -> [String] {
    let backward = frame.backward
    let helper = integers.zeroPoints == nil ? Helper.dot : .dot16, dot = helper == .dot ? "@dot" : "@dot16"
    code.use(helper)
    let perGroup = shape.filters / shape.groups, stride = shape.window.stride, size = shape.window.size
    func results(_ from: String, _ indent: String, first: String? = nil) -> [String] {
      let sum =
        (output.start == "0" ? "" : output.start + " + ")
        + "\(dot)(\(from), \(weight) + c * \(shape.depth), \(shape.depth))"
      let head = first.map { "for (int32_t c = \($0); c < \($0) + \(perGroup); c++) {" } ?? loop("c", shape.filters)
      return [head, "  pixel[c] = \(output.result(sum));", "}"].map { indent + $0 }
    }
    if shape.isTogether {
      if frame.patch == nil, stride == Size2D(1) || shape.pixels == 1 {
        return [
          loop("p", shape.pixels, backward: backward), "  const uint8_t *from = \(source) + p * \(shape.channels);",
          "  \(own.output.type) *pixel = out + p * \(at.channels);",
        ] + results("from", "  ") + ["}"]
      }
      // Bounds of a patch are known when it runs only.
      let from =
        frame.patch == nil
        ? "(y * \(stride.height * shape.width) + x * \(stride.width))"
        : "((\(at.row("y"))) * width + \(at.column("x")))"
      return [
        loop("y", at.rows, backward: backward), "  " + loop("x", at.columns, backward: backward),
        "    const uint8_t *from = \(source) + \(from) * \(shape.channels);",
        "    \(own.output.type) *pixel = out + \(at.pixel) * \(at.channels);",
      ] + results("from", "    ") + ["  }", "}"]
    }
    code.use(.window)
    let isSpread = shape.spread != Size2D(1)
    code.use(isSpread ? .spread : .gather)
    let fields =
      [
        at.height, at.width, "\(shape.channels)", "\(shape.groupChannels)", "\(size.height)", "\(size.width)",
        "\(shape.window.dilation.height)", "\(shape.window.dilation.width)",
      ].joined(separator: ", ")
    var body = [
      isDynamic
        ? "const @window window = {\(fields), (uint8_t)zero};"
        : "\(frame.patch == nil ? "static " : "")const @window window = {\(fields), \(zero)};",
      loop("y", at.rows, backward: backward), "  " + loop("x", at.columns, backward: backward),
      "    \(own.output.type) *pixel = out + \(at.pixel) * \(at.channels);",
    ]
    // How far apart pixels are seen is said to the function that knows of it.
    let gather = isSpread ? "@gather_spread" : "@gather"
    let rest = "&window, \(isSpread ? "\(shape.spread.height), \(shape.spread.width), " : "")patch"
    let place = "\(at.row("y")), \(at.column("x"))"
    if shape.groups == 1 {
      body.append("    \(gather)(\(source), \(place), \(rest));")
      body += results("patch", "    ")
    } else {
      body.append("    " + loop("g", shape.groups))
      body.append("      \(gather)(\(source) + g * \(shape.groupChannels), \(place), \(rest));")
      body += results("patch", "      ", first: "g * \(perGroup)")
      body.append("    }")
    }
    return body + ["  }", "}"]
  }

  /// All channels of a pixel at once, one tap after the other.
  private static func depthwise(
    _ weight: String, _ shape: ConvolutionShape, _ at: PixelText, _ source: String, zero: String, start: String,
    output: Outputs, _ own: Own, _ frame: Frame
  ) -> [String] {
    let channels = shape.channels
    return taps(shape, at, frame, before: [loop("c", channels), "  sums[c] = \(start);", "}"]) { row, column, tap in
      [
        "const uint8_t *from = \(source) + (\(row) * \(at.width) + \(column)) * \(channels);",
        "const \(own.weightType) *w = \(weight) + \(tap) * \(channels);",
        loop("c", channels), "  sums[c] += ((int32_t)from[c] - \(zero)) * w[c];", "}",
      ]
    } after: { pixel in
      [
        "\(own.output.type) *pixel = out + \(pixel) * \(at.channels);", loop("c", channels),
        "  pixel[c] = \(output.result("sums[c]"));", "}",
      ]
    }
  }

  // MARK: Floats

  private static func floatConvolution(
    _ weight: [Float], _ bias: [Float]?, _ shape: ConvolutionShape, _ own: Own
  ) -> CLayer {
    func overlap(_ shape: ConvolutionShape) -> Overlap {
      Overlap.pieces(shape.pixels, pieceBytes: shape.filters * 4, readsFirst: true) {
        shape.range($0, elementBytes: 4)
      }
    }
    return CLayer(
      scratchBytes: shape.filters * 4, overlaps: [overlap(shape)], patches: shape.patches(overlap)
    ) { code, frame in
      let at = PixelText(shape, frame)
      code.use(.fma)
      let filters = shape.filters, perGroup = filters / shape.groups, depth = shape.groupChannels
      let table = code.constant("weight", .floats(transposed(weight, shape)))
      let start = bias.map { code.perChannel("bias", $0, index: "c") } ?? "0.0f"
      let clamp = own.operation.clamp?.clampRange
      if clamp != nil { code.use(.clamp) }
      let body = taps(
        shape, at, frame, before: [loop("c", filters), "  sums[c] = \(start);", "}"]
      ) { row, column, tap in
        let pixel = "const float *from = in + (\(row) * \(at.width) + \(column)) * \(shape.channels);"
        if shape.isDepthwise {
          return [
            pixel, "const float *w = \(table) + \(tap) * \(filters);", loop("c", filters),
            "  sums[c] = @fma(from[c], w[c], sums[c]);", "}",
          ]
        }
        if shape.groups == 1 {
          return [
            pixel, loop("k", depth), "  const float *w = \(table) + (\(tap) * \(depth) + k) * \(filters);",
            "  " + loop("c", filters), "    sums[c] = @fma(from[k], w[c], sums[c]);", "  }", "}",
          ]
        }
        return [
          pixel, loop("g", shape.groups), "  " + loop("k", depth),
          "    const float *w = \(table) + (\(tap) * \(depth) + k) * \(filters);",
          "    for (int32_t c = g * \(perGroup); c < (g + 1) * \(perGroup); c++) {",
          "      sums[c] = @fma(from[g * \(depth) + k], w[c], sums[c]);", "    }", "  }", "}",
        ]
      } after: { pixel in
        [
          "float *pixel = out + \(pixel) * \(at.channels);", loop("c", filters),
          "  pixel[c] = \(clamped("sums[c]", clamp));",
          "}",
        ]
      }
      code.function(
        [own.input(), own.result, ("float *restrict ", "sums", .scratch)]
          + at.parameters(hasHeight: !shape.isPointwise), body)
    }
  }

  // MARK: Loops

  /// Loops over pixels, and over the taps of each that lie inside the image.
  private static func taps(
    _ shape: ConvolutionShape, _ at: PixelText, _ frame: Frame, before: [String],
    _ tap: (_ row: String, _ column: String, _ tap: String) -> [String], after: (_ pixel: String) -> [String]
  ) -> [String] {
    let window = shape.window, size = window.size, backward = frame.backward
    func place(_ first: String, _ index: String, _ dilation: Int) -> String {
      "\(first) + \(index)\(dilation == 1 ? "" : " * \(dilation)")"
    }
    if shape.isPointwise {
      if frame.patch == nil {
        return [loop("p", shape.pixels, backward: backward)] + before.map { "  " + $0 }
          + tap("0", "p", "0").map { "  " + $0.replacing("(0 * \(shape.width) + p)", with: "p") }
          + after("p").map { "  " + $0 } + ["}"]
      }
      return [loop("y", at.rows, backward: backward), "  " + loop("x", at.columns, backward: backward)]
        + before.map { "    " + $0 } + tap("(\(at.row("y")))", at.column("x"), "0").map { "    " + $0 }
        + after(at.pixel).map { "    " + $0 } + ["  }", "}"]
    }
    /// What goes past the taps that lie outside the image, or on the zeros between its pixels.
    func outside(_ place: String, _ extent: String, _ spread: Int) -> String {
      spread == 1
        ? "if (\(place) < 0 || \(place) >= \(extent)) continue;"
        : "if (\(place) < 0 || \(place) % \(spread) != 0 || \(place) / \(spread) >= \(extent)) continue;"
    }
    func own(_ place: String, _ spread: Int) -> String { spread == 1 ? place : "(\(place) / \(spread))" }
    return [loop("y", at.rows, backward: backward), "  " + loop("x", at.columns, backward: backward)]
      + before.map { "    " + $0 } + [
        "    " + loop("i", size.height),
        "      const int32_t row = \(place(at.row("y"), "i", window.dilation.height));",
        "      " + outside("row", at.height, shape.spread.height), "      " + loop("j", size.width),
        "        const int32_t column = \(place(at.column("x"), "j", window.dilation.width));",
        "        " + outside("column", at.width, shape.spread.width),
      ]
      + tap(own("row", shape.spread.height), own("column", shape.spread.width), "(i * \(size.width) + j)").map {
        "        " + $0
      } + ["      }", "    }"]
      + after(at.pixel).map { "    " + $0 } + ["  }", "}"]
  }

  static func clamped(_ expression: String, _ range: ClosedRange<Float>?) -> String {
    guard let range else { return expression }
    return "@clamp(\(expression), \(CText.float(range.lowerBound)), \(CText.float(range.upperBound)))"
  }
}

extension CLayer.Own {
  /// The type of a layer's integer weights.
  var weightType: String {
    guard case .node(_, let weights?) = operation.kind, case .integer(let integers) = weights.weight else {
      return "float"
    }
    return integers.zeroPoints == nil ? "int8_t" : "int16_t"
  }
}
