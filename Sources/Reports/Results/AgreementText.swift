import Diagnostics

/// What is said of variants that are held against the first for want of labels, on the terminal and in the report alike.
enum AgreementText {
  static func setting(_ results: ResultsFile) -> String {
    let setting = results.comparison
    return "No labels: the outputs of \(results.variants.first?.name ?? "") are the measure, over "
      + "\(Formatting.count(setting.evaluated)) samples of \(setting.data). Same: the greatest element of the first output "
      + "is at the same place; cosine: of the output that differs most"
  }
}

extension ResultsFile.Variant.Agreement {
  /// Outputs that are as good as the first variant's, and those that are others.
  static let close = 0.99, far = 0.95

  var style: Terminal.Style {
    cosine >= Self.close ? .green : cosine < Self.far ? .red : .yellow
  }
}

extension Formatting {
  static func cosine(_ value: Double) -> String { value.formatted(4) }
}
