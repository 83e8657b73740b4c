import Diagnostics

extension Tensor {
  /// The thin singular value decomposition of a matrix `[m, n]`: `a = u * diagonal(values) * v`, with `u` `[m, r]`,
  /// `values` `[r]`, greatest first, and `v` `[r, n]`, r being min(m, n); float32.
  ///
  /// By the eigenvectors of the smaller of `a * aT` and `aT * a`, in double precision: values below 1e-7 of the
  /// greatest are rounding. Takes time of the order of r^3 + r^2 * max(m, n), and up to `singularVectorBytes(shape)` of
  /// memory.
  ///
  /// - Throws: `CompressError` when it is no matrix, is empty or an element is not finite.
  public func singularValueDecomposition() throws -> (u: Tensor, values: [Double], v: Tensor) {
    guard rank == 2, count > 0 else { throw CompressError("a tensor of shape \(shape) is no matrix to decompose") }
    if let bad = firstNonFinite {
      throw CompressError("element \(bad.index + 1) is \(bad.value): there is no decomposition")
    }
    let isHigh = shape[0] > shape[1]
    let wide = try (isHigh ? transposed() : self).converted(to: .float32).contiguous()
    let (rows, columns) = (wide.shape[0], wide.shape[1])
    var eigen = SymmetricEigenvectors(rows)
    try wide.withElements(Float.self) { try eigen.loadProducts(of: $0, columns: columns) }
    try eigen.solve()
    // The rows of `left` are unit vectors; projected on them, the matrix gives the other side.
    var left = Tensor(zeros: [rows, rows])
    left.withMutable(Float.self) { left in
      eigen.vectors.withUnsafeBufferPointer { Tensor.each($0, left) { Float($0) } }
    }
    let values = eigen.values.map { max($0, 0).squareRoot() }
    var right = try left.matmul(wide)
    right.withMutable(Float.self) { right in
      var pace = Cancellation.Pace()
      for row in 0..<rows where values[row] > 0 {
        if pace.stops(after: columns) { return }
        let scale = Float(1 / values[row])
        for i in row * columns..<(row + 1) * columns { right[i] *= scale }
      }
    }
    try Cancellation.checkCurrent()
    return isHigh
      ? (try right.transposed().contiguous(), values, left) : (try left.transposed().contiguous(), values, right)
  }
}

extension Tensor {
  /// Bytes that `singularValueDecomposition` of a matrix of this shape takes at most, its results included.
  public static func singularVectorBytes(_ shape: Shape) -> Int {
    guard shape.rank == 2 else { return 0 }
    let short = min(shape[0], shape[1]), elements = shape.count
    // In float32 the matrix, its rows, the other side and that transposed; in double precision the matrix. Squares: the
    // products, the same in another order, half of one of reflections; one side in float32, and transposed.
    return elements * 24 + short * short * 28
  }
}

/// Eigenvalues and -vectors of a symmetric matrix: reduced to three diagonals by reflections (Householder 1958), these
/// to one by implicit QL steps (Bowdler et al. 1968).
private struct SymmetricEigenvectors {
  private let n: Int
  /// The matrix; then the eigenvectors, a row each, in the order of `values`.
  private(set) var vectors: [Double]
  /// Greatest first.
  private(set) var values: [Double]

  private static let mostSteps = 60

  init(_ n: Int) {
    self.n = n
    vectors = [Double](repeating: 0, count: n * n)
    values = [Double](repeating: 0, count: n)
  }

  /// The products of all pairs of rows.
  mutating func loadProducts(of matrix: UnsafeBufferPointer<Float>, columns: Int) throws {
    // In double precision once, not once a pair; a block of rows stays in the cache while the others pass by.
    let n = n
    var doubles = [Double](repeating: 0, count: matrix.count)
    doubles.withUnsafeMutableBufferPointer { Tensor.each(matrix, $0) { Double($0) } }
    var pace = Cancellation.Pace()
    let block = max(1, 32_768 / columns)
    try doubles.withUnsafeBufferPointer { doubles in
      try vectors.withUnsafeMutableBufferPointer { products in
        for start in stride(from: 0, to: n, by: block) {
          for b in start..<n {
            for a in start..<min(start + block, b + 1) {
              try pace.check(after: columns)
              let product = dotProduct(doubles.baseAddress! + a * columns, doubles.baseAddress! + b * columns, columns)
              products[a * n + b] = product
              products[b * n + a] = product
            }
          }
        }
      }
    }
  }

  mutating func solve() throws {
    var diagonal = [Double](repeating: 0, count: n), beside = diagonal
    try reduce(&diagonal, &beside)
    try rotate(&diagonal, &beside)
    let order = (0..<n).sorted { (diagonal[$1], $0) < (diagonal[$0], $1) }
    values = order.map { diagonal[$0] }
    var ordered = [Double](repeating: 0, count: n * n), pace = Cancellation.Pace()
    for (place, row) in order.enumerated() {
      try pace.check(after: n)
      for i in 0..<n { ordered[place * n + i] = vectors[row * n + i] }
    }
    vectors = ordered
  }

