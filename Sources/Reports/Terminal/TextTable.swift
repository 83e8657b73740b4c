import Diagnostics

/// A table in aligned columns: names to the left, numbers to the right.
///
///     variant    accuracy     size
///     ────────────────────────────
///     baseline     94.6 %  82.1 kB
///
/// On a terminal that is too narrow, texts in the last column are broken into lines, columns that may be narrower are cut,
/// and columns that matter least are left out, which is said below the table. What is still too wide comes in several
/// tables, each with the first column.
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

  public struct Column {
    fileprivate let title: Cell
    fileprivate let alignment: Alignment
    fileprivate let leftOut: Int?
    fileprivate let cutTo: Int?

    /// - Parameters:
    ///   - leftOut: which columns are left out first where the terminal is too narrow: 1 before 2; nil: never.
    ///   - cutTo: characters that its texts may be cut to; nil: they are never cut.
    public init(_ title: String, _ alignment: Alignment, leftOut: Int? = nil, cutTo: Int? = nil) {
      self.title = Cell(title, .bold)
      self.alignment = alignment
      self.leftOut = leftOut
      self.cutTo = cutTo
    }
  }

  private let columns: [Column]
  private var rows: [[Cell]?] = []

  public init(_ columns: [Column]) { self.columns = columns }

  public init(_ columns: [(title: String, alignment: Alignment)]) {
    self.columns = columns.map { Column($0.title, $0.alignment) }
  }

  /// - Precondition: one cell a column.
  public mutating func add(_ cells: [Cell]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells)
  }

  /// A line across.
  public mutating func addRule() { rows.append(nil) }

  public func rendered(for terminal: Terminal) -> String {
    let natural = columns.indices.map { column in
      rows.compactMap { $0?[column].text.count }.reduce(columns[column].title.text.count, max)
    }
    guard terminal.isInteractive, total(natural, Array(columns.indices)) > terminal.width else {
      return columns.isEmpty ? "" : rendered(Array(columns.indices), natural, for: terminal)
    }
    let limit = terminal.width, least = columns.indices.map { leastWidth($0, natural[$0]) }
    var shown = Array(columns.indices), leftOut: [Int] = []
    while total(least, shown) > limit,
      let column = shown.filter({ columns[$0].leftOut != nil }).min(by: { columns[$0].leftOut! < columns[$1].leftOut! })
    {
      shown.removeAll { $0 == column }
      leftOut.append(column)
    }
    var widths = least, room = max(0, limit - total(least, shown))
    for column in shown {
      widths[column] += min(room, natural[column] - least[column])
      room -= widths[column] - least[column]
    }
    let text = parts(shown, widths, within: limit).map { part in
      // What is left of each table's lines goes to those of its texts that had to be narrower.
      var widths = widths, room = max(0, limit - total(widths, part))
      for column in part {
        let more = min(room, natural[column] - widths[column])
        widths[column] += more
        room -= more
      }
      var fitted = self
      fitted.rows = rows.flatMap { row -> [[Cell]?] in
        guard let row else { return [nil] }
        return Self.fitted(row, widths, last: part.contains(columns.count - 1) ? columns.count - 1 : columns.count)
      }
      return fitted.rendered(part, widths, for: terminal)
    }
    let names = leftOut.sorted().map { columns[$0].title.text }.filter { !$0.isEmpty }
    guard !names.isEmpty else { return text.joined(separator: "\n") }
    return text.joined(separator: "\n")
      + terminal.styled("no room in \(limit) columns for: \(names.joined(separator: ", "))", .dim) + "\n"
  }

  private func total(_ widths: [Int], _ shown: [Int]) -> Int { shown.reduce(2 * (shown.count - 1)) { $0 + widths[$1] } }

  /// Columns that a broken text needs at least.
  private static let leastText = 24

  private func leastWidth(_ column: Int, _ natural: Int) -> Int {
    let breaks = column == columns.count - 1 && columns.count > 1 && columns[column].alignment == .left
    guard let least = columns[column].cutTo ?? (breaks ? Self.leastText : nil) else { return natural }
    return min(natural, max(least, columns[column].title.text.count))
  }

  /// The row with its last text broken into lines, and other texts cut.
  ///
  /// - Parameter last: the column that is broken; none when there is no such column.
  private static func fitted(_ row: [Cell], _ widths: [Int], last: Int) -> [[Cell]] {
    let cut = row.enumerated().map { column, cell in
      guard column < last, cell.text.count > widths[column] else { return cell }
      var shorter = cell
      shorter.text = cell.text.prefix(max(0, widths[column] - 1)) + "…"
      return shorter
    }
    guard last < cut.count, cut[last].text.count > widths[last] else { return [cut] }
    return lines(cut[last].text, within: widths[last]).enumerated().map { index, line in
      var text = cut[last]
      text.text = line
      return (index == 0 ? cut.dropLast() : [Cell](repeating: "", count: last)) + [text]
    }
  }

  private static func lines(_ text: String, within limit: Int) -> [String] {
    var lines = [""]
    for word in text.words where !word.isEmpty {
      if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + 1 + word.count > limit { lines.append("") }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines
  }

  /// The columns of each table: as many as fit, the first in all of them.
  private func parts(_ shown: [Int], _ widths: [Int], within limit: Int) -> [[Int]] {
    guard let first = shown.first else { return [] }
    var parts = [[first]], width = widths[first]
    for column in shown.dropFirst() {
      if width + 2 + widths[column] > limit, parts[parts.count - 1].count > 1 {
        parts.append([first])
        width = widths[first]
      }
      parts[parts.count - 1].append(column)
      width += 2 + widths[column]
    }
    return parts
  }

  private func rendered(_ shown: [Int], _ widths: [Int], for terminal: Terminal) -> String {
    let rule = terminal.styled(String(repeating: "─", count: total(widths, shown)), .dim)
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
