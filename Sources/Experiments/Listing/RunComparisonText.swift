import Runs
import Reports

/// Runs beside each other: what was different about them, and what came of it.
public struct RunComparisonText {
  private let runs: [StoredRun]

  public init(_ runs: [StoredRun]) { self.runs = runs }

  public func rendered(for terminal: Terminal) -> String {
    var table = TextTable([("", .left)] + runs.map { ("\($0.id)", .right) })
    for (name, values) in differences {
      table.add([TextTable.Cell(name)] + values.map { TextTable.Cell($0) })
    }
    var names: [String] = []
    for run in runs {
      for variant in run.record.variants where !names.contains(variant.name) { names.append(variant.name) }
    }
    for name in names {
      table.addRule()
      let variants = runs.map { run in run.record.variants.first { $0.name == name } }
      table.add([TextTable.Cell(name, .bold)] + runs.map { _ in "" })
      for metric in Metric.allCases {
        let values = variants.map { $0?[metric] }
        // Counts that all agree on say nothing here.
        let says = metric.isShare ? values.contains(where: { $0 != nil }) : Set(values).count > 1
        guard says else { continue }
        table.add([TextTable.Cell(metric.title)] + values.map { TextTable.Cell(cell($0, values[0], metric)) })
      }
    }
    return table.rendered(for: terminal)
  }

  private func cell(_ value: Double?, _ first: Double?, _ metric: Metric) -> String {
    guard let value else { return "–" }
    guard let first, value != first else { return metric.text(value) }
    let change = metric.isShare ? Formatting.points(value - first) : Self.percent(value / first - 1)
    return "\(metric.text(value)) (\(change))"
  }

  private static func percent(_ share: Double) -> String {
    share.isFinite ? (share > 0 ? "+" : "−") + Formatting.percent(abs(share), digits: 1) : "n/a"
  }

  /// What the runs do not have in common, apart from results; when nothing: the script.
  private var differences: [(String, [String])] {
    let records = runs.map(\.record)
    var rows: [(String, [String])] = [
      ("script", records.map(\.script)),
      ("script's SHA-256", records.map { String(($0.scriptDigest ?? "–").prefix(12)) }),
      ("status", records.map(\.status.rawValue)), ("seed", records.map { String($0.seed) }),
      ("threads", records.map { String($0.threads) }), ("processor", records.map(\.environment.cpu)),
      ("cores", records.map { String($0.environment.cores) }), ("instruction set", records.map(\.environment.isa)),
      ("system", records.map(\.environment.system)), ("program", records.map(\.environment.program)),
      ("Lua", records.map(\.environment.lua)),
    ]
    for name in Set(records.flatMap(\.params.keys)).sorted() {
      rows.append((name, records.map { $0.params[name]?.text ?? "–" }))
    }
    for name in Set(records.flatMap(\.plugins.keys)).sorted() {
      rows.append(("plugin \(name)", records.map { $0.plugins[name].map { String($0.prefix(12)) } ?? "–" }))
    }
    let different = rows.filter { Set($0.1).count > 1 }
    return different.isEmpty ? [rows[0]] : different
  }
}
