import Kernels
import Network
import Tensors

extension CLayer {
  /// Elements in another order.
  static func rearranged(_ rearrangement: Rearrangement, _ own: Own) -> CLayer {
    CLayer(overlaps: [.none]) { code, _ in
      var loops = AxisLoops(operands: 1)
      for places in rearrangement.offsets { loops.add(places.count, [AxisLoops.Move(places)]) }
      let first = rearrangement.offsets.reduce(0) { $0 + ($1.first ?? 0) }
      var body = loops.written(indent: "", in: &code) { places, indent, code in
        let element = first == 0 ? "in[\(places[0])]" : "in[\(places[0]) + \(first)]"
        return [indent + "*out++ = \(own.coded(element, in: &code));"]
      }
      if own.count == 0 { body = ["(void)in;", "(void)out;"] }
      code.function([own.input(), own.result], body)
    }
  }

  /// Inputs one after the other in each row. The result may lie over the largest of them, which then goes to its places
  /// before the others come.
  static func concatenation(_ concat: Concat, _ own: Own) -> CLayer {
    let output = own.output.shape, axis = concat.axis(rank: output.rank)
    let inner = output.dims[(axis + 1)...].reduce(1, *), rows = output.dims[..<axis].reduce(1, *)
    let columns = own.shapes.map { $0[axis] * inner }, line = output[axis] * inner, bytes = own.output.elementBytes
    let places = columns.indices.map { columns[..<$0].reduce(0, +) }
    let largest = columns.indices.max { columns[$0] < columns[$1] } ?? 0
    // Of a line only its own part is written, but it may lie anywhere in it.
    let overlap = Overlap.pieces(rows, pieceBytes: line * bytes, readsFirst: own.table(of: largest) == nil) { row in
      row * columns[largest] * bytes..<(row + 1) * columns[largest] * bytes
    }
    return CLayer(overlaps: columns.indices.map { $0 == largest ? overlap : .none }) { code, frame in
      for input in [largest] + columns.indices.filter({ $0 != largest }) where columns[input] > 0 {
        let direction = input == largest && frame.backward, count = columns[input]
        let move = input == largest ? "memmove" : "memcpy"
        let body: [String]
        if own.table(of: input) == nil {
          body = [
            loop("r", rows, backward: direction),
            "  \(move)(out + r * \(line), in + r * \(count), \(count) * sizeof *in);",
            "}",
          ]
        } else {
          let element = own.coded("in[r * \(count) + i]", input: input, suffix: "codes\(input)", in: &code)
          body = [
            loop("r", rows, backward: direction), "  " + loop("i", count),
            "    out[r * \(line) + i] = \(element);", "  }", "}",
          ]
        }
        code.function(
          [own.input(input), ("\(own.output.type) *", "out", .output(from: places[input]))], body)
      }
    }
  }

  /// Zeros around a value.
  static func padding(_ pad: Pad, _ own: Own) -> CLayer {
    let input = own.shapes[0], strides = own.output.shape.strides
    let first = zip(pad.before, strides).reduce(0) { $0 + $1.0 * $1.1 }
    return spread(own, axes: input.dims.indices.map { (input[$0], strides[$0]) }, first: first)
  }

  /// Zeros between the pixels of an image.
  static func spreading(_ zeros: InsertZeros, _ own: Own) -> CLayer {
    let input = own.shapes[0], strides = own.output.shape.strides
    return spread(
      own,
      axes: [
        (input[0], zeros.spacing.height * strides[0]), (input[1], zeros.spacing.width * strides[1]), (input[2], 1),
      ], first: 0)
  }

  /// All zeros, and the input's elements at their places among them.
  private static func spread(_ own: Own, axes: [(count: Int, step: Int)], first: Int) -> CLayer {
    CLayer(overlaps: [.none]) { code, _ in
      var body: [String]
      if let from = own.codings?[0] {
        let zero = own.table().map { $0[Int(from.zeroPoint)] } ?? from.zeroPoint
        body = ["memset(out, \(zero), \(own.count));"]
      } else {
        body = [loop("i", own.count), "  out[i] = 0.0f;", "}"]
      }
      if own.inputs[0].count > 0 {
        var loops = AxisLoops(operands: 1)
        for axis in axes { loops.add(axis.count, [.step(axis.step)]) }
        if first > 0 { body.append("out += \(first);") }
        body += loops.written(indent: "", in: &code) { places, indent, code in
          [indent + "out[\(places[0])] = \(own.coded("*in++", in: &code));"]
        }
      } else {
        body.append("(void)in;")
      }
      code.function([own.input(), own.result], body)
    }
  }

  /// An image in another size, each pixel between four.
  static func bilinear(_ resize: Resize, _ own: Own) -> CLayer {
    let image = own.shapes[0], (width, channels) = (image[1], image[2])
    let rows = resize.taps(image, axis: 0), columns = resize.taps(image, axis: 1)
    return CLayer(overlaps: [.none]) { code, _ in
      func places(_ taps: [(first: Int, second: Int, share: Float)], _ second: Bool) -> String {
        code.table(taps.map { second ? $0.second : $0.first })
      }
      let (top, bottom, left, right) = (
        places(rows, false), places(rows, true), places(columns, false), places(columns, true)
      )
      var body = [
        loop("y", rows.count), "  " + loop("x", columns.count),
        "    const \(own.inputs[0].type) *a = in + (\(top)[y] * \(width) + \(left)[x]) * \(channels);",
        "    const \(own.inputs[0].type) *b = in + (\(top)[y] * \(width) + \(right)[x]) * \(channels);",
        "    const \(own.inputs[0].type) *c = in + (\(bottom)[y] * \(width) + \(left)[x]) * \(channels);",
        "    const \(own.inputs[0].type) *d = in + (\(bottom)[y] * \(width) + \(right)[x]) * \(channels);",
      ]
      if let from = own.codings?[0], let to = own.to {
        code.use(.code)
        func weights(_ taps: [(first: Int, second: Int, share: Float)]) -> [Int] {
          taps.map { Int(($0.share * 2048).rounded(.toNearestOrEven)) }
        }
        let down = code.table(weights(rows)), across = code.table(weights(columns))
        let scale = from.scale / to.scale / (2048 * 2048)
        body += [
          "    const int32_t v = \(down)[y], u = \(across)[x];", "    " + loop("i", channels),
          "      const int32_t upper = (a[i] - \(from.zeroPoint)) * (2048 - u) + (b[i] - \(from.zeroPoint)) * u;",
          "      const int32_t lower = (c[i] - \(from.zeroPoint)) * (2048 - u) + (d[i] - \(from.zeroPoint)) * u;",
          "      const float sum = (float)(upper * (2048 - v) + lower * v);",
          "      *out++ = @code(sum * \(CText.float(scale)), \(to.zeroPoint), 0, \(to.limit));",
          "    }", "  }", "}",
        ]
      } else {
        let down = code.constant("down", .floats(rows.map(\.share)))
        let across = code.constant("across", .floats(columns.map(\.share)))
        body += [
          "    " + loop("i", channels), "      const float upper = a[i] + (b[i] - a[i]) * \(across)[x];",
          "      const float lower = c[i] + (d[i] - c[i]) * \(across)[x];",
          "      *out++ = upper + (lower - upper) * \(down)[y];", "    }", "  }", "}",
        ]
      }
      code.function([own.input(), own.result], body)
    }
  }
}
