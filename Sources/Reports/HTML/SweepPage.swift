import Diagnostics

/// What the sweep's template shows: formatted text, nothing left to decide.
struct SweepPage {
  let title: String
  let headline: String
  let lead: String
  let tiles: [Tile]
  let axes: [String]
  let hasMacs: Bool
  let hasSeeds: Bool
  let settings: [Setting]
  let rows: [Row]
  let omitted: String
  let failures: [Failure]
  let hasFailures: Bool
  let hasResults: Bool
  /// What the shares are called, within a sentence and at its beginning.
  let measure, measureTitle: String
  let setting: String
  let note: String

  let hasCharts: Bool
  let chartPackage = ChartLibrary.package
  let frame: PageFrame

  struct Tile {
    let caption: String
    let number: String
    let before: String
  }

  struct Cell {
    let axis: String
    let value: String
  }

  struct Row {
    let number: String
    let hasLink: Bool
    let link: String
    let cells: [Cell]
    let seed: String
    let series: String
    let name: String
    let accuracy: String
    let gzip: String
    let macs: String
    let nonzero: String
    let median: String
    let tone: String
    let mark: String
  }

  /// A setting over its seeds.
  struct Setting {
    let cells: [Cell]
    let series: String
    let name: String
    let seeds: String
    let accuracy: String
    let range: String
    let gzip: String
    let macs: String
    let median: String
    let tone: String
    let mark: String
  }

  struct Failure {
    let number: String
    let values: String
    let error: String
  }

  /// More would take a browser too long; the table beside the page has them all.
  private static let mostRows = 2000

  init(_ results: SweepResults, charts: ChartLibrary?) throws {
    let chartData = SweepChartData(results)
    let entries = results.points.flatMap { point in point.variants.map { (point: point, variant: $0) } }
    let file = results.script.split(separator: "/").last.map(String.init) ?? results.script
    title = ReportPage.shown(file)
    axes = results.axes.map(ReportPage.shown)
    hasMacs = Set(entries.map(\.variant.macs)).count > 1
    hasResults = !entries.isEmpty
    measure = results.measure
    measureTitle = measure.prefix(1).uppercased() + measure.dropFirst()

    let front = ParetoFront.indices(entries.map { ($0.variant.accuracy, Double($0.variant.gzipBytes)) })
    let best = front.first.map { entries[$0] }
    let near = front.last { entries[$0].variant.accuracy >= (best?.variant.accuracy ?? 1) - 0.005 }.map { entries[$0] }
    let done = results.points.count { $0.error == nil }
    let overSeeds = OverSeeds.all(results)
    let firm = ParetoFront.indices(overSeeds.map { ($0.accuracy, $0.gzipBytes) })
    // Of single points the luckiest seed would lead.
    headline = ReportPage.unbroken(
      firm.isEmpty
      ? Self.headline(front.map { (entries[$0].variant.accuracy, entries[$0].variant.gzipBytes) })
      : Self.headline(firm.map { (overSeeds[$0].accuracy, Int(saturating: overSeeds[$0].gzipBytes.rounded())) })
        + ", means over seeds")
    lead =
      "\(done) of \(results.total) points of \(title), \(Self.counted(entries.count, "model")) compared; "
      + "\(Self.counted(front.count, "model")) that no other beats in \(measure) and size at once."
    tiles = Self.tiles(results, entries, best, near)

    let variants = chartData.variants
    func series(_ name: String) -> String { "s\(ChartData.color(variants.firstIndex(of: name) ?? 0))" }
    func cells(_ values: [ParamValue?]) -> [Cell] {
      zip(results.axes, values).map { Cell(axis: ReportPage.shown($0), value: ReportPage.shown($1?.text ?? "–")) }
    }
    let leading = Set(firm)
    hasSeeds = !overSeeds.isEmpty
    settings = overSeeds.prefix(Self.mostRows).enumerated().map { index, setting in
      let name = ReportPage.shown(setting.variant)
      return Setting(
        cells: cells(setting.values), series: series(name), name: name, seeds: String(setting.seeds),
        accuracy: setting.accuracyText,
        range: setting.seeds > 1
          ? "\(Formatting.percent(setting.range.lowerBound)) to \(Formatting.percent(setting.range.upperBound))" : "–",
        gzip: Formatting.bytes(setting.gzipBytes.rounded()), macs: Formatting.scaled(setting.macs.rounded()),
        median: Formatting.duration(setting.median / 1e3), tone: leading.contains(index) ? "front" : "",
        mark: leading.contains(index) ? "●" : "")
    }

    let marked = Set(front)
    rows = entries.prefix(Self.mostRows).enumerated().map { index, entry in
      Row(
        number: String(entry.point.number), hasLink: entry.point.report != nil, link: entry.point.report ?? "",
        cells: cells(entry.point.values), seed: String(entry.point.seed),
        series: series(ReportPage.shown(entry.variant.name)), name: ReportPage.shown(entry.variant.name),
        accuracy: Formatting.percent(entry.variant.accuracy), gzip: Formatting.bytes(entry.variant.gzipBytes),
        macs: Formatting.scaled(entry.variant.macs), nonzero: Formatting.count(entry.variant.nonzero),
        median: Formatting.duration(entry.variant.median / 1e3), tone: marked.contains(index) ? "front" : "",
        mark: marked.contains(index) ? "●" : "")
    }
    omitted =
      entries.count > Self.mostRows
      ? "The first \(Formatting.count(Self.mostRows)) of \(Formatting.count(entries.count)) rows; table.csv has them all."
      : ""
    failures = results.points.compactMap { point in
      point.error.map {
        Failure(
          number: String(point.number), values: SweepChartData.label(point, results.axes),
          error: ReportPage.shown($0))
      }
    }
    hasFailures = !failures.isEmpty
    setting =
      "\(ReportPage.shown(results.machine.cpu)), \(Self.counted(results.machine.cores, "core")), "
      + "\(ReportPage.shown(results.machine.isa)); each point with \(Self.counted(results.threads, "thread")). Latency is "
      + "measured while no other point of the sweep computes\(Self.turns(results))."
    note =
      chartData.lowest.map {
        "\(Self.counted(chartData.hidden, "model")) below \(Formatting.percent($0 / 100, digits: 0)) not drawn here."
      } ?? ""

    hasCharts = charts != nil && hasResults
    frame = try PageFrame(
      style: reportStyle + sweepStyle, charts: hasCharts ? charts : nil, data: chartData, script: sweepScript,
      sorts: true)
  }

