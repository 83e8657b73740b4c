/// Bilinear resizing of images with interleaved channels, or of a window of the resized image.
///
/// Pixel centres lie at half-integers, and edges repeat. Downwards the triangle widens with the ratio, so that every
/// pixel of the source counts; as Pillow and torchvision (with antialiasing) do.
struct Resampling: Sendable {
  private let rows: Taps
  private let columns: Taps

  /// All of the resized image.
  init(from source: (height: Int, width: Int), to target: (height: Int, width: Int)) {
    self.init(from: source, to: target, window: (0..<target.height, 0..<target.width))
  }

  /// - Parameter window: the rows and columns of the resized image that are wanted.
  init(
    from source: (height: Int, width: Int), to target: (height: Int, width: Int),
    window: (rows: Range<Int>, columns: Range<Int>)
  ) {
    rows = Taps(from: source.height, to: target.height, window.rows)
    columns = Taps(from: source.width, to: target.width, window.columns)
  }

  /// The source pixels that each target pixel along one axis is a weighted mean of.
  private struct Taps: Sendable {
    let source: Int
    let first: [Int]
    /// `width` for each target pixel; those behind the last one used are zero.
    let weights: [Float]
    let width: Int
    /// The source pixels that are used at all.
    let used: Range<Int>

    init(from source: Int, to target: Int, _ window: Range<Int>) {
      let ratio = Double(source) / Double(target), reach = max(ratio, 1)
      let all: [(first: Int, weights: [Double])] = window.map { i in
        let centre = (Double(i) + 0.5) * ratio
        let low = min(source - 1, max(0, Int((centre - reach + 0.5).rounded(.down))))
        let high = max(low + 1, min(source, Int((centre + reach + 0.5).rounded(.down))))
        let weights = (low..<high).map { max(0, 1 - abs((Double($0) + 0.5 - centre) / reach)) }
        let sum = weights.reduce(0, +)
        return (low, weights.map { $0 / sum })
      }
      self.source = source
      let width = all.map(\.weights.count).max() ?? 1
      first = all.map(\.first)
      weights = all.flatMap { $0.weights.map { Float($0) } + [Float](repeating: 0, count: width - $0.weights.count) }
      self.width = width
      used = (first.first ?? 0)..<(zip(first, all).map { $0 + $1.weights.count }.max() ?? 0)
    }

    /// How many taps of target pixel `i` lie inside the source.
    func count(_ i: Int) -> Int { min(width, source - first[i]) }
  }

  /// Floats of room that `apply` needs.
  func scratchCount(channels: Int) -> Int { (rows.used.count * columns.first.count + columns.source) * channels }

  /// Floats that `apply` writes.
  func outputCount(channels: Int) -> Int { rows.first.count * columns.first.count * channels }

  /// - Parameters:
  ///   - output: [rows of the window, columns of the window, channels].
  ///   - scratch: room for `scratchCount`.
  ///   - row: writes row `y` of the source, [width, channels], into the buffer.
  func apply(
    to output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, channels: Int,
    row: (_ y: Int, _ into: UnsafeMutablePointer<Float>) -> Void
  ) {
    // Across, into scratch: [source rows, target width, channels].
    let width = columns.first.count, length = width * channels
    let source = scratch + rows.used.count * length
    columns.weights.withUnsafeBufferPointer { weights in
      for (k, y) in rows.used.enumerated() {
        row(y, source)
        let out = scratch + k * length
        for x in 0..<width {
          let taps = columns.count(x), start = source + columns.first[x] * channels
          for c in 0..<channels {
            var sum: Float = 0
            for t in 0..<taps { sum += start[t * channels + c] * weights[x * columns.width + t] }
            out[x * channels + c] = sum
          }
        }
      }
    }
    // Then down.
    for y in rows.first.indices {
      let out = output + y * length
      out.update(repeating: 0, count: length)
      for t in 0..<rows.count(y) {
        let weight = rows.weights[y * rows.width + t]
        let row = scratch + (rows.first[y] - rows.used.lowerBound + t) * length
        // A weight of zero may stand for a row that was not made.
        if weight == 0 { continue }
        for i in 0..<length { out[i] += row[i] * weight }
      }
    }
  }
}
