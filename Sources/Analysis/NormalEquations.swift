/// Least squares by Cholesky's decomposition, in double precision.
enum NormalEquations {
  /// `x` that makes `(A + d I) x = b`, where d is a share of the mean of A's diagonal.
  ///
  /// - Parameters:
  ///   - squares: A, symmetric, by rows.
  ///   - sums: b, a row for each of A's, `columns` wide.
  ///   - damping: that share.
  /// - Returns: x in b's shape; nil when A is not finite, or zero.
  static func solve(_ squares: [Float], _ sums: [Float], columns: Int, damping: Double) -> [Double]? {
    let n = sums.count / max(columns, 1)
    let mean = (0..<n).reduce(0.0) { $0 + Double(squares[$1 * n + $1]) } / Double(max(n, 1))
    guard mean > 0, mean.isFinite else { return nil }
    // A = L Lᵀ, row by row; rows are contiguous, so that the sums run along them.
    var lower = [Double](repeating: 0, count: n * n)
    let isDefinite = lower.withUnsafeMutableBufferPointer { lower in
      for i in 0..<n {
        let row = lower.baseAddress! + i * n
        for j in 0...i {
          let other = lower.baseAddress! + j * n
          var sum = Double(squares[i * n + j]) + (i == j ? damping * mean : 0)
          for k in 0..<j { sum -= row[k] * other[k] }
          if i == j {
            guard sum > 0, sum.isFinite else { return false }
            row[i] = sum.squareRoot()
          } else {
            row[j] = sum / other[j]
          }
        }
      }
      return true
    }
    guard isDefinite else { return nil }
    var x = sums.map(Double.init)
    for i in 0..<n {
      for k in 0..<i {
        let factor = lower[i * n + k]
        guard factor != 0 else { continue }
        for c in 0..<columns { x[i * columns + c] -= factor * x[k * columns + c] }
      }
      for c in 0..<columns { x[i * columns + c] /= lower[i * n + i] }
    }
    for i in (0..<n).reversed() {
      for k in i + 1..<n {
        let factor = lower[k * n + i]
        guard factor != 0 else { continue }
        for c in 0..<columns { x[i * columns + c] -= factor * x[k * columns + c] }
      }
      for c in 0..<columns { x[i * columns + c] /= lower[i * n + i] }
    }
    return x.allSatisfy(\.isFinite) ? x : nil
  }
}
