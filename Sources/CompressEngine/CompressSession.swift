import Diagnostics
import Runtime

/// A model compiled for this machine, with memory to run it in. It belongs to one thread at a time; sessions of one model
/// run side by side.
public final class CompressSession {
  private let session: Session

  init(_ session: Session) { self.session = session }

  /// Runs samples, one after the other in one list each, channels of images last.
  ///
  /// - Returns: as many results, one after the other.
  /// - Throws: when the list holds no whole number of samples from 1 to as many as the session is for.
  public func run(_ samples: [Float]) throws -> [Float] {
    let plan = session.plan, size = plan.inputShape.count, count = samples.count / max(size, 1)
    guard count * size == samples.count, (1...plan.maxBatch).contains(count) else {
      throw CompressError("\(samples.count) numbers are not 1 to \(plan.maxBatch) samples of \(size)")
    }
    var results = [Float](repeating: 0, count: count * plan.outputShape.count)
    samples.withUnsafeBufferPointer { from in
      results.withUnsafeMutableBufferPointer { to in session.run(input: from, output: to) }
    }
    return results
  }

  /// The class of the greatest score, counted from 0, of each sample: of the first output, as everywhere.
  ///
  /// - Throws: as `run` does.
  public func classify(_ samples: [Float]) throws -> [Int] {
    let scores = try run(samples), all = session.plan.outputShape.count, own = session.plan.outputShapes[0].count
    return stride(from: 0, to: scores.count, by: all).map { start in
      (0..<own).max { scores[start + $0] < scores[start + $1] } ?? 0
    }
  }
}
