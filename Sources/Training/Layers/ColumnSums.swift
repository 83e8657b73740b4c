import Kernels

/// Sums over the rows of a matrix, column by column: bias gradients, batch statistics.
///
/// Rows are cut into chunks of a fixed size; a chunk is summed in float32, the chunks in double and in
/// order, so the result does not depend on the number of threads.
struct ColumnSums {
  private let width: Int
  private let chunkRows: Int
  private let partials: FloatBuffer

  /// For matrices of up to `rows` rows, summing `width` columns.
  init(rows: Int, width: Int) throws {
    self.width = width
    chunkRows = ThreadPool.rows(width: width)
    partials = try FloatBuffer((rows + chunkRows - 1) / chunkRows * width)
  }

  /// Calls `addRows(range, sums)` for each chunk, which adds its rows into `width` sums that start at
  /// zero; hands every column's total to `store`.
  func callAsFunction(
    rows: Int, pool: ThreadPool, addRows: (Range<Int>, UnsafeMutablePointer<Float>) -> Void,
    store: (_ column: Int, _ total: Double) -> Void
  ) {
    let chunks = chunks(rows: rows, pool: pool) { range, sums in
      sums.update(repeating: 0, count: width)
      addRows(range, sums)
    }
    for column in 0..<width {
      var total = 0.0
      for (_, partial) in chunks { total += Double(partial[column]) }
      store(column, total)
    }
  }

  /// Calls `measure(range, partial)` for each chunk of rows, which writes `width` numbers; the number of rows of each,
  /// in order, and what was written, valid until the next call.
  func chunks(
    rows: Int, pool: ThreadPool, measure: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) -> [(rows: Int, partial: UnsafePointer<Float>)] {
    let (width, chunkRows, partials) = (width, chunkRows, partials)
    pool.forChunks(rows, of: chunkRows) { range in
      measure(range, partials.base + range.lowerBound / chunkRows * width)
    }
    return stride(from: 0, to: rows, by: chunkRows).map {
      (min(chunkRows, rows - $0), UnsafePointer(partials.base + $0 / chunkRows * width))
    }
  }

  /// The plain sums of a matrix of `rows` rows, into `sums`.
  func sum(_ matrix: FloatBuffer, rows: Int, into sums: FloatBuffer, pool: ThreadPool) {
    let width = width
    self(rows: rows, pool: pool) { range, partial in
      for row in range {
        let x = matrix.base + row * width
        for column in 0..<width { partial[column] += x[column] }
      }
    } store: {
      sums[$0] = Float($1)
    }
  }
}
