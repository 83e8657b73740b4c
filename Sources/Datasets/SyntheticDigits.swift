import Network
import Synchronization
import Tensors

/// Generated digits that look handwritten: 28x28 grey images in ten classes, without any download.
///
/// Sample `i` depends on seed, part and `i` alone, and is drawn when it is first read. Each ten samples in a row
/// hold every digit once, in random order.
public final class SyntheticDigits: Dataset {
  public let name: String
  public let count: Int
  public let sampleShape: Shape = [DigitDrawing.side, DigitDrawing.side, 1]
  public let classCount = 10
  public var classNames: [String]? { MNIST.digits }
  public var preprocessing: Preprocessing? { Preprocessing(pictures: sampleShape) }
  public let identity: DatasetIdentity

  private let random: SeededRandom
  private let digits: [UInt8]
  private let drawn: Mutex<[[UInt8]?]>

  /// - Parameter part: parts of different names share no sample.
  /// - Precondition: `count` is not negative.
  public init(count: Int, part: String, seed: UInt64 = 0) {
    name = "digits.\(part)"
    self.count = count
    identity = DatasetIdentity(.recipe("digits, version 1, part \(part), \(count) samples, seed \(seed)"))
    random = SeededRandom(seed: seed).stream("digits \(part)")
    var order = random.stream("order")
    var digits: [UInt8] = []
    while digits.count < count { digits += order.permutation(10).map(UInt8.init) }
    self.digits = Array(digits.prefix(count))
    drawn = Mutex([[UInt8]?](repeating: nil, count: count))
  }

  /// The standard sizes: 20,000 digits to train on and 5,000 to test with.
  public static func pair(seed: UInt64 = 0) -> DatasetPair {
    DatasetPair(
      train: SyntheticDigits(count: 20_000, part: "train", seed: seed),
      test: SyntheticDigits(count: 5_000, part: "test", seed: seed))
  }

  public func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    let size = sampleShape.count
    precondition(images.count >= indices.count * size && labels.count >= indices.count, "buffers too small")
    for (k, index) in indices.enumerated() {
      pixels(index).withUnsafeBufferPointer { scale($0, to: images.baseAddress! + k * size) }
      labels[k] = Int32(digits[index])
    }
  }

  /// Two threads may draw the same sample at once: both get the same pixels.
  private func pixels(_ index: Int) -> [UInt8] {
    if let pixels = drawn.withLock({ $0[index] }) { return pixels }
    let pixels = DigitDrawing.pixels(of: Int(digits[index]), using: random.stream("sample \(index)"))
    drawn.withLock { $0[index] = pixels }
    return pixels
  }
}
