import Diagnostics
import Pipeline

/// The comparison as people read it in a terminal: what each variant predicts and weighs beside the first, what it
/// takes, and what is worth knowing about it. The figures, their intervals and their colours are those of the report.
public struct ComparisonTable {
  private let results: ResultsFile

  public init(_ results: ResultsFile) { self.results = results }

  public func rendered(for terminal: Terminal) -> String {
    guard !results.variants.isEmpty else { return "" }
    let quality = quality.rendered(for: terminal) + said(ofQuality, terminal)
    let time = time.rendered(for: terminal) + said(ofTime, terminal)
    let findings = findings(for: terminal)
    return ([quality, time] + (findings.isEmpty ? [] : [findings])).joined(separator: "\n")
  }

  /// What is easily read past, a line each; empty where there is nothing.
  public func findings(for terminal: Terminal) -> String {
    Finding.all(results).map { finding in
      terminal.told("• ", finding.tone == .bad ? .red : .yellow, text: finding.sentence)
    }.joined()
  }

  private func said(_ sentences: [String], _ terminal: Terminal) -> String {
    sentences.map { sentence in
      terminal.wrapped(sentence).split(separator: "\n").map { terminal.styled(String($0), .dim) + "\n" }.joined()
    }.joined()
  }

  /// Accuracy and size.
  private var quality: TextTable {
    // Work differs only where filters were removed; elsewhere the column would say nothing.
    let hasMacs = Set(results.variants.map(\.macs)).count > 1
    let hasUndefined = results.variants.contains { ($0.undefined ?? 0) > 0 }
    let isByAgreement = results.isByAgreement
    let isPacked = results.variants.contains { $0.bytes.packed != nil }
    let columns =
      (isByAgreement ? ["same", "cosine"] : ["accuracy"]) + (hasUndefined ? ["NaN"] : [])
      + (isByAgreement ? [] : ["difference, 95 %", "flips"]) + ["nonzero"]
      + (hasMacs ? ["MACs"] : [])
      + ["file", "gzip", "smaller"] + (isPacked ? ["packed"] : [])
    var table = TextTable(Self.columns(columns, leftOut: ["file", "nonzero", "MACs", "flips", "packed", "smaller"]))
    for variant in results.variants {
      let undefined = variant.undefined ?? 0
      var cells = [TextTable.Cell(variant.name, .bold), TextTable.Cell(Formatting.percent(variant.accuracy))]
      if isByAgreement {
        cells.append(variant.agreement.map { TextTable.Cell(Formatting.cosine($0.cosine), $0.style) } ?? "")
      }
      if hasUndefined { cells.append(undefined > 0 ? TextTable.Cell(Formatting.count(undefined), .red) : "") }
      if !isByAgreement {
        cells.append(
          variant.versusFirst?.inAccuracy.map {
            TextTable.Cell(
              "\(Formatting.points($0.change)) (\(Formatting.points($0.interval)))", Verdict($0.interval).style)
          } ?? "")
        cells.append(
          variant.versusFirst == nil
            ? ""
            : TextTable.Cell(Formatting.percent(Double(variant.flips) / Double(max(results.comparison.evaluated, 1)))))
      }
      cells.append(TextTable.Cell(Formatting.count(variant.left)))
      if hasMacs { cells.append(TextTable.Cell(Formatting.scaled(variant.macs))) }
      let smaller = Double(results.variants[0].bytes.gzip) / Double(max(variant.bytes.gzip, 1))
      cells += [
        TextTable.Cell(Formatting.bytes(variant.bytes.native)), TextTable.Cell(Formatting.bytes(variant.bytes.gzip)),
        variant.versusFirst == nil
          ? "" : TextTable.Cell(Formatting.factor(smaller, digits: 1), Verdict(timesSmaller: smaller).style),
      ]
      if isPacked { cells.append(variant.bytes.packed.map { TextTable.Cell(Formatting.bytes($0)) } ?? "") }
      table.add(cells)
    }
    return table
  }

  /// The name of the variant, which may be cut, and numbers; those named are left out first where there is no room.
  private static func columns(_ titles: [String], leftOut: [String]) -> [TextTable.Column] {
    [TextTable.Column("variant", .left, cutTo: 16)]
      + titles.map { TextTable.Column($0, .right, leftOut: leftOut.firstIndex(of: $0)) }
  }

  /// Time and memory.
  private var time: TextTable {
    let columns = ["median, 95 %", "faster, 95 %", "p99", "slow", "slowest", "memory"]
    var table = TextTable(Self.columns(columns, leftOut: ["slow", "slowest", "p99", "memory"]))
    for variant in results.variants {
      let slow = SlowRuns(variant.timing), interval = variant.intervals?.p50
      table.add([
        TextTable.Cell(variant.name, .bold),
        TextTable.Cell(
          Formatting.duration(variant.timing.p50 / 1e3) + (interval.map { " (\(Formatting.milliseconds($0)))" } ?? "")),
        variant.versusFirst.map { versus in
          let text =
            Formatting.factor(versus.fasterMedian)
            + (versus.fasterMedianInterval.map { " (\(Formatting.factors($0)))" } ?? "")
          return Verdict(timesFaster: versus.fasterMedianInterval).map { TextTable.Cell(text, $0.style) }
            ?? TextTable.Cell(text)
        } ?? "",
        TextTable.Cell(Formatting.duration(variant.timing.p99 / 1e3)), TextTable.Cell(Formatting.count(slow.count)),
        TextTable.Cell(Formatting.duration(slow.slowest / 1e3)),
        TextTable.Cell(Formatting.bytes(variant.timing.peakMemoryBytes)),
      ])
    }
    return table
  }

  private var ofQuality: [String] {
    let setting = results.comparison
    guard !results.isByAgreement else {
      return [
        AgreementText.setting(results).escapedForTerminal, "nonzero counts weights, not biases; smaller after gzip",
      ]
    }
    return [
      "accuracy and flips (changed predictions) over \(Formatting.count(setting.evaluated)) samples of \(setting.data)"
        .escapedForTerminal,
      "difference in percentage points; nonzero counts weights, not biases; smaller after gzip",
    ]
  }

  private var ofTime: [String] {
    let setting = results.comparison
    let threads = "\(setting.threads) \(setting.threads == 1 ? "thread" : "threads")"
    return [
      "of \(Formatting.count(setting.images)) \(setting.order) images one by one, \(threads); slow: more than "
        + "\(Formatting.significant(SlowRuns.factor)) medians; faster in the median",
      TimeText.turns(results),
    ] + (results.device.map { [DeviceText.sentence($0)] } ?? [])
  }
}

/// What is said of measured times, on the terminal and in the report alike.
enum TimeText {
  /// What the intervals of times hold, or why there are none.
  static func turns(_ results: ResultsFile) -> String {
    let turns = results.variants.map(\.timing.turns.count).max() ?? 1
    if results.variants.allSatisfy({ Interval.hasInterval($0.timing) }) {
      return "timed in \(turns) turns, variant by variant; intervals hold how turns differ"
    }
    return
      "timed in \(turns == 1 ? "one turn" : "\(turns) turns"): times have no interval, which takes "
      + "\(Interval.fewestTurns) turns of \(Interval.fewestForMedian) images"
  }
}
