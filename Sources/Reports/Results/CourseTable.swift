import Pipeline

/// A pruning round by round: what each left of the network, then of each layer that changed.
public struct CourseTable {
  private let course: ResultsFile.Course
  private let isByAgreement: Bool

  /// - Parameter isByAgreement: whether rounds are held against the first variant for want of labels.
  public init(_ course: ResultsFile.Course, isByAgreement: Bool = false) {
    self.course = course
    self.isByAgreement = isByAgreement
  }

  public init(_ course: PruningCourse) { self.init(ResultsFile.Course(course)) }

  /// Whether there is more to say than the comparison does.
  public var isWorthShowing: Bool { course.rounds.count > 2 }

  public func rendered(for terminal: Terminal) -> String {
    var text = rounds.rendered(for: terminal)
    // Where filters alone went, nonzero weights would only say it again.
    let hasZeros = course.rounds.contains { $0.nonzeroWeights * 10 < $0.weights * 9 }
    for metric in [CourseMetric.filters] + (hasZeros ? [.nonzero] : []) where metric.changes(in: course) {
      text +=
        "\n" + layers(metric).rendered(for: terminal)
        + terminal.styled("\(metric.title.lowercased()) of each layer, round by round\n", .dim)
    }
    return text
  }

  private var rounds: TextTable {
    let metrics = CourseMetric.allCases
    let leftOut: [CourseMetric] = [.parameters, .filters]
    var table = TextTable(
      [
        TextTable.Column("round", .left, cutTo: 16), TextTable.Column(isByAgreement ? "same" : "accuracy", .right),
        TextTable.Column("difference", .right),
      ] + metrics.map { TextTable.Column($0.title.lowercased(), .right, leftOut: leftOut.firstIndex(of: $0)) }
    )
    for (index, round) in course.rounds.enumerated() {
      let change = round.share - course.rounds[0].share
      table.add(
        [
          TextTable.Cell(round.name, .bold), TextTable.Cell(Formatting.percent(round.share)),
          // No colour: what a round's own samples would say of chance is not kept.
          index == 0 ? "" : TextTable.Cell(Formatting.points(change)),
        ] + metrics.map { TextTable.Cell($0.text($0.total(round))) })
    }
    return table
  }

  private func layers(_ metric: CourseMetric) -> TextTable {
    var table = TextTable([("layer", .left)] + course.rounds.map { ($0.name, .right) })
    for row in metric.rows(of: course) where Set(row.values).count > 1 {
      table.add(
        [TextTable.Cell(row.layer, .bold)] + row.values.map { TextTable.Cell($0.map(metric.text) ?? "–") })
    }
    return table
  }
}

/// What is counted of a network and of each of its layers, round by round.
enum CourseMetric: CaseIterable {
  case parameters, nonzero, filters, macs, bytes

  var title: String {
    switch self {
    case .parameters: "Parameters"
    case .nonzero: "Nonzero"
    case .filters: "Filters"
    case .macs: "MACs"
    case .bytes: "Bytes"
    }
  }

  func text(_ value: Int) -> String {
    switch self {
    case .macs: Formatting.scaled(value)
    case .bytes: Formatting.bytes(value)
    default: Formatting.count(value)
    }
  }

  func total(_ round: ResultsFile.Course.Round) -> Int {
    switch self {
    case .parameters: round.parameters
    case .nonzero: round.nonzeroWeights
    case .filters: round.filters
    case .macs: round.macs
    case .bytes: round.bytes
    }
  }

  func value(_ layer: ResultsFile.Course.Layer) -> Int {
    switch self {
    case .parameters: layer.parameters
    case .nonzero: layer.nonzeroWeights ?? layer.nonzero
    case .filters: layer.filters
    case .macs: layer.macs
    case .bytes: layer.bytes
    }
  }

  /// By layer, in order of appearance, a value for each round; nil where the round's network has no such layer.
  func rows(of course: ResultsFile.Course) -> [(layer: String, values: [Int?])] {
    var seen = Set<String>()
    let names = course.rounds.flatMap(\.layers).map(\.name).filter { seen.insert($0).inserted }
    return names.map { name in
      (name, course.rounds.map { round in round.layers.first { $0.name == name }.map(value) })
    }
  }

  func changes(in course: ResultsFile.Course) -> Bool { rows(of: course).contains { Set($0.values).count > 1 } }
}
