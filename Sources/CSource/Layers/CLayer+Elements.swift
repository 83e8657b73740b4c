import Tensors

extension CLayer {
  /// The elements that a piece of C goes over, one after the other: all of them, or those of a patch's row.
  struct ElementSpan {
    /// As an expression.
    let pixels: String
    let channels: Int
    let backward: Bool

    func elements(_ variable: String) -> String {
      let count = Int(pixels).map { "\($0 * channels)" } ?? (channels == 1 ? pixels : "\(pixels) * \(channels)")
      return loop(variable, count, backward: backward)
    }

    /// Pixels of so many channels each.
    func pixels(_ variable: String, of channels: Int) -> String {
      loop(variable, Int(pixels).map { "\($0 * self.channels / max(channels, 1))" } ?? pixels, backward: backward)
    }
  }

  /// What computes each element of the result from those at its place in the inputs, which all have its shape.
  ///
  /// - Parameters:
  ///   - names: of the inputs in what `body` gives; the result is `out`, both counted from the span's beginning.
  ///   - body: loops over the span.
  static func byElements(
    _ own: Own, names: [String] = ["in"],
    _ body: @escaping (_ span: ElementSpan, _ code: inout LayerCode) -> [String]
  ) -> CLayer {
    let shape = own.output.shape, channels = shape.dims.last ?? 1
    let overlaps = own.inputs.map { Overlap.elements(own.count, from: $0.elementBytes, to: own.output.elementBytes) }
    let bytes = (from: own.inputs.map(\.elementBytes), to: own.output.elementBytes)
    let form = PatchForm(reaches: names.map { _ in PatchForm.Reach() }) { result, operands in
      operands.enumerated().map { input, operand in
        // A patch of an input that has more pixels than are needed here lies apart.
        operand == PatchStage.Operand(height: result.rows.count, width: result.columns.count, top: 0, left: 0)
          ? .elements(result.rows.count * result.columns.count * channels, from: bytes.from[input], to: bytes.to)
          : .none
      }
    }
    // Elements that are the same in number alone lie at other places.
    let isSame = own.shapes.allSatisfy { $0 == shape }
    return CLayer(overlaps: overlaps, patches: isSame ? form : nil) { code, frame in
      let backward = frame.backward
      guard let patch = frame.patch else {
        let span = ElementSpan(pixels: "\(own.count)", channels: 1, backward: backward)
        let lines = body(span, &code)
        code.function(names.indices.map { own.input($0, names[$0]) } + [own.result], lines)
        return
      }
      let wholes = names.map { $0 == "in" ? "image" : "image_" + $0 }
      var parameters = wholes.indices.map { own.input($0, wholes[$0]) }
      parameters.append(("\(own.output.type) *", "result", .output()))
      func pointers(_ from: (Int) -> String, _ to: String) -> [String] {
        names.indices.map { "const \(own.inputs[$0].type) *\(names[$0]) = \(wholes[$0]) + \(from($0));" }
          + ["\(own.output.type) *out = result + \(to);"]
      }
      parameters += [("int32_t ", "rows", .extent(.rows)), ("int32_t ", "columns", .extent(.columns))]
      func number(_ input: Int) -> String { names.count == 1 ? "" : "\(input)" }
      for input in names.indices {
        parameters += [
          ("int32_t ", "width" + number(input), .extent(.width(input))),
          ("int32_t ", "top" + number(input), .extent(.top(input))),
          ("int32_t ", "left" + number(input), .extent(.left(input))),
        ]
      }
      let span = ElementSpan(pixels: "columns", channels: channels, backward: backward)
      let inner =
        pointers(
          { "((y - top\(number($0))) * width\(number($0)) - left\(number($0))) * \(channels)" },
          "y * \(patch.line.map { "\($0 * channels)" } ?? "columns * \(channels)")") + body(span, &code)
      code.function(parameters, [loop("y", "rows", backward: backward)] + inner.map { "  " + $0 } + ["}"])
    }
  }
}
