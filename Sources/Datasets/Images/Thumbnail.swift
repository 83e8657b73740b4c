import CImages
import Diagnostics
import Network
import Tensors

/// A sample as people look at it: a small PNG file.
public enum Thumbnail {
  /// Pixels of the longer side; larger samples are made smaller, smaller ones stay.
  public static let longestSide = 96

  /// - Parameter sample: [height, width, channels] as the network takes it, `preprocessing` undone; where nobody said how
  ///   it was made, from its least number in black to its greatest in white.
  /// - Returns: nil for samples that are no pictures of one or three channels, or not finite.
  /// - Throws: `CompressError` when libpng does.
  public static func png(_ sample: [Float], shape: Shape, preprocessing: Preprocessing?) throws -> [UInt8]? {
    guard shape.rank == 3, [1, 3].contains(shape[2]), shape.count > 0, sample.allSatisfy(\.isFinite) else { return nil }
    let channels = shape[2], longest = max(shape[0], shape[1])
    let least = sample.min() ?? 0, span = max((sample.max() ?? 1) - least, .leastNormalMagnitude)
    func pixel(_ value: Float, _ channel: Int) -> Float {
      guard let how = preprocessing else { return (value - least) / span }
      let place = how.mean.count == 1 ? 0 : channel
      return (value * how.deviation[place] + how.mean[place]) / how.scale
    }
    var values = sample.indices.map { pixel(sample[$0], $0 % channels) }
    var (height, width) = (shape[0], shape[1])
    if longest > longestSide {
      let target = (max(1, height * longestSide / longest), max(1, width * longestSide / longest))
      values = Resampling(from: (height, width), to: target).applied(to: values, width: width, channels: channels)
      (height, width) = target
    }
    let bytes = (0..<height * width).flatMap { place in
      (0..<3).map { c in
        UInt8((min(max(values[place * channels + (channels == 1 ? 0 : c)], 0), 1) * 255).rounded())
      }
    }
    return try encode(bytes, height: height, width: width)
  }

  private static func encode(_ pixels: [UInt8], height: Int, width: Int) throws -> [UInt8] {
    // What zlib cannot make smaller it stores, in blocks of its own.
    let capacity = pixels.count + height + pixels.count / 100 + 1024
    return try [UInt8](unsafeUninitializedCapacity: capacity) { out, filled in
      var message = [CChar](repeating: 0, count: Int(CIMG_MESSAGE))
      let success = message.withUnsafeMutableBufferPointer {
        cimg_png_encode(pixels, UInt32(width), UInt32(height), out.baseAddress, capacity, &filled, $0.baseAddress!)
      }
      guard success == 1 else {
        let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw CompressError("a picture could not be written as PNG: \(text.escapedForTerminal)", kind: .system)
      }
    }
  }
}

extension Resampling {
  /// The resized image, of all of one that is at hand.
  fileprivate func applied(to image: [Float], width: Int, channels: Int) -> [Float] {
    let scratch = UnsafeMutableBufferPointer<Float>.allocate(capacity: scratchCount(channels: channels))
    defer { scratch.deallocate() }
    let count = outputCount(channels: channels)
    return [Float](unsafeUninitializedCapacity: count) { out, filled in
      let row = width * channels
      apply(to: out.baseAddress!, scratch: scratch.baseAddress!, channels: channels) { y, values in
        for i in 0..<row { values[i] = image[y * row + i] }
      }
      filled = count
    }
  }
}
