import Diagnostics
import Network
import Tensors

// What slides a window over an image, and what gives it another size.
extension TFLiteImporter {
  mutating func pool(_ node: TFLiteNode, _ reduction: Pool2D.Reduction) throws {
    let options = try node.options(.pool2D)
    let value = try image(try held(node, 0))
    func number(_ field: Int) throws -> Int { Int(try options?.integer(field, Int32(0)) ?? 0) }
    let size = Size2D(try number(TFLiteField.Pool2D.height), try number(TFLiteField.Pool2D.width))
    let window = try window(node, options, size, dilation: nil)
    let pads = window.pads(height: value.dims[1], width: value.dims[2])
    let isWhole = size == Size2D(value.dims[1], value.dims[2]) && pads == (0, 0, 0, 0)
    let fused = try activation(options, TFLiteField.Pool2D.activation)
    guard isWhole else {
      let result = try emit(.pool2d(Pool2D(reduction, window: window)), [value.name], named: name(node))
      return try give(node, held(result, hasBatch: true), fused: fused)
    }
    try give(node, try pooled(node, value, reduction, keepsAxes: true), fused: fused)
  }

  /// The mean or maximum over a whole image.
  mutating func pooled(
    _ node: TFLiteNode, _ value: Held, _ reduction: Pool2D.Reduction, keepsAxes: Bool
  ) throws -> Held {
    let result = try emit(.globalPool(GlobalPool(reduction)), [value.name], named: name(node))
    guard keepsAxes else { return held(result, hasBatch: true) }
    // Rounded where it is computed; the reshaped value is rounded alike, and costs nothing.
    activations[result] = try encoding(graph.tensors[node.outputs[0]]).map { .affine($0) }
    let channels = value.dims[3]
    let pixel = try reshape(result, [1, 1, channels], named: result + " reshaped")
    return held(pixel, hasBatch: true)
  }

  // MARK: Sizes

  private mutating func size(_ node: TFLiteNode) throws -> Size2D {
    let size = try required(node, 1).indices()
    guard size.count == 2, size.allSatisfy({ (1...1 << 16).contains($0) }) else {
      throw CompressError("a size of \(size)", kind: .input)
    }
    try spend(4 * (size[0] + size[1]))
    return Size2D(size[0], size[1])
  }

  mutating func resizeBilinear(_ node: TFLiteNode) throws {
    let options = try node.options(.resizeBilinear)
    let value = try image(try held(node, 0)), size = try size(node)
    let aligns = try options?.flag(TFLiteField.ResizeBilinear.alignCorners) ?? false
    let isHalf = try options?.flag(TFLiteField.ResizeBilinear.halfPixelCenters) ?? false
    let resize = Resize(
      .bilinear, height: size.height, width: size.width,
      coordinates: aligns ? .alignCorners : isHalf ? .halfPixel : .asymmetric)
    try give(node, try emitHeld(.resize(resize), [value.name], named: name(node), hasBatch: true))
  }

  mutating func resizeNearest(_ node: TFLiteNode) throws {
    let options = try node.options(.resizeNearestNeighbor)
    let value = try image(try held(node, 0)), size = try size(node)
    let aligns = try options?.flag(TFLiteField.ResizeNearestNeighbor.alignCorners) ?? false
    let isHalf = try options?.flag(TFLiteField.ResizeNearestNeighbor.halfPixelCenters) ?? false
    let resize = Resize(
      .nearest, height: size.height, width: size.width,
      coordinates: aligns ? .alignCorners : isHalf ? .tfHalfPixelForNearest : .asymmetric,
      rounding: aligns ? .preferCeil : .floor)
    let rows = TFLiteNearest.places(value.dims[1], size.height, aligns: aligns, isHalf: isHalf)
    let columns = TFLiteNearest.places(value.dims[2], size.width, aligns: aligns, isHalf: isHalf)
    if resize.taps(value.shape, axis: 0).map(\.first) == rows,
      resize.taps(value.shape, axis: 1).map(\.first) == columns
    {
      return try give(node, try emitHeld(.resize(resize), [value.name], named: name(node), hasBatch: true))
    }
    let down = try taking(value, 0, rows, named: name(node) + " rows")
    try give(node, try taking(down, 1, columns, named: name(node)))
  }

  mutating func depthToSpace(_ node: TFLiteNode) throws {
    let block = Int(try node.options(.depthToSpace)?.integer(TFLiteField.Block.size, Int32(0)) ?? 0)
    let value = try image(try held(node, 0))
    let result = try emit(.depthToSpace(DepthToSpace(block: block)), [value.name], named: name(node))
    try give(node, held(result, hasBatch: true))
  }

  mutating func spaceToDepth(_ node: TFLiteNode) throws {
    let block = Int(try node.options(.spaceToDepth)?.integer(TFLiteField.Block.size, Int32(0)) ?? 0)
    let value = try image(try held(node, 0))
    let result = try emit(.spaceToDepth(SpaceToDepth(block: block)), [value.name], named: name(node))
    try give(node, held(result, hasBatch: true))
  }
}
