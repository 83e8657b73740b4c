import CKernels

/// How a matrix product is cut into pieces of work (see ck-panels.h).
struct RowTiling {
  private var native: ck_cut

  /// - Parameters:
  ///   - depth: multiplications behind one output.
  ///   - columns: outputs of one row.
  ///   - rowBytes: what a row of A takes while a piece is worked on.
  ///   - copiesRows: whether every piece first has to gather its rows, which makes splitting columns dear.
  init(
    rows: Int, depth: Int, columns: Int, rowBytes: Int, tileRows: Int, panels: Int, copiesRows: Bool,
    limits: CutLimits = .standard
  ) {
    native = ck_cut_product(limits.native, rows, depth, columns, rowBytes, tileRows, panels, copiesRows)
  }

  /// Multiplications of the whole product.
  var work: Int { native.work }
  var count: Int { native.count }

  func piece(_ index: Int) -> (rows: Range<Int>, panels: Range<Int>) {
    let piece = withUnsafePointer(to: native) { ck_cut_piece($0, index) }
    return (piece.first_row..<piece.end_row, piece.first_panel..<piece.end_panel)
  }
}
