import Foundation
import Pipeline

/// The comparison as people read it in a terminal: one row a variant, each beside the first.
public struct ComparisonTable {
  private let result: ComparisonOutcome

  public init(_ result: ComparisonOutcome) { self.result = result }

  public func rendered(for terminal: Terminal) -> String {
    // Work differs only where filters were removed; elsewhere the column would say nothing.
    let hasMacs = Set(result.variants.map(\.macs)).count > 1
    let columns =
      ["accuracy", "±", "flips", "nonzero"] + (hasMacs ? ["MACs"] : [])
      + ["file", "gzip", "smaller", "mean", "p50", "p99", "faster", "memory"]
    var table = TextTable([("variant", .left)] + columns.map { ($0, .right) })
    guard let first = result.variants.first else { return "" }
    for variant in result.variants {
      let isFirst = variant.name == first.name
      let points = (variant.accuracy - first.accuracy) * 100
      let smaller = Double(first.gzipBytes) / Double(max(variant.gzipBytes, 1))
      let faster = first.latency.mean / max(variant.latency.mean, 1e-9)
      let work = hasMacs ? [TextTable.Cell(Formatting.scaled(variant.macs))] : []
      let quality = [
        TextTable.Cell(variant.name, .bold),
        TextTable.Cell(Formatting.percent(variant.accuracy)),
        isFirst ? "" : TextTable.Cell(String(format: "%+.2f", points), Self.verdict(points, good: 0, bad: -0.5)),
        isFirst ? "" : TextTable.Cell(Formatting.percent(Double(variant.flips) / Double(max(result.evaluated, 1)))),
        TextTable.Cell(Formatting.count(variant.nonzero)),
      ]
      let cost = [
        TextTable.Cell(Formatting.bytes(variant.nativeBytes)),
        TextTable.Cell(Formatting.bytes(variant.gzipBytes)),
        isFirst ? "" : TextTable.Cell(String(format: "%.1f×", smaller), Self.verdict(smaller, good: 1, bad: 1)),
        TextTable.Cell(Formatting.duration(variant.latency.mean / 1e3)),
        TextTable.Cell(Formatting.duration(variant.latency.p50 / 1e3)),
        TextTable.Cell(Formatting.duration(variant.latency.p99 / 1e3)),
        isFirst ? "" : TextTable.Cell(String(format: "%.2f×", faster), Self.verdict(faster, good: 1.02, bad: 0.98)),
        TextTable.Cell(Formatting.bytes(variant.peakMemoryBytes)),
      ]
      table.add(quality + work + cost)
    }
    let threads = "\(result.threads) \(result.threads == 1 ? "thread" : "threads")"
    let how = """
      accuracy and flips (changed predictions) over \(Formatting.count(result.evaluated)) images of \(result.data)
      latency of \(Formatting.count(result.images)) \(result.order == .first ? "first" : "random") images one by one, \(threads); smaller after gzip, faster in the mean

      """
    return table.rendered(for: terminal)
      + how.split(separator: "\n").map { terminal.styled(String($0), .dim) + "\n" }.joined()
  }

  private static func verdict(_ value: Double, good: Double, bad: Double) -> Terminal.Style {
    value > good ? .green : value < bad ? .red : .dim
  }
}
