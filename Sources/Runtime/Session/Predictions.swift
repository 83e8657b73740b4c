extension Session {
  /// The class of each of `count` samples: the index of the greatest output, of equals the first; -1, which is no class,
  /// where an output is NaN.
  ///
  /// - Parameters:
  ///   - fill: writes the samples of a range, one after the other, into the buffer it is given.
  ///   - each: is told the outputs of each sample, in order, with its class.
  public func predictions(
    count: Int, fill: (_ samples: Range<Int>, _ into: UnsafeMutableBufferPointer<Float>) throws -> Void,
    each: (_ outputs: UnsafeBufferPointer<Float>, _ predicted: Int) -> Void = { _, _ in }
  ) rethrows -> [Int] {
    var inputs = [Float](repeating: 0, count: plan.maxBatch * plan.inputCount)
    var outputs = [Float](repeating: 0, count: plan.maxBatch * plan.outputCount)
    var classes: [Int] = []
    classes.reserveCapacity(count)
    while classes.count < count {
      let samples = classes.count..<min(classes.count + plan.maxBatch, count)
      try inputs.withUnsafeMutableBufferPointer { inputs in
        let batch = UnsafeMutableBufferPointer(rebasing: inputs[..<(samples.count * plan.inputCount)])
        try fill(samples, batch)
        outputs.withUnsafeMutableBufferPointer { outputs in
          let results = UnsafeMutableBufferPointer(rebasing: outputs[..<(samples.count * plan.outputCount)])
          run(input: UnsafeBufferPointer(batch), output: results)
          for start in stride(from: 0, to: results.count, by: plan.outputCount) {
            let row = results[start..<start + plan.outputCount], greatest = indexOfGreatest(row)
            classes.append(greatest)
            each(UnsafeBufferPointer(rebasing: row), greatest)
          }
        }
      }
    }
    return classes
  }

  private func indexOfGreatest(_ row: Slice<UnsafeMutableBufferPointer<Float>>) -> Int {
    var best = row.startIndex
    for index in row.indices {
      if row[index].isNaN { return -1 }
      if row[index] > row[best] { best = index }
    }
    return best - row.startIndex
  }
}
