import Diagnostics

// Singular values by one-sided Jacobi rotations (Hestenes 1958), in double precision: simple, and accurate for small
// values too.
extension Tensor {
  /// The singular values of the matrices in the last two axes, greatest first: `[…, m, n]` → `[…, min(m, n)]`,
  /// float32.
  ///
  /// - Throws: `CompressError` when there are fewer than two axes or an element is not finite.
  public func singularValues() throws -> Tensor {
    let (outer, m, n) = try matrices()
    var out = Tensor(zeros: Shape(outer + [min(m, n)]))
    try eachMatrix(m, n) { index, values in
      out.withMutable(Float.self) { out in
        for i in values.indices { out[index * values.count + i] = Float(values[i]) }
      }
    }
    return out
  }

  /// Bytes that `singularValues` and `matrixRanks` of a tensor of this shape take at most, their result included.
  public static func singularValueBytes(_ shape: Shape) -> Int {
    guard shape.rank >= 2 else { return 0 }
    let matrix = shape[shape.rank - 2] * shape[shape.rank - 1]
    // All of it in float32 and in rows, one matrix in double precision, the results.
    return shape.count * 8 + matrix * 8 + shape.count / max(shape.dims.suffix(2).max()!, 1) * 8
  }

  /// The ranks of the matrices in the last two axes: how many singular values are greater than `tolerance` times the
  /// greatest. `[…, m, n]` → `[…]`, int64.
  ///
  /// - Parameter tolerance: max(m, n) units in the last place of float32 unless given.
  /// - Throws: `CompressError` when there are fewer than two axes, an element is not finite, or the tolerance is
  ///   negative.
  public func matrixRanks(tolerance: Double? = nil) throws -> Tensor {
    let (outer, m, n) = try matrices()
    let tolerance = tolerance ?? Double(max(m, n)) * Double(Float.ulpOfOne)
    guard tolerance >= 0 else { throw CompressError("a tolerance of \(tolerance) is negative") }
    var out = Tensor(zeros: Shape(outer), dtype: .int64)
    try eachMatrix(m, n) { index, values in
      let rank = values.count { $0 > tolerance * values[0] }
      out.withMutable(Int64.self) { $0[index] = Int64(rank) }
    }
    return out
  }

  private func matrices() throws -> (outer: [Int], m: Int, n: Int) {
    guard rank >= 2 else { throw CompressError("a tensor of shape \(shape) holds no matrices") }
    if let bad = firstNonFinite {
      throw CompressError("element \(bad.index + 1) is \(bad.value): there are no singular values")
    }
    return (Array(shape.dims.dropLast(2)), shape[rank - 2], shape[rank - 1])
  }

  /// Hands every matrix's singular values, greatest first, to `body`.
  private func eachMatrix(_ m: Int, _ n: Int, _ body: (Int, [Double]) -> Void) throws {
    guard count > 0 else { return }
    var work = JacobiRotations(vectors: min(m, n), length: max(m, n))
    var pace = Cancellation.Pace()
    try converted(to: .float32).withElements(Float.self) { values in
      for index in 0..<count / (m * n) {
        try pace.check(after: m * n)
        try work.load(UnsafeBufferPointer(rebasing: values[index * m * n..<(index + 1) * m * n]), isTransposed: m > n)
        body(index, try work.singularValues())
      }
    }
  }
}

/// Vectors that are turned in pairs until all are at right angles; their lengths are then the singular values.
private struct JacobiRotations {
  private let vectors: Int
  private let length: Int
  /// One vector after the other.
  private var elements: [Double]

  /// More than ever needed: it converges quadratically.
  private static let mostSweeps = 60

  init(vectors: Int, length: Int) {
    self.vectors = vectors
    self.length = length
    elements = [Double](repeating: 0, count: vectors * length)
  }

  /// The matrix's rows as vectors, or its columns when it is higher than wide.
  mutating func load(_ matrix: UnsafeBufferPointer<Float>, isTransposed: Bool) throws {
    var pace = Cancellation.Pace()
    for vector in 0..<vectors {
      for run in Cancellation.runs(length) {
        try pace.check(after: run.count)
        for i in run {
          let place = isTransposed ? i * vectors + vector : vector * length + i
          elements[vector * length + i] = Double(matrix[place])
        }
      }
    }
  }

  mutating func singularValues() throws -> [Double] {
    let (vectors, length) = (vectors, length)
    var squares = [Double](repeating: 0, count: vectors)
    func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>) -> Double { dotProduct(x, y, length) }
    var pace = Cancellation.Pace()
    try elements.withUnsafeMutableBufferPointer { elements in
      let base = elements.baseAddress!
      for _ in 0..<Self.mostSweeps {
        for vector in 0..<vectors { squares[vector] = dot(base + vector * length, base + vector * length) }
        // What is smaller than this is the rounding of the others.
        let negligible = squares.reduce(0, +) * 1e-30
        var hasTurned = false
        for a in 0..<vectors {
          for b in a + 1..<max(vectors, a + 1) where min(squares[a], squares[b]) > negligible {
            try pace.check(after: length)
            let x = base + a * length, y = base + b * length
            let product = dot(x, y)
            guard product.magnitude > 1e-13 * (squares[a] * squares[b]).squareRoot() else { continue }
            hasTurned = true
            let zeta = (squares[b] - squares[a]) / (2 * product)
            let tangent = (zeta < 0 ? -1 : 1) / (zeta.magnitude + (1 + zeta * zeta).squareRoot())
            let cosine = 1 / (1 + tangent * tangent).squareRoot(), sine = cosine * tangent
            for run in Cancellation.runs(length) {
              for i in run {
                let (p, q) = (x[i], y[i])
                x[i] = cosine * p - sine * q
                y[i] = sine * p + cosine * q
              }
            }
            try pace.check(after: length)
            squares[a] = max(0, squares[a] - tangent * product)
            squares[b] += tangent * product
          }
        }
        if !hasTurned { break }
      }
      for vector in 0..<vectors { squares[vector] = dot(base + vector * length, base + vector * length) }
    }
    return squares.map { $0.squareRoot() }.sorted(by: >)
  }
}
