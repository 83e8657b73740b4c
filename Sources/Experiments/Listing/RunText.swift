import Diagnostics
import Foundation
import Reports
import Runs

/// Runs as people read them in a terminal.
public enum RunText {
  /// A table of rows, the names of params written once where all rows have them.
  public static func list(_ rows: [RunRow], for terminal: Terminal, now: Date = Date()) -> String {
    let areNamed = rows.contains { $0.name != nil }, areTagged = rows.contains { !$0.tags.isEmpty }
    let measures = measures(of: rows.compactMap(\.variant))
    var table = TextTable(
      [
        TextTable.Column("run", .right), TextTable.Column("when", .left, leftOut: 6),
      ] + (areNamed ? [TextTable.Column("name", .left, cutTo: 12)] : []) + [
        TextTable.Column("script", .left, cutTo: 12), TextTable.Column("seed", .right, leftOut: 1),
        TextTable.Column("params", .left, leftOut: 4, cutTo: 16), TextTable.Column("variant", .left, cutTo: 12),
      ] + measures.map { TextTable.Column($0.title, .right) } + [
        TextTable.Column("gzip", .right, leftOut: 5), TextTable.Column("p50", .right, leftOut: 7),
        TextTable.Column("took", .right, leftOut: 2),
      ] + (areTagged ? [TextTable.Column("tags", .left, leftOut: 3, cutTo: 8)] : []) + [TextTable.Column("", .left)])
    for row in rows {
      table.add(
        [
          TextTable.Cell("\(row.id)", .bold), TextTable.Cell(age(row.started, now), .dim),
        ] + (areNamed ? [TextTable.Cell(row.name ?? "", .bold)] : []) + [
          TextTable.Cell(row.script.split(separator: "/").last.map(String.init) ?? row.script),
          TextTable.Cell(String(row.seed), .dim), TextTable.Cell(params(row.params)),
          TextTable.Cell(row.variant?.name ?? ""),
        ] + measures.map { TextTable.Cell(value(row.variant, $0), .bold) } + [
          TextTable.Cell(value(row.variant, .gzipBytes)), TextTable.Cell(value(row.variant, .p50)),
          TextTable.Cell(Formatting.duration(row.seconds), .dim),
        ] + (areTagged ? [TextTable.Cell(row.tags.joined(separator: " "), .cyan)] : []) + [
          status(row.status, row.sweep)
        ])
    }
    return table.rendered(for: terminal)
  }

  private static func status(_ status: RunRecord.Status, _ sweep: Int64?) -> TextTable.Cell {
    switch status {
    case .done: TextTable.Cell(sweep.map { "sweep \($0)" } ?? "", .dim)
    case .failed: TextTable.Cell("failed", .red)
    case .stopped: TextTable.Cell("stopped", .yellow)
    }
  }

  /// By what variants were judged, a column each: accuracy and what takes its place without labels are never the same.
  static func measures(of variants: [RunRecord.Variant]) -> [Metric] {
    let measures = Set(variants.map(\.measure))
    return measures.isEmpty ? [.accuracy] : [.accuracy, .agreement].filter(measures.contains)
  }

