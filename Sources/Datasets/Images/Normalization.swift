import Diagnostics

/// How pixels from 0 to 1 become what a network takes: `(pixel * scale - mean) / deviation`, channel by channel.
public struct Normalization: Sendable, Hashable {
  public var scale: Float = 1
  /// One for each channel, or one for all.
  public var mean: [Float] = [0]
  public var deviation: [Float] = [1]

  public init() {}

  /// - Throws: `CompressError` when a number is not finite, a deviation is not positive, or their counts differ.
  public init(mean: [Float], deviation: [Float]) throws {
    guard !mean.isEmpty, mean.count == deviation.count else {
      throw CompressError("\(mean.count) means and \(deviation.count) standard deviations: one of each for a channel")
    }
    guard mean.allSatisfy(\.isFinite), deviation.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw CompressError("means are numbers and standard deviations positive: mean \(mean), std \(deviation)")
    }
    self.mean = mean
    self.deviation = deviation
  }

  /// Pixels from 0 to `scale`.
  ///
  /// - Throws: `CompressError` unless it is a number other than 0.
  public init(scale: Float) throws {
    guard scale.isFinite, scale != 0 else { throw CompressError("a scale is a number other than 0, not \(scale)") }
    self.scale = scale
  }

  /// Those that published networks were trained with, by name.
  public static let named: [String: Normalization] = [
    "cifar10": .known([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
    "cifar100": .known([0.5071, 0.4865, 0.4409], [0.2673, 0.2564, 0.2762]),
    "fashion_mnist": .known([0.2860], [0.3530]),
    "imagenet": .known([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "mnist": .known([0.1307], [0.3081]),
    "symmetric": .known([0.5], [0.5]),  // from -1 to 1
  ]

  private static func known(_ mean: [Float], _ deviation: [Float]) -> Normalization {
    var result = Normalization()
    result.mean = mean
    result.deviation = deviation
    return result
  }

  var isIdentity: Bool { self == Normalization() }

  /// - Throws: `CompressError` when images of that many channels need other numbers.
  func check(channels: Int) throws {
    guard mean.count == 1 || mean.count == channels else {
      throw CompressError("\(mean.count) means for images of \(channels) channel\(channels == 1 ? "" : "s")")
    }
  }

  /// In place, on pixels whose channels lie side by side.
  func apply(_ pixels: UnsafeMutableBufferPointer<Float>, channels: Int) {
    if mean.count == 1 {
      let mean = mean[0], deviation = deviation[0]
      for i in pixels.indices { pixels[i] = (pixels[i] * scale - mean) / deviation }
      return
    }
    for c in 0..<channels {
      let mean = mean[c], deviation = deviation[c]
      for i in stride(from: c, to: pixels.count, by: channels) { pixels[i] = (pixels[i] * scale - mean) / deviation }
    }
  }

  /// For cache keys: exact.
  var description: String {
    func bits(_ values: [Float]) -> String { values.map { String($0.bitPattern, radix: 16) }.joined(separator: ",") }
    return "normalize scale \(bits([scale])) mean \(bits(mean)) deviation \(bits(deviation))"
  }
}
