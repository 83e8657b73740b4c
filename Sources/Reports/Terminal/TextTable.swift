import Diagnostics

/// A table in aligned columns: names to the left, numbers to the right.
///
///     variant    accuracy     size
///     ────────────────────────────
///     baseline     94.6 %  82.1 kB
public struct TextTable {
  public enum Alignment: Sendable { case left, right }

  public struct Cell: ExpressibleByStringInterpolation {
    public var text: String
    public var styles: [Terminal.Style]

    /// Characters; one long name must not push all other columns out of sight.
    private static let longest = 300

    /// - Parameter text: from anywhere: it stays in its row, see `escapedForTerminal`.
    public init(_ text: String, _ styles: Terminal.Style...) {
      self.text = text.escapedForTerminal.shortened(to: Self.longest)
      self.styles = styles
    }
    public init(stringLiteral value: String) { self.init(value) }
  }

  private let columns: [(title: Cell, alignment: Alignment)]
  private var rows: [[Cell]?] = []

  public init(_ columns: [(title: String, alignment: Alignment)]) {
    self.columns = columns.map { (Cell($0.title, .bold), $0.alignment) }
  }

  /// - Precondition: one cell a column.
  public mutating func add(_ cells: [Cell]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells)
  }

  /// A line across.
  public mutating func addRule() { rows.append(nil) }

  public func rendered(for terminal: Terminal) -> String {
    let widths = columns.indices.map { column in
      rows.compactMap { $0?[column].text.count }.reduce(columns[column].title.text.count, max)
    }
    let rule = terminal.styled(String(repeating: "─", count: widths.reduce(0, +) + 2 * (widths.count - 1)), .dim)
    func line(_ cells: [Cell]) -> String {
      var parts: [String] = []
      for (column, cell) in cells.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.text.count)
        var text = cell.text
        for style in cell.styles { text = terminal.styled(text, style) }
        let isLast = column == cells.count - 1
        parts.append(columns[column].alignment == .right ? space + text : isLast ? text : text + space)
      }
      return parts.joined(separator: "  ") + "\n"
    }
    var out = line(columns.map(\.title)) + rule + "\n"
    for row in rows { out += row.map(line) ?? rule + "\n" }
    return out
  }
}
