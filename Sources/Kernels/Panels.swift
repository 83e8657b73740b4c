import CKernels
import Diagnostics

/// How a matrix B (k, n) is cut into panels of columns, each stored row by row, as the float kernels read it (see
/// ck-panels.h).
struct PanelLayout {
  let native: ck_panels

  init(n: Int, k: Int, _ tile: ck_tile) {
    native = ck_panels(n: n, k: k, tile: tile.columns, lanes: tile.lanes)
  }

  var n: Int { native.n }
  var k: Int { native.k }
  var tile: Int { native.tile }

  var panels: Int { ck_panel_count(native) }
  /// Columns with their padding.
  var paddedColumns: Int { ck_padded_columns(native) }
  /// Elements of all panels together.
  var count: Int { paddedColumns * k }
  func bytes(_ storage: ck_storage) -> Int { ck_panel_bytes(native, storage) }

  /// Columns of the panel that exist, and columns stored.
  func columns(_ panel: Int) -> Int { ck_panel_columns(native, panel) }
  func width(_ panel: Int) -> Int { ck_panel_width(native, panel) }
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

/// The loop over kernel tiles that multiplies some rows of A with some panels of B (see ck-panels.h).
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

  /// C (rows, n) = clamp(start + A B) for the columns of `panels`; a nil start continues from C.
  ///
  /// `start` is padded as the panels are. C(row, column) is at row * ldc + column, columns counted from the
  /// matrix's first. `pairs` is scratch for A in bfloat16, rows * layout.pairs of them.
  ///
  /// - Precondition: A in bfloat16 lies by rows and comes with that scratch.
  func run(
    rows: Int, a: UnsafePointer<Float>, lda: Int, order: RowOrder = .rows, weights: PackedWeights,
    panels: Range<Int>, start: UnsafePointer<Float>?, pairs: UnsafeMutablePointer<UInt32>? = nil,
    c: UnsafeMutablePointer<Float>, ldc: Int
  ) {
    let (storage, packed) = weights.native
    precondition(storage != ck_as_bfloat16 || (order == .rows && pairs != nil), "A is packed by rows, into scratch")
    withUnsafePointer(
      to: ck_product(panels: layout.native, storage: storage, by_columns: order == .columns, lo: low, hi: high)
    ) {
      ck_multiply(
        kernels, $0, rows, a, lda, packed, panels.lowerBound, panels.upperBound, start, pairs, c, ldc,
        cancellation?.flag)
    }
  }
}

extension PackedWeights {
  fileprivate var native: (ck_storage, UnsafeRawPointer) {
    switch self {
    case .float32(let pointer): (ck_as_float32, UnsafeRawPointer(pointer))
    case .float16(let pointer): (ck_as_float16, UnsafeRawPointer(pointer))
    case .bfloat16(let pointer): (ck_as_bfloat16, UnsafeRawPointer(pointer))
    }
  }
}
