import CKernels

/// What calibration asks of a buffer of activations.
public enum Distribution {
  /// The least and greatest value, -0 counting as 0; nil for an empty buffer, or when one of them is not finite.
  public static func finiteRange(of values: UnsafeBufferPointer<Float>, pool: ThreadPool) -> ClosedRange<Float>? {
    guard !values.isEmpty else { return nil }
    let pieces = (values.count + piece - 1) / piece
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * pieces) { ends in
      ends.initialize(repeating: .nan)  // of a piece that is skipped on request nothing is known
      pool.parallelFor(pieces) { index in
        let begin = index * piece
        ck_f32_total_range(
          min(piece, values.count - begin), values.baseAddress! + begin, ends.baseAddress! + 2 * index,
          ends.baseAddress! + 2 * index + 1)
      }
      guard (0..<2 * pieces).allSatisfy({ ends[$0].isFinite }) else { return nil }
      var low = ends[0], high = ends[1]
      for index in 1..<max(pieces, 1) {
        low = min(low, ends[2 * index])
        high = max(high, ends[2 * index + 1])
      }
      return low + 0...high + 0
    }
  }

  /// Adds to `counts[floor(value / width) + counts.count / 2]`.
  ///
  /// - Precondition: every value lies strictly within half as many widths of zero as there are counts; the width is
  ///   a power of two.
  public static func count(
    _ values: UnsafeBufferPointer<Float>, width: Float, into counts: inout [UInt64], pool: ThreadPool
  ) {
    let bins = counts.count
    precondition(width.significand == 1 && bins.isMultiple(of: 2))
    counts.withUnsafeMutableBufferPointer { counts in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: bins * pool.threads) { partial in
        // A partial sum holds at most as many values as fit 32 bits.
        let most = Int(UInt32.max)
        for start in stride(from: 0, to: values.count, by: most) {
          let part = UnsafeBufferPointer(rebasing: values[start..<min(values.count, start + most)])
          partial.initialize(repeating: 0)
          pool.parallelFor((part.count + piece - 1) / piece) { index, worker in
            let begin = index * piece
            ck_f32_histogram(
              min(piece, part.count - begin), part.baseAddress! + begin, 1 / width, Int32(bins / 2),
              partial.baseAddress! + worker * bins)
          }
          for worker in 0..<pool.threads {
            for bin in 0..<bins { counts[bin] += UInt64(partial[worker * bins + bin]) }
          }
        }
      }
    }
  }

  private static let piece = 1 << 16
}
