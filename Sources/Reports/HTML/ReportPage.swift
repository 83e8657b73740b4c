import Diagnostics
import Pipeline

/// What the template shows: formatted text, nothing left to decide.
///
/// A section of the template looks for a name in the innermost value first and then outwards, so no two nested
/// types share a name unless both have it always.
struct ReportPage {
  let title: String
  let headline: String
  let lead: String
  let tiles: [Tile]
  let hasFindings: Bool
  let findings: [Finding]
  let variants: [VariantRow]
  let setting: String
  let firstName: String
  let hasDifferences: Bool
  /// Whether there are differences in accuracy: without labels the share of same answers says it all.
  let hasPoints: Bool
  /// Whether variants differ in their work: filters were removed.
  let hasMacs: Bool
  /// What is to be said of the measured times, as a sentence.
  let timeNotes: String
  /// What variants are judged by: the heading of its column, and the word in a sentence.
  let measure, measureText: String
  let drawn: String
  let distribution: String

  let hasClasses: Bool
  let classMatrix: ClassMatrix
  let classSections: [ClassSection]

  let hasLayers: Bool
  let layerMatrix: LayerMatrix
  let layerTables: [LayerTable]

  let hasCourses: Bool
  let courses: [CourseSection]
  let hasScans: Bool
  let scans: [ScanSection]

  let hasTraining: Bool
  let curves: [Curve]

  let histories: [History]
  let facts: [Fact]
  let hasParams: Bool
  let params: [Fact]
  let hasCommand: Bool
  let command: String

  let hasCharts: Bool
  let chartPackage = ChartLibrary.package
  let frame: PageFrame

  struct Fact {
    let key: String
    let value: String
  }

  init(_ results: ResultsFile, charts: ChartLibrary?) throws {
    let summary = Summary(results)
    title = Self.shown(results.run.script)
    headline = Self.unbroken(summary.headline)
    lead = Self.unbroken(summary.lead)
    tiles = summary.tiles
    findings = Finding.all(results)
    hasFindings = !findings.isEmpty
    variants = results.variants.indices.map { VariantRow(results, $0) }
    setting = Self.setting(results)
    firstName = results.variants.first.map { Self.shown($0.name) } ?? ""
    hasDifferences = results.variants.count > 1
    hasMacs = Set(results.variants.map(\.macs)).count > 1
    let note = TimeText.turns(results)
    measure = results.isByAgreement ? Self.sameAnswer : "Accuracy"
    hasPoints = hasDifferences && !results.isByAgreement
    measureText = results.isByAgreement ? "same answers" : "accuracy"
    timeNotes = note.prefix(1).uppercased() + note.dropFirst() + "."

    let chartData = ChartData(results)
    drawn = chartData.drawn
    distribution = chartData.distributionNote
    classMatrix = ClassMatrix(results)
    classSections = results.variants.enumerated().compactMap { ClassSection($1, $0) }
    hasClasses = !classSections.isEmpty
    layerMatrix = LayerMatrix(results)
    layerTables = results.variants.enumerated().map { LayerTable($1, $0) }
    hasLayers = !layerMatrix.rows.isEmpty
    courses = CourseSection.all(results)
    hasCourses = !courses.isEmpty
    scans = (results.sensitivity ?? []).map(ScanSection.init)
    hasScans = !scans.isEmpty
    curves = Curve.all(results)
    hasTraining = !curves.isEmpty

    histories = results.variants.enumerated().map { History($1, $0) }
    facts = Self.facts(results)
    params = results.run.params.sorted { $0.key < $1.key }.map {
      Fact(key: Self.shown($0.key), value: Self.shown($0.value.text))
    }
    hasParams = !params.isEmpty
    command = Self.shown(ShellText.line(results.run.command ?? []))
    hasCommand = !command.isEmpty

    hasCharts = charts != nil
    frame = try PageFrame(style: reportStyle, charts: charts, data: chartData, script: reportScript)
  }

  /// Text from outside, with control characters and reversed writing made visible; the template escapes it for HTML.
  static func shown(_ text: String) -> String { text.escapedLines.shortened(to: longest) }

  /// Characters; names are as long as whoever chose them liked.
  private static let longest = 4000

  /// With numbers that stay beside their units, for text of a size at which lines are short.
  static func unbroken(_ text: String) -> String {
    text.replacing(#/([0-9]) (%|[kMG]?B|[mµ]?s)(?![A-Za-z])/#) { "\($0.output.1)\u{A0}\($0.output.2)" }
  }

  /// What takes the place of accuracy where there are no labels.
  static let sameAnswer = "Same answer"

  static func quoted(_ text: String) -> String { "“\(shown(text))”" }

  private static func setting(_ results: ResultsFile) -> String {
    let setting = results.comparison
    let threads = setting.threads == 1 ? "1 thread" : "\(setting.threads) threads"
    let quality =
      results.isByAgreement
      ? shown(AgreementText.setting(results))
      : "Accuracy and flips (predictions that changed) over \(Formatting.count(setting.evaluated)) samples of "
        + shown(setting.data)
    return
      "\(quality). Latency of \(Formatting.count(setting.images)) \(shown(setting.order)) images one by "
      + "one, batch 1, \(threads), after \(Formatting.count(setting.warmUp)) untimed runs. Each turn of each variant "
      + "ran in a process of its own; memory is the most that one of them held."
  }

  private static func facts(_ results: ResultsFile) -> [Fact] {
    let run = results.run, machine = results.machine, setting = results.comparison
    return [
      Fact(key: "Script", value: shown(run.script)),
      Fact(key: "SHA-256 of the script", value: shown(run.scriptDigest)),
      Fact(key: "Seed", value: String(run.seed)),
      Fact(key: "Threads", value: String(run.threads)),
      Fact(key: "Data", value: "\(shown(setting.data)), \(Formatting.count(setting.evaluated)) samples"),
      Fact(key: "Rest before each variant", value: Formatting.duration(setting.cooldownSeconds)),
      Fact(
        key: "Turns of each variant",
        value: String(results.variants.map(\.timing.turns.count).max() ?? 0)),
      Fact(key: "Processor", value: "\(shown(machine.cpu)), \(machine.cores) \(machine.cores == 1 ? "core" : "cores")"),
      Fact(key: "Instruction set", value: shown(machine.isa)),
    ] + (results.device.map { [Fact(key: "Timed", value: shown(DeviceText.sentence($0)))] } ?? []) + [
      Fact(key: "Version of compress", value: shown(run.version)),
      Fact(key: "Measured", value: shown(results.created)),
    ]
  }
}
