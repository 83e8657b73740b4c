import CKernels

/// Copies a value of any number of axes into a larger one, zeros around it or between, and back.
public struct ZeroPadding: Sendable {
  public let inputCount: Int
  public let outputCount: Int
  /// Elements that lie together in both, and where each such run begins in the larger.
  private let run: Int
  private let starts: [UInt64]

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
    self.starts = starts.map { UInt64($0) }
  }

  /// Runs of `run` elements that begin at these places of the larger value, which has `outputCount` elements.
  public init(run: Int, starts: [Int], outputCount: Int) {
    self.run = run
    self.starts = starts.map { UInt64($0) }
    inputCount = run * starts.count
    self.outputCount = outputCount
  }

  private func native(element: Int, fill: UInt32, table: Int = 0) -> ck_pad {
    ck_pad(
      runs: starts.count, run: run, in_count: inputCount, out_count: outputCount, element: element, fill: fill,
      table: table)
  }

  /// Surrounds each of `batch` values with `element`.
  public func pad(
    _ input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, with element: Float, batch: Int,
    pool: ThreadPool
  ) {
    starts.withUnsafeBytes { starts in
      pool.run(
        native(element: 4, fill: element.bitPattern), ck_run_pad, on: InstructionSet.current.kernels, input,
        to: output, constants: starts.baseAddress, batch: batch)
    }
  }

  /// What a plan holds of the padding of floats with zeros.
  public var step: PreparedStep {
    PreparedStep("pad", native(element: 4, fill: 0), constants: OwnedMemory(starts), run: ck_run_pad)
  }

  /// What a plan holds of the padding of codes; the table, where there is one, codes the result anew.
  public func step(with zeroPoint: UInt8, table: [UInt8]?) -> PreparedStep {
    var places = ConstantLayout()
    _ = places.add(bytes: starts.count * MemoryLayout<UInt64>.stride)
    let offset = table.map { places.add(bytes: $0.count) } ?? 0
    let constants = OwnedMemory(byteCount: places.byteCount)
    constants.store(starts, at: 0)
    if let table { constants.store(table, at: offset) }
    return PreparedStep(
      "pad", native(element: 1, fill: UInt32(zeroPoint), table: offset), constants: constants, run: ck_run_pad)
  }

  /// Takes each of `batch` values out of its surroundings: the gradient of `pad`.
  public func crop<T>(
    _ input: UnsafePointer<T>, output: UnsafeMutablePointer<T>, batch: Int, pool: ThreadPool
  ) {
    pool.forWork(batch * inputCount).parallelFor(batch) { image in
      let from = input + image * outputCount, to = output + image * inputCount
      for (index, start) in starts.enumerated() { (to + index * run).update(from: from + Int(start), count: run) }
    }
  }
}
