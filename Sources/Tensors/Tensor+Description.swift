#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Type and shape, then the elements in aligned columns; of long axes only both ends are shown.
extension Tensor: CustomStringConvertible {
  public var description: String {
    let title = "\(dtype) \(shape)"
    guard count > 0 else { return title }
    let shown = shape.dims.enumerated().map { axis, extent in
      let ends = axis >= rank - 2 ? 3 : 1
      return count <= 64 || extent <= 2 * ends
        ? Array(0..<extent) : Array(0..<ends) + [-1] + Array(extent - ends..<extent)
    }
    var texts: [String] = []
    visit(shown, axis: 0, at: offset) { texts.append($0.map(text(at:)) ?? "…") }
    let width = texts.lazy.map(\.count).max() ?? 0
    return title + "\n" + lines(shown, axis: 0, at: offset, width: width, indent: "")
  }

  /// Element positions in the order in which they are printed; nil for what is left out.
  private func visit(_ shown: [[Int]], axis: Int, at position: Int, _ body: (Int?) -> Void) {
    guard axis < rank else { return body(position) }
    for index in shown[axis] where index >= 0 || axis == rank - 1 {
      if index < 0 { body(nil) } else { visit(shown, axis: axis + 1, at: position + index * strides[axis], body) }
    }
  }

  private func lines(_ shown: [[Int]], axis: Int, at position: Int, width: Int, indent: String) -> String {
    func padded(_ text: String) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
    guard axis < rank else { return text(at: position) }
    if axis == rank - 1 {
      let texts = shown[axis].map { padded($0 < 0 ? "…" : text(at: position + $0 * strides[axis])) }
      return "[" + texts.joined(separator: " ") + "]"
    }
    let inner = indent + " "
    let rows = shown[axis].map { index in
      index < 0 ? "…" : lines(shown, axis: axis + 1, at: position + index * strides[axis], width: width, indent: inner)
    }
    return "[" + rows.joined(separator: "\n" + inner) + "]"
  }

  /// Four significant digits are enough to look at.
  private func text(at position: Int) -> String {
    let base = storage.bytes.baseAddress!
    func load<T: BitwiseCopyable>(_: T.Type) -> T { base.load(fromByteOffset: position * dtype.size, as: T.self) }
    switch dtype {
    case .float32: return load(Float.self).shortText
    case .float16: return Float(load(Half.self)).shortText
    case .bfloat16: return Float(load(BFloat.self)).shortText
    case .int8: return "\(load(Int8.self))"
    case .uint8: return "\(load(UInt8.self))"
    case .int32: return "\(load(Int32.self))"
    case .int64: return "\(load(Int64.self))"
    }
  }
}

extension Float {
  /// At most four decimals, or scientific where that would hide the value.
  fileprivate var shortText: String {
    guard isFinite, self != 0 else { return description }
    if magnitude >= 1e6 || magnitude < 1e-3 {
      let exponent = Int(log10f(magnitude).rounded(.down))
      let mantissa = Double(self) / pow(10, Double(exponent))
      return "\((mantissa * 1000).rounded() / 1000)e\(exponent)"
    }
    return "\((Double(self) * 10_000).rounded() / 10_000)"
  }
}
