/// The output of a 3x3 convolution cut into tiles of 2x2 pixels, each of which sees 4x4 of the image.
///
/// By F(2x2, 3x3) of Winograd (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016) a tile takes
/// 16 multiplications for each pair of channels rather than 36. Its sums are in another order than the definition's and
/// about as exact.
struct WinogradTiles {
  let window: WindowGeometry
  let across, down: Int

  /// Values of one channel in a transformed tile.
  static let places = 16

  /// nil where there is another method for the convolution, or a better one.
  init?(_ geometry: ConvolutionGeometry) {
    let window = geometry.window
    guard
      window.kernelHeight == 3, window.kernelWidth == 3, window.strideHeight == 1, window.strideWidth == 1,
      window.dilationHeight == 1, window.dilationWidth == 1, geometry.groups == 1,
      min(window.channels, geometry.outputChannels) >= Self.fewestChannels
    else { return nil }
    self.window = window
    across = ceilDivide(window.outputWidth, 2)
    down = ceilDivide(window.outputHeight, 2)
    // Tiles that reach over the edge are wasted in part.
    guard across * down * Self.places * 10 <= window.outputPixels * 9 * 7 else { return nil }
  }

  /// With fewer, the transforms cost more than they save.
  private static let fewestChannels = 32

  var perImage: Int { across * down }

  private func corner(_ tile: Int) -> (image: Int, y: Int, x: Int) {
    let (image, place) = tile.quotientAndRemainder(dividingBy: perImage)
    return (image, place / across * 2, place % across * 2)
  }

  /// Points `taps` at the 16 pixels that a tile sees, and at `zeros` for those outside the image.
  func see(
    _ tile: Int, of images: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    _ taps: UnsafeMutablePointer<UnsafePointer<Float>?>
  ) {
    let (image, top, left) = corner(tile)
    let base = images + image * window.inputCount
    for i in 0..<4 {
      let y = top + i - window.padding.top
      for j in 0..<4 {
        let x = left + j - window.padding.left
        let isInside = y >= 0 && y < window.height && x >= 0 && x < window.width
        taps[i * 4 + j] = isInside ? base + (y * window.width + x) * window.channels : zeros
      }
    }
  }

  /// Calls `body` with each of a tile's four output pixels: its number within the batch, nil beyond the edge.
  @inline(__always)
  func forEachOutput(_ tile: Int, _ body: (_ index: Int, _ pixel: Int?) -> Void) {
    let (image, top, left) = corner(tile)
    for i in 0..<4 {
      let y = top + i / 2, x = left + i % 2
      let isInside = y < window.outputHeight && x < window.outputWidth
      body(i, isInside ? (image * window.outputHeight + y) * window.outputWidth + x : nil)
    }
  }
}

/// Pointers that a transform takes and gives, for one thread.
struct WinogradPointers {
  private let table: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>

  static let bytes = 2 * WinogradTiles.places * MemoryLayout<UnsafePointer<Float>?>.stride

  init(_ cursor: inout ScratchCursor) {
    table = cursor.take(2 * WinogradTiles.places, of: UnsafeMutablePointer<Float>?.self)
    table.initialize(repeating: nil, count: 2 * WinogradTiles.places)
  }

  var from: UnsafeMutablePointer<UnsafePointer<Float>?> {
    UnsafeMutableRawPointer(table).assumingMemoryBound(to: UnsafePointer<Float>?.self)
  }
  var to: UnsafeMutablePointer<UnsafeMutablePointer<Float>?> { table + WinogradTiles.places }

  /// All places of one tile or matrix, `step` elements apart.
  func write(_ base: UnsafeMutablePointer<Float>, step: Int) {
    for place in 0..<WinogradTiles.places { to[place] = base + place * step }
  }

  func read(_ base: UnsafePointer<Float>, step: Int) {
    for place in 0..<WinogradTiles.places { from[place] = base + place * step }
  }
}
