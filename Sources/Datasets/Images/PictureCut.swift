import Diagnostics
import Files

/// Which part of a picture becomes a sample: pixels from 0 to 1, [height, width, 3].
enum PictureCut: Sendable, Hashable {
  /// A square out of the middle, when the picture's shorter side was given so many pixels.
  case middle(shortSide: Int, side: Int)
  /// All of it, whatever its sides were to each other.
  case whole(height: Int, width: Int)

  /// A file for one image of this size is no photograph.
  static let largestFile = 1 << 28

  var height: Int {
    switch self {
    case .middle(_, let side): side
    case .whole(let height, _): height
    }
  }

  var width: Int {
    switch self {
    case .middle(_, let side): side
    case .whole(_, let width): width
    }
  }

  /// - Precondition: `out` has room for `height * width * 3`.
  /// - Throws: `CompressError` when the file is no picture, or a broken one.
  func read(_ file: String, to out: UnsafeMutablePointer<Float>) throws {
    let target =
      switch self {
      case .middle(let shortSide, _): shortSide
      case .whole(let height, let width): max(height, width)
      }
    let picture = try MappedFile(file, limit: Self.largestFile).withBytes {
      // Twice the size that is wanted, at least: the rest of the way is antialiased.
      try ImageDecoder.decode($0, shortestSide: 2 * target)
    }
    let resampling = resampling(from: (picture.height, picture.width)), row = picture.width * 3
    let scratch = UnsafeMutableBufferPointer<Float>.allocate(capacity: resampling.scratchCount(channels: 3))
    defer { scratch.deallocate() }
    picture.bytes.withUnsafeBufferPointer { bytes in
      resampling.apply(to: out, scratch: scratch.baseAddress!, channels: 3) { y, values in
        scale(UnsafeBufferPointer(rebasing: bytes[(y * row)..<((y + 1) * row)]), to: values)
      }
    }
  }

  private func resampling(from source: (height: Int, width: Int)) -> Resampling {
    guard case .middle(let shortSide, let side) = self else { return Resampling(from: source, to: (height, width)) }
    let resized =
      source.height < source.width
      ? (shortSide, shortSide * source.width / source.height) : (shortSide * source.height / source.width, shortSide)
    func middle(_ length: Int) -> Range<Int> {
      let start = Int((Double(length - side) / 2).rounded(.toNearestOrEven))
      return start..<(start + side)
    }
    return Resampling(from: source, to: resized, window: (middle(resized.0), middle(resized.1)))
  }
}
