import Pipeline

/// The few numbers to read first: the smallest variant that keeps its accuracy, against the first.
struct Summary {
  let headline: String
  let lead: String
  let tiles: [ReportPage.Tile]

  /// What may be lost, in shares: half a percentage point.
  static let tolerance = 0.005

  init(_ results: ResultsFile) {
    guard let first = results.variants.first else {
      headline = "Nothing was compared"
      lead = ""
      tiles = []
      return
    }
    let name = ReportPage.quoted(first.name)
    let others = results.variants.dropFirst()
    let isByAgreement = results.isByAgreement
    let kept = others.filter { other in
      other.agreement.map { $0.cosine >= ResultsFile.Variant.Agreement.close }
        ?? (other.accuracy >= first.accuracy - Self.tolerance - 1e-12)
    }
    guard let best = kept.min(by: { $0.bytes.gzip < $1.bytes.gzip }) else {
      headline =
        others.isEmpty
        ? isByAgreement ? "\(name), alone" : "\(name) gets \(Formatting.percent(first.accuracy)) right"
        : isByAgreement
          ? "No variant’s outputs stay within a cosine of 0.99 of \(name)’s"
          : "No variant stays within half a point of \(name)"
      lead =
        others.isEmpty
        ? ""
        : (isByAgreement
          ? "The outputs of every one are others." : "Every one loses more than half a percentage point of accuracy.")
          + " The numbers of \(name):"
      tiles = Self.tiles(first, against: nil)
      return
    }
    let smaller = Double(first.bytes.gzip) / Double(max(best.bytes.gzip, 1))
    let bestName = ReportPage.quoted(best.name), isSmaller = smaller > 1.02
    // Of speed the table says what its interval holds; a headline has no room for that.
    headline =
      isSmaller
      ? "\(bestName) is \(Formatting.factor(smaller, digits: 1)) smaller"
      : "\(bestName) keeps the \(isByAgreement ? "outputs" : "accuracy")"
    lead =
      (best.agreement.map { "Against \(name), and at a cosine of \(Formatting.cosine($0.cosine)) to its outputs. " }
        ?? "Against \(name), and at \(Formatting.points(best.accuracy - first.accuracy)) percentage points of accuracy. ")
      + "Of \(Formatting.count(others.count)) \(others.count == 1 ? "variant" : "variants"), "
      + "\(Formatting.count(kept.count)) \(kept.count == 1 ? "stays" : "stay") within "
      + (isByAgreement ? "a cosine of 0.99; " : "half a point; ")
      + "this is the smallest of them after gzip."
    tiles = Self.tiles(best, against: first)
  }

  private static func tiles(_ best: ResultsFile.Variant, against first: ResultsFile.Variant?) -> [ReportPage.Tile] {
    func was(_ text: (ResultsFile.Variant) -> String) -> String { first.map { "was " + text($0) } ?? "" }
    let accuracy: (ResultsFile.Variant) -> String = { Formatting.percent($0.accuracy) }
    let size: (ResultsFile.Variant) -> String = { Formatting.bytes($0.bytes.gzip) }
    let latency: (ResultsFile.Variant) -> String = { Formatting.duration($0.timing.p50 / 1e3) }
    let memory: (ResultsFile.Variant) -> String = { Formatting.bytes($0.timing.peakMemoryBytes) }
    return [
      best.agreement.map {
        ReportPage.Tile(
          caption: "Cosine to the first variant", number: Formatting.cosine($0.cosine),
          before: "same answer for \(Formatting.percent(best.accuracy))")
      } ?? ReportPage.Tile(caption: "Accuracy", number: accuracy(best), before: was(accuracy)),
      ReportPage.Tile(caption: "File, after gzip", number: size(best), before: was(size)),
      ReportPage.Tile(caption: "Median latency", number: latency(best), before: was(latency)),
      ReportPage.Tile(caption: "Peak memory", number: memory(best), before: was(memory)),
    ]
  }
}

extension ReportPage {
  struct Tile {
    let caption: String
    let number: String
    let before: String
  }
}