  /// Leaves in `vectors` the transposed orthogonal matrix of the reduction, its rows to be turned further.
  private mutating func reduce(_ diagonal: inout [Double], _ beside: inout [Double]) throws {
    let n = n
    var reflections: [(vector: [Double], scale: Double)] = []
    var p = [Double](repeating: 0, count: n)
    var pace = Cancellation.Pace()
    try vectors.withUnsafeMutableBufferPointer { a in
      let base = a.baseAddress!
      for k in 0..<max(n - 2, 0) {
        // Of row k, what is beyond the first neighbour goes; the matrix is symmetric, so the row is the column.
        let length = n - k - 1, row = base + k * n + k + 1
        var v = (0..<length).map { row[$0] }
        let norm = v.withUnsafeBufferPointer { dotProduct($0.baseAddress!, $0.baseAddress!, length) }.squareRoot()
        guard norm > 0 else {
          beside[k] = 0
          reflections.append((v, 0))
          continue
        }
        let alpha = v[0] > 0 ? -norm : norm
        beside[k] = alpha
        v[0] -= alpha
        let square = v.withUnsafeBufferPointer { dotProduct($0.baseAddress!, $0.baseAddress!, length) }
        let scale = square > 0 ? 2 / square : 0
        try v.withUnsafeBufferPointer { v in
          let v = v.baseAddress!
          for i in 0..<length {
            try pace.check(after: length)
            p[i] = scale * dotProduct(base + (k + 1 + i) * n + k + 1, v, length)
          }
          let half = p.withUnsafeBufferPointer { dotProduct($0.baseAddress!, v, length) } * scale / 2
          for i in 0..<length { p[i] -= half * v[i] }
          try p.withUnsafeBufferPointer { p in
            for i in 0..<length {
              try pace.check(after: length)
              let line = base + (k + 1 + i) * n + k + 1, (x, y) = (v[i], p[i])
              for j in 0..<length { line[j] -= x * p[j] + y * v[j] }
            }
          }
        }
        reflections.append((v, scale))
      }
      if n > 1 { beside[n - 2] = base[(n - 2) * n + n - 1] }
      for i in 0..<n { diagonal[i] = base[i * n + i] }

      // The product of the reflections, applied to the identity from the last to the first; a row each.
      for i in 0..<n {
        try pace.check(after: n)
        for j in 0..<n { base[i * n + j] = i == j ? 1 : 0 }
      }
      for (k, (v, scale)) in reflections.enumerated().reversed() where scale > 0 {
        let length = v.count
        try v.withUnsafeBufferPointer { v in
          let v = v.baseAddress!
          for i in k + 1..<n {
            try pace.check(after: 2 * length)
            let line = base + i * n + k + 1
            let factor = scale * dotProduct(line, v, length)
            for j in 0..<length { line[j] -= factor * v[j] }
          }
        }
      }
    }
  }

  /// Turns the rows of `vectors` until nothing is left beside the diagonal.
  private mutating func rotate(_ d: inout [Double], _ e: inout [Double]) throws {
    let n = n
    // What is smaller than this is the rounding of the others.
    let negligible = 1e-17 * (d.map(\.magnitude).max() ?? 0)
    var pace = Cancellation.Pace()
    try vectors.withUnsafeMutableBufferPointer { z in
      for l in 0..<n {
        var steps = 0
        while true {
          // The block from l to m is one piece.
          var m = l
          while m < n - 1, e[m].magnitude > 1e-16 * (d[m].magnitude + d[m + 1].magnitude) + negligible { m += 1 }
          guard m > l else { break }
          steps += 1
          guard steps <= Self.mostSteps else { throw CompressError("the eigenvalues of \(n) rows do not converge") }
          var g = (d[l + 1] - d[l]) / (2 * e[l])
          var r = (g * g + 1).squareRoot()
          g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r))
          var sine = 1.0, cosine = 1.0, p = 0.0
          var i = m - 1
          while i >= l {
            try pace.check(after: 2 * n)
            let f = sine * e[i], b = cosine * e[i]
            r = (f * f + g * g).squareRoot()
            e[i + 1] = r
            if r == 0 { break }
            sine = f / r
            cosine = g / r
            g = d[i + 1] - p
            r = (d[i] - g) * sine + 2 * cosine * b
            p = sine * r
            d[i + 1] = g + p
            g = cosine * r - b
            let lower = z.baseAddress! + i * n, upper = lower + n
            for k in 0..<n {
              let (x, y) = (lower[k], upper[k])
              upper[k] = sine * x + cosine * y
              lower[k] = cosine * x - sine * y
            }
            i -= 1
          }
          if i >= l {  // it came apart on the way
            d[i + 1] -= p
          } else {
            d[l] -= p
            e[l] = g
          }
          e[m] = 0
        }
      }
    }
  }
}
