import Diagnostics
import Kernels

/// The lower triangle L of a symmetric, positive definite matrix: `A = L Lᵀ` (Cholesky), block by block, so that nearly
/// all of it is matrix products. Each number is computed in one fixed order, whatever the number of threads.
struct TriangularFactor {
  /// Rows of the matrix.
  let count: Int
  /// L by rows, zeros above the diagonal.
  private(set) var rows: [Float]

  /// Rows and columns to a block.
  static let block = 64

  /// nil where the matrix is not positive definite, as far as float32 can tell.
  ///
  /// - Parameter matrix: by rows; what is above the diagonal is not looked at.
  /// - Throws: `CompressError` when the running work is to stop.
  init?(_ matrix: [Float], count: Int, pool: ThreadPool) throws {
    precondition(matrix.count == count * count)
    self.count = count
    rows = matrix
    for first in stride(from: 0, to: count, by: Self.block) {
      try Cancellation.checkCurrent()
      let width = min(Self.block, count - first), height = count - first
      // What stands below the block's first row, less what the blocks before explain of it.
      var panel = part(rows: first..<count, columns: first..<first + width)
      if first > 0 {
        Self.multiply(
          height, width, first, part(rows: first..<count, columns: 0..<first, sign: -1),
          part(rows: first..<first + width, columns: 0..<first), transposeB: true, into: &panel, pool)
      }
      guard Self.factor(&panel, width: width) else { return nil }
      panel.withUnsafeMutableBufferPointer { panel in
        let base = panel.baseAddress!
        pool.parallelFor((height - width + Self.block - 1) / Self.block) { piece in
          let begin = width + piece * Self.block
          for row in begin..<min(begin + Self.block, height) {
            let x = base + row * width
            for j in 0..<width {
              let known = base + j * width
              var sum = x[j]
              for k in 0..<j { sum -= x[k] * known[k] }
              x[j] = sum / known[j]
            }
          }
        }
      }
      for row in 0..<height {
        for j in 0..<width { rows[(first + row) * count + first + j] = j <= row ? panel[row * width + j] : 0 }
      }
    }
    try Cancellation.checkCurrent()  // or rows were skipped
    for row in 0..<count {
      for column in row + 1..<max(count, row + 1) { rows[row * count + column] = 0 }
    }
  }

  /// The square at the top of a panel becomes its own factor; sums in double precision.
  private static func factor(_ panel: inout [Float], width: Int) -> Bool {
    for i in 0..<width {
      for j in 0...i {
        var sum = Double(panel[i * width + j])
        for k in 0..<j { sum -= Double(panel[i * width + k]) * Double(panel[j * width + k]) }
        if i == j {
          let root = Float(sum.squareRoot())
          guard sum > 0, root.isNormal else { return false }
          panel[i * width + i] = root
        } else {
          panel[i * width + j] = Float(sum / Double(panel[j * width + j]))
        }
      }
    }
    return true
  }

  /// Part of L, each number times `sign`.
  private func part(rows: Range<Int>, columns: Range<Int>, sign: Float = 1) -> [Float] {
    var part: [Float] = []
    part.reserveCapacity(rows.count * columns.count)
    for row in rows { for column in columns { part.append(sign * self.rows[row * count + column]) } }
    return part
  }

  /// Adds A·B to C.
  private static func multiply(
    _ m: Int, _ n: Int, _ k: Int, _ a: [Float], transposeA: Bool = false, _ b: [Float], transposeB: Bool = false,
    into c: inout [Float], _ pool: ThreadPool
  ) {
    let product = MatrixProduct(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: product.scratchBytes, alignment: 64)
    defer { scratch.deallocate() }
    c.withUnsafeMutableBufferPointer {
      product.run(a: a, b: b, c: $0.baseAddress!, accumulate: true, scratch: scratch, pool: pool)
    }
  }
}

// MARK: Solving

extension TriangularFactor {
  /// Solves `L Y = B`, in place.
  ///
  /// - Parameter values: B, a row for each of L's, `columns` wide.
  func solve(_ values: inout [Float], columns: Int, pool: ThreadPool) throws {
    for first in stride(from: 0, to: count, by: Self.block) {
      try Cancellation.checkCurrent()
      let end = min(first + Self.block, count)
      if first > 0 {
        var own = Array(values[first * columns..<end * columns])
        Self.multiply(
          end - first, columns, first, part(rows: first..<end, columns: 0..<first, sign: -1),
          Array(values[..<(first * columns)]), into: &own, pool)
        values.replaceSubrange(first * columns..<end * columns, with: own)
      }
      for j in first..<end {
        for k in first..<j {
          let factor = rows[j * count + k]
          for c in 0..<columns { values[j * columns + c] -= factor * values[k * columns + c] }
        }
        let diagonal = rows[j * count + j]
        for c in 0..<columns { values[j * columns + c] /= diagonal }
      }
    }
  }

  /// Goes from the last row to the first and has each number of `targets` replaced: what it becomes, times L, is taken
  /// from the rows before it, so that these can make up for the difference.
  ///
  /// Row j of `targets` is to be `Σ x_i L_ij`; what is left of it when its turn comes, over the diagonal, is what x_j
  /// is wanted to be.
  ///
  /// - Parameters:
  ///   - targets: a row for each of L's, `columns` wide; used up.
  ///   - choose: called for each number with its row, its column, and what is wanted; different columns are chosen for
  ///     at the same time.
  /// - Returns: what was chosen, in the shape of `targets`.
  func descend(
    _ targets: inout [Float], columns: Int, pool: ThreadPool,
    choose: (_ row: Int, _ column: Int, _ wanted: Float) -> Float
  ) throws -> [Float] {
    var chosen = [Float](repeating: 0, count: targets.count)
    let firsts = Array(stride(from: 0, to: count, by: Self.block))
    for first in firsts.reversed() {
      try Cancellation.checkCurrent()
      let end = min(first + Self.block, count)
      targets.withUnsafeMutableBufferPointer { targets in
        chosen.withUnsafeMutableBufferPointer { chosen in
          rows.withUnsafeBufferPointer { rows in
            let (y, x, l) = (targets.baseAddress!, chosen.baseAddress!, rows.baseAddress!)
            pool.parallelFor((columns + Self.piece - 1) / Self.piece) { piece in
              let range = piece * Self.piece..<min((piece + 1) * Self.piece, columns)
              for j in (first..<end).reversed() {
                let row = l + j * count, diagonal = row[j]
                for c in range { x[j * columns + c] = choose(j, c, y[j * columns + c] / diagonal) }
                for i in first..<j {
                  let factor = row[i]
                  for c in range { y[i * columns + c] -= factor * x[j * columns + c] }
                }
              }
            }
          }
        }
      }
      try Cancellation.checkCurrent()  // or columns were skipped
      guard first > 0 else { continue }
      var before = Array(targets[..<(first * columns)])
      Self.multiply(
        first, columns, end - first, part(rows: first..<end, columns: 0..<first, sign: -1), transposeA: true,
        Array(chosen[first * columns..<end * columns]), into: &before, pool)
      targets.replaceSubrange(..<(first * columns), with: before)
    }
    return chosen
  }

  /// Columns that one thread chooses for at a time.
  private static let piece = 32
}
