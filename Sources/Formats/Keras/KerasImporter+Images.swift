import Diagnostics
import Network
import Tensors

// Pools, margins and other sizes of images.
extension KerasImporter {
  mutating func pool(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single()
    _ = try image(input)
    let size = try layer.size("pool_size", layer.isOfSignals ? Size2D(1, 2) : Size2D(2))
    var window = try window(layer, size: size)
    window.stride = try layer.size("strides", size)
    let reduction: Pool2D.Reduction = layer.kind.hasPrefix("Max") ? .max : .average
    return try emit(.pool2d(Pool2D(reduction, window: window)), [input], named: call.name)
  }

  mutating func globalPool(_ call: KerasCall) throws -> String {
    let input = try call.single(), channels = try image(input)[2]
    let reduction: Pool2D.Reduction = call.layer.kind.contains("Max") ? .max : .average
    let keeps = call.layer.flag("keepdims", false)
    let value = try emit(.globalPool(GlobalPool(reduction)), [input], named: keeps ? call.name + "/pool" : call.name)
    // Of a signal, too: it is an image of height 1.
    return keeps ? try emit(.reshape(Reshape([1, 1, channels])), [value], named: call.name) : value
  }

  mutating func padding(_ call: KerasCall) throws -> String {
    let input = try call.single(), margins = try call.layer.margins("padding")
    _ = try image(input)
    let pad = Pad(before: [margins.top, margins.left, 0], after: [margins.bottom, margins.right, 0])
    return try emit(.pad(pad), [input], named: call.name)
  }

  mutating func cropping(_ call: KerasCall) throws -> String {
    let input = try call.single(), before = try image(input), margins = try call.layer.margins("cropping")
    let rows = margins.top..<max(margins.top, before[0] - margins.bottom)
    let columns = margins.left..<max(margins.left, before[1] - margins.right)
    guard before[0] <= 1 << 16, before[1] <= 1 << 16 else {
      throw CompressError("takes an image of \(before)", kind: .limit)
    }
    guard !rows.isEmpty, !columns.isEmpty else { throw CompressError("leaves nothing of \(before)", kind: .input) }
    let cut = try emit(.gather(Gather(axis: 0, Array(rows))), [input], named: call.name + "/rows")
    return try emit(.gather(Gather(axis: 1, Array(columns))), [cut], named: call.name)
  }

  mutating func upsampling(_ call: KerasCall) throws -> String {
    let input = try call.single(), before = try image(input)
    let factor = try call.layer.size("size", call.layer.isOfSignals ? Size2D(1, 2) : Size2D(2))
    guard (1...1 << 10).contains(factor.height), (1...1 << 10).contains(factor.width) else {
      throw call.layer.wrong("size")
    }
    let isNearest = try isNearest(call.layer, "nearest")
    let resize = Resize(
      isNearest ? .nearest : .bilinear, height: before[0] * factor.height, width: before[1] * factor.width,
      coordinates: isNearest ? .asymmetric : .halfPixel)
    return try emit(.resize(resize), [input], named: call.name)
  }

  mutating func resizing(_ call: KerasCall) throws -> String {
    let layer = call.layer, input = try call.single()
    _ = try image(input)
    for key in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"] where layer.flag(key, false) {
      throw CompressError("has \(key), which is not supported", kind: .input)
    }
    let isNearest = try isNearest(layer, "bilinear")
    let resize = Resize(
      isNearest ? .nearest : .bilinear, height: try layer.integer("height"), width: try layer.integer("width"),
      coordinates: isNearest ? .tfHalfPixelForNearest : .halfPixel)
    return try emit(.resize(resize), [input], named: call.name)
  }

  func isNearest(_ layer: KerasLayer, _ otherwise: String) throws -> Bool {
    let interpolation = layer.text("interpolation", otherwise)
    guard interpolation == "nearest" || interpolation == "bilinear" else {
      throw CompressError(
        "has interpolation \"\(interpolation.escapedForTerminal.shortened(to: 40))\"; nearest and bilinear are read",
        kind: .input)
    }
    return interpolation == "nearest"
  }
}
