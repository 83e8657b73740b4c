import Diagnostics
import Tensors

/// Random changes of training images, another each epoch. The same seed, epoch and image always give the same picture.
public struct Augmentation: Sendable, Hashable {
  /// The image is framed by so many black pixels and cropped at random to its own size.
  public var padCrop = 0
  /// Every other image is mirrored left to right.
  public var flip = false
  /// Each factor is uniform from 1 - x to 1 + x; the results stay from 0 to 1.
  public var brightness: Float = 0
  public var contrast: Float = 0
  public var saturation: Float = 0
  /// Side of a square, centred anywhere in the image, that becomes 0 after normalization (DeVries and Taylor 2017).
  public var cutout = 0
  public var seed: UInt64 = 0

  public init() {}

  /// - Throws: `CompressError` when the samples are no images or a number is out of range for them.
  func check(_ shape: Shape) throws {
    guard shape.rank == 3 else {
      throw CompressError("samples of shape \(shape) are no images [height, width, channels] to augment")
    }
    guard (0...ImageOptions.largestSide).contains(padCrop), (0...ImageOptions.largestSide).contains(cutout) else {
      throw CompressError("pad_crop \(padCrop) and cutout \(cutout) are pixels, from 0 to \(ImageOptions.largestSide)")
    }
    for (name, value) in [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)] {
      guard (0...1).contains(value) else { throw CompressError("\(name) goes from 0 to 1, not \(value)") }
    }
    guard saturation == 0 || shape[2] == 3 else {
      throw CompressError("saturation is for colour; the images have \(shape[2]) channel\(shape[2] == 1 ? "" : "s")")
    }
  }

  /// For cache keys: exact.
  var description: String {
    "augment pad_crop \(padCrop) flip \(flip) brightness \(brightness.bitPattern) contrast \(contrast.bitPattern) "
      + "saturation \(saturation.bitPattern) cutout \(cutout) seed \(seed)"
  }

  /// What is done to one image.
  struct Draw {
    /// Where the crop starts, from -padCrop to padCrop.
    let top: Int
    let left: Int
    let flips: Bool
    let brightness: Float
    let contrast: Float
    let saturation: Float
    /// Centre of the cutout, as shares of the sides.
    let cutout: (y: Double, x: Double)
  }

  func draw(epoch: Int, index: Int) -> Draw {
    var random = SeededRandom(seed: seed).stream("augment epoch \(epoch) image \(index)")
    // All are drawn always: what is asked for in addition does not change the rest.
    let top = random.below(2 * padCrop + 1) - padCrop, left = random.below(2 * padCrop + 1) - padCrop
    let flips = random.next() >> 63 == 1 && flip
    func factor(_ width: Float) -> Float { 1 + width * Float(random.uniform() * 2 - 1) }
    return Draw(
      top: top, left: left, flips: flips, brightness: factor(brightness), contrast: factor(contrast),
      saturation: factor(saturation), cutout: (random.uniform(), random.uniform()))
  }

  /// Before normalization: crop, flip and colour, on pixels from 0 to 1.
  ///
  /// - Precondition: `image` is an image of `shape`, `scratch` has room for another.
  func apply(
    _ draw: Draw, to image: UnsafeMutablePointer<Float>, shape: Shape, scratch: UnsafeMutablePointer<Float>
  ) {
    let height = shape[0], width = shape[1], channels = shape[2]
    if draw.top != 0 || draw.left != 0 || draw.flips {
      scratch.update(from: image, count: shape.count)
      image.update(repeating: 0, count: shape.count)
      for y in 0..<height where (0..<height).contains(y + draw.top) {
        let from = scratch + (y + draw.top) * width * channels, to = image + y * width * channels
        // The columns of the crop that lie in the image.
        let columns = max(0, -draw.left)..<max(max(0, -draw.left), min(width, width - draw.left))
        if draw.flips {
          for x in columns {
            for c in 0..<channels { to[(width - 1 - x) * channels + c] = from[(x + draw.left) * channels + c] }
          }
        } else {
          (to + columns.lowerBound * channels).update(
            from: from + (columns.lowerBound + draw.left) * channels, count: columns.count * channels)
        }
      }
    }
    color(draw, UnsafeMutableBufferPointer(start: image, count: shape.count), channels: channels)
  }

  private func color(_ draw: Draw, _ pixels: UnsafeMutableBufferPointer<Float>, channels: Int) {
    func clamp(_ x: Float) -> Float { min(1, max(0, x)) }
    func grey(_ i: Int) -> Float {
      channels == 3 ? 0.299 * pixels[i] + 0.587 * pixels[i + 1] + 0.114 * pixels[i + 2] : pixels[i]
    }
    if brightness > 0 {
      for i in pixels.indices { pixels[i] = clamp(pixels[i] * draw.brightness) }
    }
    if contrast > 0, !pixels.isEmpty {
      var sum = 0.0
      for i in stride(from: 0, to: pixels.count, by: channels) { sum += Double(grey(i)) }
      let mean = Float(sum / Double(pixels.count / channels))
      for i in pixels.indices { pixels[i] = clamp(mean + draw.contrast * (pixels[i] - mean)) }
    }
    if saturation > 0, channels == 3 {
      for i in stride(from: 0, to: pixels.count, by: 3) {
        let grey = grey(i)
        for c in i..<(i + 3) { pixels[c] = clamp(grey + draw.saturation * (pixels[c] - grey)) }
      }
    }
  }

  /// After normalization.
  func cut(_ draw: Draw, _ image: UnsafeMutablePointer<Float>, shape: Shape) {
    guard cutout > 0 else { return }
    func range(_ centre: Double, _ side: Int) -> Range<Int> {
      let start = Int(centre * Double(side)) - cutout / 2
      return min(side, max(0, start))..<min(side, max(0, start + cutout))
    }
    let channels = shape[2], columns = range(draw.cutout.x, shape[1])
    for y in range(draw.cutout.y, shape[0]) {
      (image + (y * shape[1] + columns.lowerBound) * channels).update(repeating: 0, count: columns.count * channels)
    }
  }
}
