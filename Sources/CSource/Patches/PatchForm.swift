import Network

/// How a layer is computed for a part of its result.
struct PatchForm {
  /// Along one axis, the pixels of an operand that a pixel of the result needs: `size` of them, `dilation` apart, the
  /// first at `stride` times its place less `pad`.
  struct Span {
    var stride = 1, pad = 0, size = 1, dilation = 1

    /// What of an operand's `extent` pixels a part of the result needs.
    func needed(_ part: Range<Int>, of extent: Int) -> Range<Int> {
      let first = max(part.lowerBound * stride - pad, 0)
      let last = min((part.upperBound - 1) * stride - pad + (size - 1) * dilation, extent - 1)
      return first <= last ? first..<last + 1 : min(first, extent)..<min(first, extent)
    }

    /// So many pixels before the part of the operand that is there, the window of the result's first pixel begins.
    func before(_ part: Range<Int>, _ operand: Range<Int>) -> Int {
      pad + operand.lowerBound - part.lowerBound * stride
    }
  }

  struct Reach {
    var rows = Span(), columns = Span()
  }

  /// By input.
  let reaches: [Reach]
  /// How a patch of the result may lie over those of the inputs, by input.
  let overlaps: (_ result: PatchStage.Region, _ operands: [PatchStage.Operand]) -> [Overlap]
}

/// The places of a layer's pixels as C: numbers where the whole image is computed, in a patch the function's parameters.
struct PixelText {
  let height, width: String
  /// Of the result.
  let rows, columns: String
  let channels: Int
  /// A pixel of the result, at `y`, `x`.
  let pixel: String
  private let stride: Size2D
  private let top, left: String
  private let isPatch: Bool

  init(
    image: (height: Int, width: Int), result: (height: Int, width: Int, channels: Int), stride: Size2D,
    pad: (top: Int, left: Int), _ frame: Frame
  ) {
    isPatch = frame.patch != nil
    self.stride = stride
    channels = result.channels
    if let patch = frame.patch {
      (height, width, rows, columns, top, left) = ("height", "width", "rows", "columns", "top", "left")
      pixel = "(y * \(patch.line.map { "\($0)" } ?? "columns") + x)"
    } else {
      (height, width) = ("\(image.height)", "\(image.width)")
      (rows, columns) = ("\(result.height)", "\(result.width)")
      (top, left) = (pad.top == 0 ? "" : "\(pad.top)", pad.left == 0 ? "" : "\(pad.left)")
      pixel = "(y * \(result.width) + x)"
    }
  }

  init(_ shape: ConvolutionShape, _ frame: Frame) {
    self.init(
      image: (shape.height, shape.width), result: (shape.outputHeight, shape.outputWidth, shape.filters),
      stride: shape.window.stride, pad: (shape.top, shape.left), frame)
  }

  /// Where the window of a row of the result begins, and of a column.
  func row(_ at: String) -> String { Self.first(at, stride.height, top) }
  func column(_ at: String) -> String { Self.first(at, stride.width, left) }

  private static func first(_ at: String, _ stride: Int, _ pad: String) -> String {
    "\(at)\(stride == 1 ? "" : " * \(stride)")\(pad.isEmpty ? "" : " - \(pad)")"
  }

  /// What a function of a patch is told of it.
  func parameters(hasHeight: Bool = true) -> [(String, String, LayerCode.Argument)] {
    guard isPatch else { return [] }
    return [("int32_t ", "rows", .extent(.rows)), ("int32_t ", "columns", .extent(.columns))]
      + (hasHeight ? [("int32_t ", "height", .extent(.height(0)))] : []) + [
        ("int32_t ", "width", .extent(.width(0))), ("int32_t ", "top", .extent(.top(0))),
        ("int32_t ", "left", .extent(.left(0))),
      ]
  }
}
