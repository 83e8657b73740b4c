import Diagnostics

/// A table in aligned columns: names to the left, numbers to the right.
///
///     variant    accuracy     size
///     ────────────────────────────
///     baseline     94.6 %  82.1 kB
///
/// On a terminal that is too narrow for all columns, texts in the last one are broken into lines, if there is room
/// enough for them; otherwise it comes in several tables, each with the first column.
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
    let limit = terminal.isInteractive ? terminal.width : .max, others = widths.dropLast().reduce(0) { $0 + $1 + 2 }
    guard let last = widths.last, columns.last?.alignment == .left, columns.count > 1, others + last > limit,
      limit - others >= Self.leastText
    else { return parts(widths, within: limit).map { rendered($0, widths, for: terminal) }.joined(separator: "\n") }
    var broken = self
    broken.rows = rows.flatMap { row -> [[Cell]?] in
      guard let row, let text = row.last else { return [nil] }
      let blank = [Cell](repeating: "", count: columns.count - 1)
      return Self.lines(text.text, within: limit - others).enumerated().map { index, line in
        var cell = text
        cell.text = line
        return (index == 0 ? Array(row.dropLast()) : blank) + [cell]
      }
    }
    return broken.rendered(Array(columns.indices), widths.dropLast() + [limit - others], for: terminal)
  }

  /// Columns that a broken text needs at least.
  private static let leastText = 24

  private static func lines(_ text: String, within limit: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + 1 + word.count > limit { lines.append("") }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines
  }

  /// The columns of each table: as many as fit, the first in all of them.
  private func parts(_ widths: [Int], within limit: Int) -> [[Int]] {
    var parts: [[Int]] = [[0]], width = widths.first ?? 0
    for column in columns.indices.dropFirst() {
      if width + 2 + widths[column] > limit, parts[parts.count - 1].count > 1 {
        parts.append([0])
        width = widths[0]
      }
      parts[parts.count - 1].append(column)
      width += 2 + widths[column]
    }
    return columns.isEmpty ? [] : parts
  }

  private func rendered(_ shown: [Int], _ widths: [Int], for terminal: Terminal) -> String {
    let width = shown.reduce(2 * (shown.count - 1)) { $0 + widths[$1] }
    let rule = terminal.styled(String(repeating: "─", count: width), .dim)
    func line(_ cells: [Cell]) -> String {
      let texts = shown.map { column in
        let cell = cells[column], space = String(repeating: " ", count: max(0, widths[column] - cell.text.count))
        var text = cell.text
        for style in cell.styles { text = terminal.styled(text, style) }
        return columns[column].alignment == .right ? space + text : column == shown.last ? text : text + space
      }
      return texts.joined(separator: "  ") + "\n"
    }
    var out = line(columns.map(\.title)) + rule + "\n"
    for row in rows { out += row.map(line) ?? rule + "\n" }
    return out
  }
}
