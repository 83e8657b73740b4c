import Diagnostics
import Tensors

/// What can be asked of any data set of images: another size, other channels, other numbers for its pixels.
public struct ImageOptions: Sendable, Hashable {
  /// Height and width.
  public var size: [Int]?
  /// 1 or 3.
  public var channels: Int?
  public var normalization = Normalization()

  public init() {}

  static let largestSide = 4096

  /// The shape of a sample after resizing and conversion.
  ///
  /// - Throws: `CompressError` when the samples are no images, or cannot be made what is asked for.
  func shape(from source: Shape) throws -> Shape {
    guard source.rank == 3 else {
      if size == nil, channels == nil {
        try normalization.check(channels: source.dims.last ?? 1)
        return source
      }
      throw CompressError("samples of shape \(source) are no images [height, width, channels]")
    }
    var result = source.dims
    if let size {
      guard size.count == 2, size.allSatisfy({ (1...Self.largestSide).contains($0) }) else {
        throw CompressError("images are resized to a height and a width from 1 to \(Self.largestSide), not \(size)")
      }
      result[0] = size[0]
      result[1] = size[1]
    }
    if let channels {
      guard Channels.canConvert(source[2], to: channels) else {
        throw CompressError(
          "images of \(source[2]) channels cannot have \(channels); grey (1) and colour (3) can be exchanged")
      }
      result[2] = channels
    }
    try normalization.check(channels: result[2])
    return Shape(result)
  }
}
