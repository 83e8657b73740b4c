import Diagnostics
import Network
import Tensors

/// Samples of noise, for whoever has a network and no pictures: some of their values alike over larger areas, as those
/// of pictures are, others from element to element. Without labels.
///
/// Sample `i` depends on shape, seed, range and `i` alone.
public struct Noise: Dataset {
  public let name = "noise"
  public let count: Int
  public let sampleShape: Shape
  public let identity: DatasetIdentity
  public let classCount = 1
  public let hasLabels = false

  private let range: ClosedRange<Float>
  private let random: SeededRandom

  /// - Parameter range: of the values.
  /// - Throws: `CompressError` when the count or the range is no good.
  public init(_ shape: Shape, count: Int, range: ClosedRange<Float> = 0...1, seed: UInt64 = 0) throws {
    guard (1...1 << 20).contains(count) else { throw CompressError("\(count) samples of noise; 1 to \(1 << 20) are made") }
    guard range.lowerBound.isFinite, range.upperBound.isFinite, range.lowerBound < range.upperBound else {
      throw CompressError("noise from \(range.lowerBound) to \(range.upperBound)")
    }
    self.count = count
    self.range = range
    sampleShape = shape
    identity = DatasetIdentity(
      .recipe(
        "noise, version 1, \(shape.dims), \(count) samples, \(range.lowerBound) to \(range.upperBound), seed \(seed)"))
    random = SeededRandom(seed: seed).stream("noise")
  }

  public func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    let size = sampleShape.count
    for (k, index) in indices.enumerated() {
      draw(index, to: UnsafeMutableBufferPointer(rebasing: images[k * size..<(k + 1) * size]))
      labels[k] = 0
    }
  }

  /// Patches of one colour, the coarser ones first, and over them noise from element to element.
  private func draw(_ index: Int, to values: UnsafeMutableBufferPointer<Float>) {
    var random = random.stream("sample \(index)")
    let low = range.lowerBound, span = range.upperBound - range.lowerBound
    let channels = sampleShape.dims.last ?? 1
    let width = sampleShape.rank == 3 ? sampleShape[1] : 1, height = sampleShape.count / max(width * channels, 1)
    func value() -> Float { Float(random.uniform(0..<1)) }
    let ground = (0..<channels).map { _ in value() }
    for i in values.indices { values[i] = ground[i % channels] }
    for number in 0..<24 {
      let share = 1 / Double(1 + number / 6)
      let rows = 1 + random.below(max(1, Int(Double(height) * share))), top = random.below(height)
      let columns = 1 + random.below(max(1, Int(Double(width) * share))), left = random.below(width)
      let colour = (0..<channels).map { _ in value() }
      for y in top..<min(top + rows, height) {
        for x in left..<min(left + columns, width) {
          for c in 0..<channels { values[(y * width + x) * channels + c] = colour[c] }
        }
      }
    }
    let strength = 0.3 * value()
    for i in values.indices {
      values[i] = low + span * min(max(values[i] + strength * (value() - 0.5), 0), 1)
    }
  }
}
