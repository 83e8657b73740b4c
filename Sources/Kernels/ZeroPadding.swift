/// Copies a value of any number of axes into the middle of a larger one, and back.
public struct ZeroPadding: Sendable {
  public let inputCount: Int
  public let outputCount: Int
  /// Elements that lie together in both, and where each such run begins in the larger.
  private let run: Int
  private let starts: [Int]

  /// - Precondition: as many pads as axes, none negative.
  public init(shape: [Int], before: [Int], after: [Int]) {
    precondition(before.count == shape.count && after.count == shape.count)
    let padded = shape.indices.map { before[$0] + shape[$0] + after[$0] }
    // Axes from here on are not padded, so that a run spans them and the one before.
    let whole = (shape.indices.last { before[$0] + after[$0] > 0 } ?? -1) + 1
    var starts = [0], run = shape.suffix(from: whole).reduce(1, *)
    for axis in 0..<whole {
      let stride = padded.suffix(from: axis + 1).reduce(1, *)
      let isLast = axis == whole - 1
      starts = starts.flatMap { start in
        (0..<(isLast ? 1 : shape[axis])).map { start + (before[axis] + $0) * stride }
      }
      if isLast { run *= shape[axis] }
    }
    inputCount = shape.reduce(1, *)
    outputCount = padded.reduce(1, *)
    self.run = run
    self.starts = starts
  }

  /// Surrounds each of `batch` values with `element`.
  public func pad<T>(
    _ input: UnsafePointer<T>, output: UnsafeMutablePointer<T>, with element: T, batch: Int, pool: ThreadPool
  ) {
    pool.forWork(batch * outputCount).parallelFor(batch) { image in
      let from = input + image * inputCount, to = output + image * outputCount
      to.update(repeating: element, count: outputCount)
      for (index, start) in starts.enumerated() { (to + start).update(from: from + index * run, count: run) }
    }
  }

  /// Takes each of `batch` values out of its surroundings: the gradient of `pad`.
  public func crop<T>(
    _ input: UnsafePointer<T>, output: UnsafeMutablePointer<T>, batch: Int, pool: ThreadPool
  ) {
    pool.forWork(batch * inputCount).parallelFor(batch) { image in
      let from = input + image * outputCount, to = output + image * inputCount
      for (index, start) in starts.enumerated() { (to + index * run).update(from: from + start, count: run) }
    }
  }
}
