import CKernels
import Diagnostics
import Tensors

/// Where an element-wise operation of two operands of different shapes finds its elements: extents of one are repeated,
/// as NumPy does. Shapes are those of one sample.
public struct Broadcast: Sendable {
  /// The result's extents, those that lie alike in both operands joined; the last one is the inner loop.
  private let extents: [Int]
  /// For each extent how far apart its elements are in the operands: 0 where one is repeated.
  private let stepsA: [Int]
  private let stepsB: [Int]
  /// Elements of one sample of the operands and of the result.
  public let countA: Int
  public let countB: Int
  public let count: Int

  /// The same for C; the function is a run's own.
  let native: ck_pairs

  /// - Throws: `CompressError` when the shapes do not broadcast.
  public init(_ a: Shape, _ b: Shape) throws {
    let shape = try Shape.broadcast(a, b)
    func steps(_ operand: Shape) -> [Int] {
      let missing = shape.rank - operand.rank, strides = operand.strides
      return (0..<shape.rank).map { axis in
        axis < missing || operand[axis - missing] == 1 ? 0 : strides[axis - missing]
      }
    }
    let all = zip(shape.dims, zip(steps(a), steps(b)))
    var extents: [Int] = [], stepsA: [Int] = [], stepsB: [Int] = []
    for (extent, (stepA, stepB)) in all where extent != 1 {
      // An outer extent whose steps continue the inner ones' is one with them.
      if let last = extents.indices.last, stepsA[last] == stepA * extent, stepsB[last] == stepB * extent {
        extents[last] *= extent
        stepsA[last] = stepA
        stepsB[last] = stepB
      } else {
        extents.append(extent)
        stepsA.append(stepA)
        stepsB.append(stepB)
      }
    }
    if extents.isEmpty { (extents, stepsA, stepsB) = ([1], [0], [0]) }
    precondition(extents.count <= Int(CK_MOST_AXES), "a shape has no more axes")
    self.extents = extents
    self.stepsA = stepsA
    self.stepsB = stepsB
    countA = a.count
    countB = b.count
    count = shape.count
    native = ck_pairs(extents, stepsA, stepsB, counts: (a.count, b.count, shape.count))
  }

  /// Whether the operands differ in shape; otherwise their elements lie alike.
  public var isNeeded: Bool { countA != count || countB != count }

  /// Calls `body` for each run of the inner loop within some of the runs of a sample, with the elements of operands and
  /// result at which it starts.
  @inline(__always)
  private func forEachRun(_ runs: Range<Int>, _ body: (_ a: Int, _ b: Int, _ output: Int) -> Void) {
    let width = extents[extents.count - 1]
    for run in runs {
      var rest = run, a = 0, b = 0
      for axis in stride(from: extents.count - 2, through: 0, by: -1) {
        let place = rest % extents[axis]
        rest /= extents[axis]
        a += place * stepsA[axis]
        b += place * stepsB[axis]
      }
      body(a, b, run * width)
    }
  }

  private func forEachRun(
    batch: Int, pool: ThreadPool, _ body: (_ a: Int, _ b: Int, _ output: Int) -> Void
  ) {
    let width = max(extents[extents.count - 1], 1), runs = count / width
    withoutActuallyEscaping(body) { body in
      pool.parallelFor(batch) { sample in
        forEachRun(0..<runs) { body(sample * countA + $0, sample * countB + $1, sample * count + $2) }
      }
    }
  }

  /// Adds up an element-wise gradient over what was repeated: `gradient[a's place] += term(a's, b's, result's place)` or,
  /// by the second operand, `gradient[b's place] += …`, in the order of the result's elements; sample after sample, so that
  /// threads make no difference.
  @inlinable
  public func accumulate(
    intoFirst isFirst: Bool, _ gradient: UnsafeMutablePointer<Float>, batch: Int, pool: ThreadPool,
    _ term: (_ a: Int, _ b: Int, _ output: Int) -> Float
  ) {
    runs(batch: batch, pool: pool) { startA, stepA, startB, stepB, start, width in
      if isFirst {
        for i in 0..<width {
          gradient[startA + i * stepA] += term(startA + i * stepA, startB + i * stepB, start + i)
        }
      } else {
        for i in 0..<width {
          gradient[startB + i * stepB] += term(startA + i * stepA, startB + i * stepB, start + i)
        }
      }
    }
  }

  /// The inner loops: where each starts in operands and result, and how far apart its elements are.
  @usableFromInline
  func runs(
    batch: Int, pool: ThreadPool,
    _ body: (_ a: Int, _ stepA: Int, _ b: Int, _ stepB: Int, _ output: Int, _ width: Int) -> Void
  ) {
    let last = extents.count - 1, width = extents[last], stepA = stepsA[last], stepB = stepsB[last]
    forEachRun(batch: batch, pool: pool) { body($0, stepA, $1, stepB, $2, width) }
  }
}
