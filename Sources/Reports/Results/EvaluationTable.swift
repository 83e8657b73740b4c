import Analysis
import Diagnostics

/// What `compress evaluate` shows: each class with what it is most often taken for, then the whole.
public struct EvaluationTable {
  private let outcome: EvaluationOutcome

  public init(_ outcome: EvaluationOutcome) { self.outcome = outcome }

  /// Of more classes those of least accuracy are shown.
  private static let mostClasses = 40

  public func rendered(for terminal: Terminal) -> String {
    let classes = outcome.classes.enumerated().filter { $1.samples > 0 || $1.predicted > 0 }
    let shown =
      classes.count <= Self.mostClasses
      ? classes
      : Array(
        classes.sorted { ($0.element.accuracy ?? 1, $0.offset) < ($1.element.accuracy ?? 1, $1.offset) }
          .prefix(Self.mostClasses))
    var table = TextTable([
      TextTable.Column("class", .left, cutTo: 12), TextTable.Column("samples", .right, leftOut: 3),
      TextTable.Column("right", .right, leftOut: 2), TextTable.Column("accuracy", .right),
      TextTable.Column("predicted", .right, leftOut: 1), TextTable.Column("most often taken for", .left),
    ])
    for (place, row) in shown {
      let taken = outcome.confusions.filter { $0.actual == place }.prefix(2)
      table.add([
        TextTable.Cell(row.name, .bold), TextTable.Cell(Formatting.count(row.samples)),
        TextTable.Cell(Formatting.count(row.correct)),
        row.accuracy.map { TextTable.Cell(Formatting.percent($0)) } ?? "–",
        TextTable.Cell(Formatting.count(row.predicted)),
        TextTable.Cell(
          taken.map { "\(outcome.results.name($0.predicted)) \(Formatting.count($0.count))" }.joined(separator: ", ")),
      ])
    }
    var text = table.rendered(for: terminal)
    if shown.count < classes.count {
      text += terminal.styled(
        "the \(shown.count) of \(Formatting.count(classes.count)) classes with the least accuracy\n", .dim)
    }
    text += terminal.wrapped(
      "\naccuracy  \(terminal.styled(Formatting.percent(outcome.accuracy), .bold)) "
        + "(95 %: \(Formatting.percents(outcome.interval))), \(Formatting.count(outcome.correct)) of "
        + "\(Formatting.count(outcome.samples)) samples of \(outcome.data.escapedForTerminal)", indent: 10)
    if outcome.undefined > 0 {
      text += terminal.told(
        "NaN: ", .red, .bold,
        text: "the model answers NaN to \(Formatting.count(outcome.undefined)) samples; they count as wrong")
    }
    return text
  }
}
