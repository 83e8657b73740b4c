import Analysis
import Diagnostics
import Files

/// A model's answers to labelled samples as one HTML file that opens without a network, as safe as `HTMLReport`.
public struct EvaluationPage {
  /// Pictures that are shown.
  public static let mostMistakes = 48

  private let outcome: EvaluationOutcome

  public init(_ outcome: EvaluationOutcome) { self.outcome = outcome }

  public func rendered() throws -> String { try PageTemplate.render(evaluationTemplate, try Content(outcome)) }

  /// Writes it whole or not at all.
  public func write(to path: String) throws { try AtomicFile.write(Array(try rendered().utf8), to: path) }

  /// What the template shows.
  struct Content {
    let title, headline, lead, note: String
    let tiles: [ReportPage.Tile]
    let rows: [Row]
    let section: ReportPage.ClassSection
    let hasCharts = false
    let frame: PageFrame

    struct Row { let name, samples, right, accuracy, predicted: String }

    init(_ outcome: EvaluationOutcome) throws {
      let classes = outcome.classes.filter { $0.samples > 0 }
      let file = outcome.model.split(separator: "/").last.map(String.init) ?? outcome.model
      title = ReportPage.shown(file)
      headline = ReportPage.unbroken(
        "\(ReportPage.shown(file)): \(Formatting.percent(outcome.accuracy)) of \(ReportPage.shown(outcome.data))")
      lead = ReportPage.unbroken(
        "\(Formatting.count(outcome.correct)) of \(Formatting.count(outcome.samples)) samples are predicted right "
          + "(95 % interval: \(Formatting.percents(outcome.interval))).")
      note =
        outcome.undefined > 0
        ? "The model answers NaN to \(Formatting.count(outcome.undefined)) samples; they count as wrong." : ""
      let worst = classes.min { ($0.accuracy ?? 1) < ($1.accuracy ?? 1) }
      let best = classes.max { ($0.accuracy ?? 0) < ($1.accuracy ?? 0) }
      tiles =
        [
          ReportPage.Tile(
            caption: "Accuracy", number: Formatting.percent(outcome.accuracy),
            before: Formatting.percents(outcome.interval))
        ]
        + [("Best class", best), ("Worst class", worst)].compactMap { caption, row in
          row.map {
            ReportPage.Tile(
              caption: caption, number: Formatting.percent($0.accuracy ?? 0, digits: 1),
              before: ReportPage.shown($0.name))
          }
        }
      rows = classes.map {
        Row(
          name: ReportPage.shown($0.name), samples: Formatting.count($0.samples), right: Formatting.count($0.correct),
          accuracy: Formatting.percent($0.accuracy ?? 0), predicted: Formatting.count($0.predicted))
      }
      section = ReportPage.ClassSection(
        outcome.results, outcome.mistakes, named: file, series: ReportPage.series(0),
        mostMistakes: EvaluationPage.mostMistakes)
      frame = try PageFrame(style: reportStyle, charts: nil, data: [String](), script: "", sorts: true)
    }
  }
}

private let evaluationTemplate = PageFrame.template(
  kicker: "{{title}}",
  sections: #"""
    <section id="classes">
      <h2>Classes</h2>
      <div class="wide">
      <table class="cards sortable">
        <thead><tr><th>Class</th><th>Samples</th><th>Right</th><th>Accuracy</th><th>Predicted</th></tr></thead>
        <tbody>
          {{#rows}}
          <tr><th scope="row">{{name}}</th><td data-label="Samples"><span>{{samples}}</span></td><td data-label="Right"><span>{{right}}</span></td>
          <td data-label="Accuracy"><span>{{accuracy}}</span></td><td data-label="Predicted"><span>{{predicted}}</span></td></tr>
          {{/rows}}
        </tbody>
      </table>
      </div>
      <p class="fine">Predicted: so many samples of any class were taken for this one. {{note}}</p>
      <h2>What it takes for what</h2>
      {{#section}}

    """# + classTemplate + #"""
        {{/section}}
      </section>

      """#,
  footer: "All numbers are those of compress evaluate --json.")
