import CKernels
import Diagnostics

/// How a matrix B (k, n) is cut into panels of columns, each stored row by row, as the float kernels read it.
/// All panels are `tile` columns wide, but for the last, which is padded to whole vectors only.
struct PanelLayout {
  let n, k: Int
  let tile, lanes: Int

  init(n: Int, k: Int, _ tile: ck_tile) {
    self.n = n
    self.k = k
    self.tile = tile.columns
    lanes = tile.lanes
  }

  var panels: Int { ceilDivide(n, tile) }
  /// Columns with their padding.
  var paddedColumns: Int { (panels - 1) * tile + width(panels - 1) }
  /// Elements of all panels together.
  var count: Int { paddedColumns * k }

  /// Columns of the panel that exist, and columns stored.
  func columns(_ panel: Int) -> Int { min(tile, n - panel * tile) }
  func width(_ panel: Int) -> Int { roundUp(columns(panel), to: lanes) }
  /// Where the panel begins, in elements.
  func start(_ panel: Int) -> Int { panel * tile * k }

  /// Packs B, whose element (p, j) is `from[j * columnStep + p * rowStep]`.
  func pack(
    _ from: UnsafePointer<Float>, columnStep: Int, rowStep: Int, into out: UnsafeMutablePointer<Float>, panel: Int
  ) {
    ck_f32_pack(
      columns(panel), width(panel), k, from + panel * tile * columnStep, columnStep, rowStep, out + start(panel))
  }

  func packHalf(
    _ from: UnsafePointer<Float>, columnStep: Int, rowStep: Int, into out: UnsafeMutablePointer<UInt16>, panel: Int
  ) {
    ck_f32_pack_half(
      columns(panel), width(panel), k, from + panel * tile * columnStep, columnStep, rowStep, out + start(panel))
  }
}

/// Packed panels of one precision.
enum PackedWeights {
  case float32(UnsafePointer<Float>)
  case float16(UnsafePointer<UInt16>)
  /// In pairs; A is rounded as well.
  case bfloat16(UnsafePointer<UInt32>)
}

/// How the rows of A follow each other in memory.
enum RowOrder {
  /// A(row, k) at row * ld + k.
  case rows
  /// A(row, k) at k * ld + row.
  case columns
}

/// The loop over kernel tiles that multiplies some rows of A with some panels of B.
struct FloatTileLoop {
  let kernels: UnsafePointer<ck_kernels>
  let layout: PanelLayout
  let low, high: Float
  /// Of the thread that makes the loop, for those that run it: a piece of a huge product may take seconds.
  private let cancellation = Cancellation.current

  init(kernels: UnsafePointer<ck_kernels>, layout: PanelLayout, low: Float, high: Float) {
    self.kernels = kernels
    self.layout = layout
    self.low = low
    self.high = high
  }

  /// A block of k this long leaves a panel within the first two cache levels.
  static let depthBlock = 512

  /// C (rows, n) = clamp(start + A B) for the columns of `panels`; a nil start continues from C.
  ///
  /// `start` is padded as the panels are. C(row, column) is at row * ldc + column, columns counted from the
  /// matrix's first. `pairs` is scratch for A in bfloat16, rows * layout.pairs of them.
  func run(
    rows: Int, a: UnsafePointer<Float>, lda: Int, order: RowOrder = .rows, weights: PackedWeights,
    panels: Range<Int>, start: UnsafePointer<Float>?, pairs: UnsafeMutablePointer<UInt32>? = nil,
    c: UnsafeMutablePointer<Float>, ldc: Int
  ) {
    if case .bfloat16(let b) = weights, let pairs {
      precondition(order == .rows, "A is packed by rows")
      kernels.pointee.bf16_rows(rows, layout.k, a, lda, pairs)
      runPairs(rows: rows, a: pairs, weights: b, panels: panels, start: start, c: c, ldc: ldc)
      return
    }
    let tileRows = kernels.pointee.f32_tile.rows
    var pace = Cancellation.Pace(of: cancellation)
    var k0 = 0
    while k0 < layout.k {
      let remaining = layout.k - k0
      let depth = remaining < Self.depthBlock * 3 / 2 ? remaining : Self.depthBlock
      let isLast = depth == remaining
      let lo = isLast ? low : -.infinity
      let hi = isLast ? high : .infinity
      for panel in panels {
        let width = layout.width(panel)
        if pace.stops(after: rows * depth) { return }
        let offset = layout.start(panel) + k0 * width
        let columns = layout.columns(panel)
        let column = panel * layout.tile
        let begin = k0 == 0 ? start.map { $0 + column } : nil
        var row = 0
        while row < rows {
          let m = min(tileRows, rows - row)
          let target = c + row * ldc + column
          switch (weights, order) {
          case (.float32(let b), .rows):
            kernels.pointee.f32_gemm(
              m, columns, depth, a + row * lda + k0, lda, b + offset, width, begin, target, ldc, lo, hi)
          case (.float32(let b), .columns):
            kernels.pointee.f32_gemm_columns(
              m, columns, depth, a + row + k0 * lda, lda, b + offset, width, begin, target, ldc, lo, hi)
          case (.float16(let b), _):
            kernels.pointee.f32_gemm_half(
              m, columns, depth, a + row * lda + k0, lda, b + offset, width, begin, target, ldc, lo, hi)
          case (.bfloat16, _): preconditionFailure("no scratch for A in bfloat16")
          }
          row += m
        }
      }
      k0 += depth
    }
  }
}