  static func params(_ params: [String: ParamValue]) -> String {
    params.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }.joined(separator: " ")
  }

  static func value(_ variant: RunRecord.Variant?, _ metric: Metric) -> String {
    variant?[metric].map { metric.text($0) } ?? "–"
  }

  static func age(_ date: Date, _ now: Date) -> String {
    let seconds = now.timeIntervalSince(date)
    switch seconds {
    case ..<60: return "just now"
    case ..<3600: return "\(Int(saturating: seconds / 60)) min ago"
    case ..<172_800: return "\(Int(saturating: seconds / 3600)) h ago"
    default: return String(time(date).prefix(10))
    }
  }

  /// Characters of one fact.
  private static let longest = 4000

  /// ISO 8601; a date outside the years 1 to 9999 as the nearest one inside.
  static func time(_ date: Date) -> String {
    let (first, last) = (Date(timeIntervalSince1970: -62_135_596_800), Date(timeIntervalSince1970: 253_402_300_799))
    return (date > first ? min(date, last) : first).formatted(.iso8601)
  }

  /// Everything about one run.
  public static func details(_ stored: StoredRun, for terminal: Terminal) -> String {
    let run = stored.record
    var facts: [(String, String)] = [
      ("run", "\(stored.id), \(run.uid)"), ("script", run.script), ("SHA-256", run.scriptDigest ?? "–"),
      ("status", run.status.rawValue), ("started", time(run.started)),
      ("took", Formatting.duration(run.seconds)), ("seed", String(run.seed)), ("threads", String(run.threads)),
      ("machine", "\(run.environment.cpu), \(run.environment.cores) cores, \(run.environment.isa)"),
      ("system", run.environment.system), ("program", "\(run.environment.program), Lua \(run.environment.lua)"),
      ("command", ShellText.line(run.command)),
    ]
    if let labels = run.labels {
      if let name = labels.name { facts.insert(("name", name), at: 1) }
      if !labels.tags.isEmpty { facts.append(("tags", labels.tags.joined(separator: ", "))) }
      if let note = labels.note { facts.append(("note", note)) }
    }
    if let sweep = stored.sweep { facts.append(("sweep", "\(sweep), point \(stored.point ?? 0)")) }
    if let folder = run.folder { facts.append(("folder", folder)) }
    for (name, value) in run.params.sorted(by: { $0.key < $1.key }) { facts.append((name, value.text)) }
    facts = facts.map { ($0.escapedForTerminal.shortened(to: 60), $1) }
    let width = facts.map(\.0.count).max() ?? 0
    var text = ""
    for (name, value) in facts {
      let space = String(repeating: " ", count: width - name.count) + "  "
      text +=
        terminal.styled(name, .dim) + space
        + terminal.wrapped(
          value.escapedForTerminal.shortened(to: longest), indent: width + 2, lead: width + 2,
          // As a shell takes it.
          ending: name == "command" ? " \\" : "")
    }
    if let error = run.error {
      text += terminal.told("error  ", .red, text: error.escapedBlock.shortened(to: longest))
    }
    if !run.variants.isEmpty {
      let metrics = Metric.allCases.filter { metric in
        !metric.isShare || measures(of: run.variants).contains(metric)
      }
      var table = TextTable([("variant", .left)] + metrics.map { ($0.title, .right) })
      for variant in run.variants {
        table.add([TextTable.Cell(variant.name, .bold)] + metrics.map { TextTable.Cell(value(variant, $0)) })
      }
      text += "\n" + table.rendered(for: terminal)
    }
    if !run.stages.isEmpty {
      var table = TextTable([
        TextTable.Column("stage", .left), TextTable.Column("", .left, cutTo: 24),
        TextTable.Column("key", .left, leftOut: 1), TextTable.Column("took", .right), TextTable.Column("", .left),
      ])
      for stage in run.stages {
        table.add([
          TextTable.Cell(stage.kind), TextTable.Cell(stage.label, .bold),
          TextTable.Cell(String(stage.key.prefix(12)), .dim), TextTable.Cell(Formatting.duration(stage.seconds)),
          stage.isComputed ? TextTable.Cell("computed") : TextTable.Cell("from the store", .dim),
        ])
      }
      text += "\n" + table.rendered(for: terminal)
    }
    if !run.plugins.isEmpty {
      var table = TextTable([("plugin", .left), ("SHA-256", .left)])
      for (name, digest) in run.plugins.sorted(by: { $0.key < $1.key }) {
        table.add([TextTable.Cell(name, .bold), TextTable.Cell(String(digest.prefix(12)), .dim)])
      }
      text += "\n" + table.rendered(for: terminal)
    }
    if !run.artifacts.isEmpty {
      var table = TextTable([("file", .left), ("size", .right), ("SHA-256", .left)])
      for artifact in run.artifacts {
        table.add([
          TextTable.Cell(artifact.path, .bold), TextTable.Cell(Formatting.bytes(artifact.bytes)),
          TextTable.Cell(String(artifact.sha256.prefix(12)), .dim),
        ])
      }
      text += "\n" + table.rendered(for: terminal)
    }
    return text
  }
}

extension Metric {
  /// The heading of its column.
  public var title: String {
    switch self {
    case .nativeBytes: "file"
    case .gzipBytes: "gzip"
    case .macs: "MACs"
    case .mean: "mean"
    case .p50: "p50"
    case .p90: "p90"
    case .p99: "p99"
    case .memory: "memory"
    default: rawValue
    }
  }

  /// A value as people read it.
  public func text(_ value: Double) -> String {
    switch self {
    case .accuracy, .agreement: Formatting.percent(value)
    case .flips, .parameters, .nonzero: Formatting.count(value)
    case .macs: Formatting.scaled(value)
    case .nativeBytes, .gzipBytes, .memory: Formatting.bytes(value)
    case .mean, .p50, .p90, .p99: Formatting.duration(value / 1e3)
    }
  }
}
