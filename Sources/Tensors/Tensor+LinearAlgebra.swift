import Diagnostics

extension Tensor {
  /// The matrix product `[m, k] x [k, n]` → `[m, n]`, in float32; each element is summed in ascending k.
  ///
  /// - Throws: `CompressError` when a shape is no matrix or the inner extents differ.
  public func matmul(_ other: Tensor) throws -> Tensor {
    guard rank == 2, other.rank == 2, shape[1] == other.shape[0] else {
      throw CompressError("cannot multiply shapes \(shape) and \(other.shape) as matrices")
    }
    let m = shape[0], k = shape[1], n = other.shape[1]
    var out = Tensor(zeros: try Shape(checking: [m, n]))
    let block = 256  // columns of b held in the cache while all rows of a pass by
    converted(to: .float32).withElements(Float.self) { a in
      other.converted(to: .float32).withElements(Float.self) { b in
        out.withMutable(Float.self) { out in
          var pace = Cancellation.Pace()
          for left in stride(from: 0, to: n, by: block) {
            let columns = min(block, n - left)
            for row in 0..<m {
              let target = UnsafeMutableBufferPointer(rebasing: out[row * n + left..<row * n + left + columns])
              if pace.stops(after: columns) { return }
              var depth = 0
              while depth + 4 <= k {
                if depth & 4095 == 0, pace.stops(after: min(k - depth, 4096) * columns) { return }
                let a0 = a[row * k + depth], a1 = a[row * k + depth + 1]
                let a2 = a[row * k + depth + 2], a3 = a[row * k + depth + 3]
                let b0 = b.baseAddress! + (depth * n + left)
                let b1 = b0 + n, b2 = b1 + n, b3 = b2 + n
                for j in 0..<columns {
                  target[j] = (((target[j] + a0 * b0[j]) + a1 * b1[j]) + a2 * b2[j]) + a3 * b3[j]
                }
                depth += 4
              }
              while depth < k {
                let factor = a[row * k + depth], line = b.baseAddress! + (depth * n + left)
                for j in 0..<columns { target[j] += factor * line[j] }
                depth += 1
              }
            }
          }
        }
      }
    }
    try Cancellation.checkCurrent()
    return out
  }

  /// The outer product of two vectors: `[m]`, `[n]` → `[m, n]`.
  ///
  /// - Throws: `CompressError` when a shape is no vector.
  public func outer(_ other: Tensor) throws -> Tensor {
    guard rank == 1, other.rank == 1 else {
      throw CompressError("the outer product takes two vectors, not shapes \(shape) and \(other.shape)")
    }
    return try reshaped([count, 1]).applying(.mul, other)
  }
}
