import CKernels

/// C = A B, or C += A B, in float32 by rows, either factor possibly stored transposed.
///
/// Each element of C is one chain of fused multiply-adds in ascending order of k, from zero or from its former
/// value: the same bits for any number of threads and any instruction set.
public struct MatrixProduct: Sendable {
  public let m, n, k: Int
  public let transposeA, transposeB: Bool
  private let isa: InstructionSet

  /// A is (m, k), or (k, m) if transposed; B is (k, n), or (n, k) if transposed; C is (m, n).
  ///
  /// - Precondition: the extents are positive.
  public init(
    m: Int, n: Int, k: Int, transposeA: Bool = false, transposeB: Bool = false, isa: InstructionSet = .current
  ) {
    precondition(m > 0 && n > 0 && k > 0, "matrix product of \(m)x\(k) and \(k)x\(n)")
    self.m = m
    self.n = n
    self.k = k
    self.transposeA = transposeA
    self.transposeB = transposeB
    self.isa = isa
  }

  private var layout: PanelLayout { PanelLayout(n: n, k: k, isa.kernels.pointee.f32_tile) }

  /// Scratch that `run` needs: B is packed there.
  public var scratchBytes: Int {
    ScratchCursor.padded(alignedBytes(layout.count * 4) + alignedBytes(layout.paddedColumns * 4))
  }

  /// - Precondition: the scratch has at least `scratchBytes` bytes; C overlaps neither factor.
  public func run(
    a: UnsafePointer<Float>, b: UnsafePointer<Float>, c: UnsafeMutablePointer<Float>, accumulate: Bool = false,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    let layout = layout
    var cursor = ScratchCursor(scratch, needed: scratchBytes)
    let packed = cursor.take(layout.count, of: Float.self)
    let zeros = cursor.take(layout.paddedColumns, of: Float.self)
    zeros.update(repeating: 0, count: layout.paddedColumns)
    pool.parallelFor(layout.panels) { panel in
      layout.pack(b, columnStep: transposeB ? k : 1, rowStep: transposeB ? 1 : n, into: packed, panel: panel)
    }
    let loop = FloatTileLoop(kernels: isa.kernels, layout: layout, low: -.infinity, high: .infinity)
    let tiling = RowTiling(
      rows: m, depth: k, columns: n, rowBytes: k * 4, tileRows: isa.kernels.pointee.f32_tile.rows,
      panels: layout.panels, copiesRows: false)
    pool.forWork(tiling.work).parallelFor(tiling.count) { index in
      let (rows, panels) = tiling.piece(index)
      loop.run(
        rows: rows.count, a: a + rows.lowerBound * (transposeA ? 1 : k), lda: transposeA ? m : k,
        order: transposeA ? .columns : .rows, weights: .float32(packed), panels: panels,
        start: accumulate ? nil : UnsafePointer(zeros), c: c + rows.lowerBound * n, ldc: n)
    }
  }
}
