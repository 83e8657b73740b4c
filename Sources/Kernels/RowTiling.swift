/// How a matrix product is cut into pieces of work. Every output is computed whole within one piece, so the
/// cut has no influence on the results.
struct RowTiling {
  let rows, rowsPerTile: Int
  /// A bound on `rowsPerTile` that only grows with the rows, so that scratch for one batch serves any smaller one.
  let mostRowsPerTile: Int
  let panels, panelsPerTile: Int
  /// Multiplications of the whole product.
  let work: Int

  /// - Parameters:
  ///   - depth: multiplications behind one output.
  ///   - columns: outputs of one row.
  ///   - rowBytes: what a row of A takes while a tile is worked on.
  ///   - copiesRows: whether every piece first has to gather its rows, which makes splitting columns dear.
  init(
    rows: Int, depth: Int, columns: Int, rowBytes: Int, tileRows: Int, panels: Int, copiesRows: Bool
  ) {
    self.rows = rows
    self.panels = panels
    let fitting = max(Self.tileBytes / max(rowBytes, 1) / tileRows, 1) * tileRows
    work = min(rows, 1 << 20) * min(depth * columns, 1 << 40)
    let pieces = max(1, min(Self.pieces, work / Self.smallestWork))
    let shared = roundUp(ceilDivide(rows, pieces), to: tileRows)
    mostRowsPerTile = min(fitting, roundUp(rows, to: tileRows), Self.maximumRows)
    rowsPerTile = min(shared, mostRowsPerTile)
    let missing = ceilDivide(ceilDivide(pieces, 2), ceilDivide(rows, rowsPerTile))
    let fewest = copiesRows ? 4 : 1
    panelsPerTile = max(min(panels, fewest), ceilDivide(panels, missing))
  }

  private static let tileBytes = 128 << 10
  private static let maximumRows = 448
  private static let pieces = 16
  /// Multiplications of the least piece worth cutting off.
  private static let smallestWork = 1 << 15

  var count: Int { ceilDivide(rows, rowsPerTile) * ceilDivide(panels, panelsPerTile) }

  func piece(_ index: Int) -> (rows: Range<Int>, panels: Range<Int>) {
    let across = ceilDivide(panels, panelsPerTile)
    let row = index / across * rowsPerTile
    let panel = index % across * panelsPerTile
    return (row..<min(row + rowsPerTile, rows), panel..<min(panel + panelsPerTile, panels))
  }
}
