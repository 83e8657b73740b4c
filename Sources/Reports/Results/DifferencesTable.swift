import Analysis
import Pipeline

/// What `compress compare A B` shows: changed predictions, each layer's error, the samples that are furthest off.
public struct DifferencesTable {
  private let found: Differences

  public init(_ found: Differences) { self.found = found }

  public func rendered(for terminal: Terminal) -> String {
    var out = ""
    if !found.layers.isEmpty { out += layers.rendered(for: terminal) + scaled(for: terminal) + "\n" }
    if !found.worst.isEmpty { out += worst.rendered(for: terminal) + "\n" }
    if let correct = found.correct {
      let shares = correct.map { Double($0) / Double(found.count) }
      let change = Interval.pairedDifference(gained: found.gained, lost: found.lost, of: found.count)
      out += "accuracy  \(Formatting.percent(shares[0])) and \(Formatting.percent(shares[1])): "
      out += "\(Formatting.points(shares[1] - shares[0])) points (95 %: \(Formatting.points(change)))\n"
    }
    if let outputs = found.outputs { out += Self.outputs(outputs, found.count).rendered(for: terminal) + "\n" }
    let flips = Interval.wilson(found.flips, of: found.count)
    return out
      + terminal.wrapped(
        "flips     \(Formatting.count(found.flips)) of \(Formatting.count(found.count)) predictions, "
          + "\(Formatting.percent(Double(found.flips) / Double(found.count))) (95 %: \(Formatting.percents(flips))); "
          + (found.correct == nil
            ? "the greatest element of the first output is at another place"
            : "\(found.gained) became right, \(found.lost) wrong"), indent: 10)
  }

  /// What is to be known of layers that are not the same numbers, though the same function.
  private func scaled(for terminal: Terminal) -> String {
    guard !found.scaled.isEmpty else { return "" }
    let names = found.scaled.prefix(8).joined(separator: ", ")
    let more = found.scaled.count > 8 ? " and \(found.scaled.count - 8) more" : ""
    return terminal.wrapped(
      "scaled by equalization: \(names)\(more); compared with the first model's scaled alike, which answers the same"
        .escapedForTerminal)
  }

  private static func outputs(_ outputs: [Agreement.Output], _ count: Int) -> TextTable {
    var table = TextTable([
      ("output", .left), ("SQNR", .right), ("largest error", .right), ("cosine", .right), ("same place", .right),
    ])
    for output in outputs {
      table.add([
        TextTable.Cell(output.name, .bold), TextTable.Cell(decibels(output.error)),
        TextTable.Cell(Formatting.significant(output.error.maximum)), TextTable.Cell(cosine(output.error)),
        TextTable.Cell(Formatting.percent(Double(output.same) / Double(count))),
      ])
    }
    return table
  }

  private var layers: TextTable {
    var table = TextTable([
      ("output of", .left), ("SQNR", .right), ("largest error", .right), ("cosine", .right), ("SQNR alone", .right),
      ("cosine alone", .right),
    ])
    // What does most harm by itself is set off.
    let harm = found.layers.compactMap { $0.alone?.decibels }.min()
    for layer in found.layers {
      let isWorst = layer.alone?.decibels != nil && layer.alone?.decibels == harm
      func cell(_ text: String) -> TextTable.Cell { isWorst ? TextTable.Cell(text, .yellow) : TextTable.Cell(text) }
      table.add([
        TextTable.Cell(layer.name, .bold), cell(Self.decibels(layer.cumulative)),
        cell(Formatting.significant(layer.cumulative.maximum)), cell(Self.cosine(layer.cumulative)),
        cell(layer.alone.map(Self.decibels) ?? ""), cell(layer.alone.map(Self.cosine) ?? ""),
      ])
    }
    return table
  }

  private var worst: TextTable {
    var table = TextTable([
      ("furthest off", .right), ("class", .right), ("first says", .right), ("second says", .right),
      ("distance", .right),
    ])
    for sample in found.worst {
      // Classes count from 1, as samples do, and as scripts see both.
      let classes = sample.predictions.map { $0 + 1 }
      table.add([
        "sample \(sample.index + 1)", TextTable.Cell(sample.label.map { "\($0 + 1)" } ?? "–"), "\(classes[0])",
        classes[0] == classes[1] ? "\(classes[1])" : TextTable.Cell("\(classes[1])", .yellow),
        TextTable.Cell(Formatting.percent(sample.distance)),
      ])
    }
    return table
  }

  private static func decibels(_ error: Differences.Error) -> String {
    error.decibels.map { $0.tenths + " dB" } ?? "same"
  }

  private static func cosine(_ error: Differences.Error) -> String { error.cosine.digits(6) }
}