  /// `, each variant in 3 turns`, `, each variant in 1 to 3 turns`; empty where nobody recorded it.
  private static func turns(_ results: SweepResults) -> String {
    let turns = results.points.flatMap(\.variants).compactMap(\.turns)
    guard let least = turns.min(), let most = turns.max() else { return "" }
    return ", each variant in \(least == most ? "" : "\(least) to ")\(counted(most, "turn"))"
  }

  /// - Parameter front: accuracy and size of the models that no other beats in both, the most accurate first.
  private static func headline(_ front: [(accuracy: Double, bytes: Int)]) -> String {
    guard let best = front.first, let near = front.last(where: { $0.accuracy >= best.accuracy - 0.005 }) else {
      return "Nothing to compare yet"
    }
    func text(_ model: (accuracy: Double, bytes: Int)) -> String {
      "\(Formatting.percent(model.accuracy)) at \(Formatting.bytes(model.bytes))"
    }
    return near.bytes < best.bytes ? "\(text(best)), or \(text(near))" : text(best)
  }

  private typealias Entry = (point: SweepResults.Point, variant: SweepResults.Variant)

  private static func tiles(_ results: SweepResults, _ entries: [Entry], _ best: Entry?, _ near: Entry?) -> [Tile] {
    let failed = results.points.count { $0.error != nil }
    var tiles = [
      Tile(
        caption: "Points", number: "\(results.points.count) of \(results.total)",
        before: failed == 0 ? "none failed" : "\(failed) failed")
    ]
    func place(_ entry: Entry) -> String { "point \(entry.point.number), \(ReportPage.shown(entry.variant.name))" }
    if let best {
      tiles.append(
        Tile(
          caption: "Greatest \(results.measure)", number: Formatting.percent(best.variant.accuracy),
          before: place(best)))
    }
    if let near {
      tiles.append(
        Tile(
          caption: "Smallest within half a point", number: Formatting.bytes(near.variant.gzipBytes), before: place(near)
        ))
    }
    let floor = (best?.variant.accuracy ?? 0) - 0.005
    if let fast = entries.filter({ $0.variant.accuracy >= floor }).min(by: { $0.variant.median < $1.variant.median }) {
      tiles.append(
        Tile(
          caption: "Fastest within half a point", number: Formatting.duration(fast.variant.median / 1e3),
          before: place(fast)))
    }
    return tiles
  }

  private static func counted(_ count: Int, _ noun: String) -> String {
    "\(Formatting.count(count)) \(noun)\(count == 1 ? "" : "s")"
  }
}

/// What the sweep's page has beyond the run's.
private let sweepStyle = """

  a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
  tr.front td, tr.front th { background: color-mix(in srgb, var(--accent) 7%, transparent); }
  .mark { color: var(--accent); }
  .tall { height: 26rem; }

  """
