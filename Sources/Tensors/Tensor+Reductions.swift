import Diagnostics

/// What becomes of many elements, by the name scripts know it by. Sums are accumulated in double precision.
public enum Reduction: String, Sendable, CaseIterable {
  case sum, mean
  /// Biased: divided by the number of elements.
  case variance
  /// NaN when an element is.
  case min, max
  /// The index of the first smallest or largest element; NaN counts as the extreme.
  case argmin, argmax
  /// Sum of magnitudes, root of the sum of squares.
  case l1, l2
  /// How many elements are not zero.
  case nonzero

  var yieldsCounts: Bool { self == .argmin || self == .argmax || self == .nonzero }

  var needsElements: Bool {
    switch self {
    case .sum, .l1, .l2, .nonzero: false
    case .mean, .variance, .min, .max, .argmin, .argmax: true
    }
  }
}

extension Tensor {
  /// Reduces the given axes (all of them when nil): float32, or int64 for counts and indices.
  ///
  /// With several axes, `argmin` and `argmax` index the reduced axes in row-major order.
  /// - Parameter keepDims: whether reduced axes stay, with extent 1.
  /// - Throws: `CompressError` when an axis does not exist or is named twice, or the reduction needs at
  ///   least one element and there is none.
  public func reduced(_ reduction: Reduction, axes: [Int]? = nil, keepDims: Bool = false) throws -> Tensor {
    let axes = try axes?.map { try checked(axis: $0) }.sorted() ?? Array(0..<rank)
    guard Set(axes).count == axes.count else { throw CompressError("axes \(Self.told(axes)) name one twice") }
    let kept = (0..<rank).filter { !axes.contains($0) }
    let target = Shape((0..<rank).compactMap { axes.contains($0) ? (keepDims ? 1 : nil) : shape[$0] })
    let width = axes.reduce(1) { $0 * shape[$1] }
    guard width > 0 || target.count == 0 || !reduction.needsElements else {
      throw CompressError("\(reduction.rawValue) over no elements: axes \(Self.told(axes)) of shape \(shape)")
    }

    let rows = try converted(to: .float32).transposed(kept + axes)
    var out = Tensor(zeros: target, dtype: reduction.yieldsCounts ? .int64 : .float32)
    var pace = Cancellation.Pace()
    rows.withElements(Float.self) { values in
      func row(_ i: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(rebasing: values[i * width..<(i + 1) * width])
      }
      if reduction.yieldsCounts {
        out.withMutable(Int64.self) { out in
          for i in out.indices {
            if pace.stops(after: width) { return }
            out[i] = Int64(Tensor.reduce(row(i), reduction))
          }
        }
      } else {
        out.withMutable(Float.self) { out in
          for i in out.indices {
            if pace.stops(after: width) { return }
            out[i] = Float(Tensor.reduce(row(i), reduction))
          }
        }
      }
    }
    return out
  }

  /// The reduction of all elements, in double precision.
  ///
  /// - Throws: `CompressError` when the reduction needs at least one element and there is none.
  public func value(_ reduction: Reduction) throws -> Double {
    guard count > 0 || !reduction.needsElements else {
      throw CompressError("\(reduction.rawValue) over no elements: shape \(shape)")
    }
    return converted(to: .float32).withElements(Float.self) { Tensor.reduce($0, reduction) }
  }

  /// The first element that is infinite or NaN, in row-major order; nil when all are finite.
  public var firstNonFinite: (index: Int, value: Float)? {
    guard dtype.isFloat else { return nil }
    return converted(to: .float32).withElements(Float.self) { values in
      try? values.firstHeeding { !$0.isFinite }.map { ($0, values[$0]) }
    }
  }

  private static func reduce(_ values: UnsafeBufferPointer<Float>, _ reduction: Reduction) -> Double {
    switch reduction {
    case .sum: return sum(values) { $0 }
    case .mean: return sum(values) { $0 } / Double(values.count)
    case .variance:
      let mean = sum(values) { $0 } / Double(values.count)
      return sum(values) { ($0 - mean) * ($0 - mean) } / Double(values.count)
    case .min: return Double(values[extreme(values) { $0 < $1 }])
    case .max: return Double(values[extreme(values) { $0 > $1 }])
    case .argmin: return Double(extreme(values) { $0 < $1 })
    case .argmax: return Double(extreme(values) { $0 > $1 })
    case .l1: return sum(values) { $0.magnitude }
    case .l2: return sum(values) { $0 * $0 }.squareRoot()
    case .nonzero: return Double(Cancellation.runs(values.count).reduce(0) { $0 + values[$1].count { $0 != 0 } })
    }
  }

  /// Four partial sums, always over the same elements, hide the latency of the additions.
  @inline(__always)
  private static func sum(_ values: UnsafeBufferPointer<Float>, _ term: (Double) -> Double) -> Double {
    var a = 0.0, b = 0.0, c = 0.0, d = 0.0
    let even = values.count & ~3
    for run in Cancellation.runs(even) {  // of a multiple of four elements
      for i in stride(from: run.lowerBound, to: run.upperBound, by: 4) {
        a += term(Double(values[i]))
        b += term(Double(values[i + 1]))
        c += term(Double(values[i + 2]))
        d += term(Double(values[i + 3]))
      }
    }
    for i in even..<values.count { a += term(Double(values[i])) }
    return (a + b) + (c + d)
  }

  /// The first element that no other precedes, or the first NaN.
  @inline(__always)
  private static func extreme(_ values: UnsafeBufferPointer<Float>, _ precedes: (Float, Float) -> Bool) -> Int {
    var best = 0
    for run in Cancellation.runs(values.count) {
      for i in run {
        if values[i].isNaN { return i }
        if precedes(values[i], values[best]) { best = i }
      }
    }
    return best
  }
}
