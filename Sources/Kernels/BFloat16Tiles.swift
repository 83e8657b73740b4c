import CKernels

// Panels of pairs of bfloat16 numbers (see ck-bf16.h), and the loop over tiles of their products.

extension PanelLayout {
  /// Rows of B two by two.
  var pairs: Int { ceilDivide(k, 2) }
  /// 32-bit pairs of all panels together; they never take more than float32 panels do.
  var pairCount: Int { paddedColumns * pairs }

  func pairStart(_ panel: Int) -> Int { panel * tile * pairs }

  /// Packs the rows `first..<first + count` of B; (first + p, j) is `from[j * columnStep + p * rowStep]`. Rows before
  /// them are packed already.
  func packPairs(
    _ from: UnsafePointer<Float>, columnStep: Int, rowStep: Int, first: Int = 0, count: Int? = nil,
    into out: UnsafeMutablePointer<UInt32>, panel: Int
  ) {
    ck_bf16_pack(
      columns(panel), width(panel), first, count ?? k, from + panel * tile * columnStep, columnStep, rowStep,
      out + pairStart(panel))
  }
}

extension FloatTileLoop {
  /// The same with both factors rounded to bfloat16; A's rows are `pairs` long.
  func runPairs(
    rows: Int, a: UnsafePointer<UInt32>, weights: UnsafePointer<UInt32>, panels: Range<Int>,
    start: UnsafePointer<Float>?, c: UnsafeMutablePointer<Float>, ldc: Int
  ) {
    let tileRows = kernels.pointee.bf16_tile.rows, pairs = layout.pairs
    var first = 0
    while first < pairs {
      let remaining = pairs - first
      let depth = remaining < Self.depthBlock * 3 / 2 ? remaining : Self.depthBlock
      let isLast = depth == remaining
      let lo = isLast ? low : -.infinity
      let hi = isLast ? high : .infinity
      for panel in panels {
        let width = layout.width(panel), column = panel * layout.tile
        let begin = first == 0 ? start.map { $0 + column } : nil
        let b = weights + layout.pairStart(panel) + first * width
        for row in stride(from: 0, to: rows, by: tileRows) {
          let target = c + row * ldc + column
          kernels.pointee.bf16_gemm(
            min(tileRows, rows - row), layout.columns(panel), depth, a + row * pairs + first, pairs, 1, b, width,
            begin, target, ldc, lo, hi)
        }
      }
      first += depth
    }
  }
}
