import Pipeline

extension ReportPage {
  /// How one variant was pruned.
  struct CourseSection {
    let courseName: String
    /// One where there are rounds enough to draw.
    let courseCharts: [Charts]
    let courseRounds: [Row]
    let roundHeads: [String]
    let metrics: [Metric]

    struct Charts { let accuracyChart, leftChart: String }

    struct Row {
      let round, roundAccuracy, roundChange: String
      let counts: [Count]
    }

    struct Count { let countTitle, count, countShare: String }

    /// Layers down, rounds across.
    struct Metric {
      let metric: String
      let metricRows: [MetricRow]
    }

    struct MetricRow {
      let layerName: String
      let metricCells: [Shaded]
    }

    /// - Parameter chart: its place among the courses that are drawn; nil when it is not.
    init(_ course: ResultsFile.Course, chart: Int?) {
      courseName = shown(course.variant)
      courseCharts =
        chart.map {
          [Charts(accuracyChart: "chart-course-\($0)-accuracy", leftChart: "chart-course-\($0)-left")]
        } ?? []
      let start = course.rounds[0]
      courseRounds = course.rounds.enumerated().map { index, round in
        Row(
          round: shown(round.name), roundAccuracy: Formatting.percent(round.share),
          roundChange: index == 0 ? "" : "\(Formatting.points(round.share - start.share)) points",
          counts: CourseMetric.allCases.map { metric in
            let value = metric.total(round), share = Double(value) / Double(max(metric.total(start), 1))
            return Count(
              countTitle: metric.title, count: metric.text(value),
              countShare: index == 0 ? "" : Formatting.percent(share, digits: 1))
          })
      }
      roundHeads = course.rounds.map { shown($0.name) }
      metrics = CourseMetric.allCases.filter { $0.changes(in: course) }.map { metric in
        Metric(
          metric: metric.title,
          metricRows: metric.rows(of: course).map { layer, values in
            MetricRow(
              layerName: shown(layer),
              metricCells: values.map { value in
                guard let value else { return Shaded("–", Tenths(0)) }
                return Shaded(metric.text(value), Tenths(1 - Double(value) / Double(max(values[0] ?? value, 1))))
              })
          })
      }
    }

    static func all(_ results: ResultsFile) -> [CourseSection] {
      var charts = 0
      return (results.pruning ?? []).map { course in
        defer { charts += isDrawn(course) ? 1 : 0 }
        return CourseSection(course, chart: isDrawn(course) ? charts : nil)
      }
    }

    /// A line needs more than its two ends.
    static func isDrawn(_ course: ResultsFile.Course) -> Bool { course.rounds.count > 2 }
  }

  /// A number on a colour that is the stronger, the greater a share is.
  struct Shaded {
    /// The style class of the share in tenths.
    let tenths: String
    let shaded: String

    init(_ text: String, _ tenths: Tenths) {
      self.tenths = "t\(tenths.count)"
      shaded = text
    }
  }

  /// Accuracy, or agreement, with parts pruned alone: parts down, shares across.
  struct ScanSection {
    let scanName: String
    let scanMeasure: String
    let scanLossUnit: String
    let scanBaseline: String
    let scanShares: [String]
    let scanRows: [Row]

    struct Row {
      let part, importance: String
      let scanCells: [Shaded]
    }

    init(_ scan: ResultsFile.Scan) {
      let found = scan.result
      scanName = shown(scan.label)
      let unit = found.unit
      scanMeasure = unit.title
      scanLossUnit = unit.lossUnit
      scanBaseline = unit.text(found.baseline)
      scanShares = found.shares.map { "−\(Formatting.significant($0 * 100)) %" }
      scanRows = found.parts.map { part in
        Row(
          part: shown(part.name), importance: unit.loss(found.importance(of: part)),
          scanCells: part.scores.map { score in
            Shaded(unit.text(score, digits: 1), Tenths(lost: found.baseline - score, of: found.baseline))
          })
      }
    }
  }
}
