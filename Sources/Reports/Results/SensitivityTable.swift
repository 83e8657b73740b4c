import Analysis
import Pipeline

/// A scan of sensitivity: one row a part of the network, one column a share, the score where they meet.
public struct SensitivityTable {
  private let sensitivity: Sensitivity

  public init(_ sensitivity: Sensitivity) { self.sensitivity = sensitivity }

  public func rendered(for terminal: Terminal) -> String {
    let shares = sensitivity.shares.map { ("-\(Formatting.significant($0 * 100)) %", TextTable.Alignment.right) }
    var table = TextTable([("pruned alone", .left)] + shares + [("importance", .right)])
    let unit = ScoreUnit(sensitivity.measure)
    for part in sensitivity.parts {
      let scores = part.scores.map { score in
        // As strong as the report's colours: by the share of the score that is lost, in tenths.
        let tenths = Tenths(lost: sensitivity.baseline - score, of: sensitivity.baseline)
        let text = unit.text(score)
        return tenths.count == 0
          ? TextTable.Cell(text) : TextTable.Cell(text, tenths.count < 5 ? .yellow : .red)
      }
      let importance = TextTable.Cell(unit.loss(sensitivity.importance(of: part)))
      table.add([TextTable.Cell(Self.name(part), .bold)] + scores + [importance])
    }
    let measured = unit == .accuracy ? "accuracy" : "cosine with the original's outputs"
    return table.rendered(for: terminal)
      + terminal.wrapped(
        terminal.styled(
          "\(measured) with so much of one part gone; \(unit.text(sensitivity.baseline)) with nothing gone; "
            + "importance: \(unit == .accuracy ? "points" : "what is") lost in the mean", .dim))
  }

  /// `conv1`, `conv1+conv2`, `conv1 and 5 more`.
  static func name(_ part: Sensitivity.Part) -> String {
    part.layers.count < 3 ? part.name : "\(part.layers[0]) and \(part.layers.count - 1) more"
  }
}
