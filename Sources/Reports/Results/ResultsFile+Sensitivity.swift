import Analysis
import Pipeline

extension ResultsFile {
  /// A scan that the script made.
  public struct Scan: Codable, Sendable {
    public var label: String
    public var key: String
    public var result: Sensitivity

    private enum CodingKeys: String, CodingKey { case label, key, result }
  }

  /// Accuracy, or agreement with an original, with one part of a network pruned alone.
  public struct Sensitivity: Codable, Sendable {
    /// `accuracy`, or `cosine`; nil in files of older versions, which knew accuracy alone.
    public var measure: String?
    /// With nothing gone.
    public var baseline: Double
    /// What goes of a part, ascending.
    public var shares: [Double]
    public var parts: [Part]

    private enum CodingKeys: String, CodingKey { case measure, baseline, shares, parts }

    /// A layer, or layers whose channels are coupled.
    public struct Part: Codable, Sendable {
      public var layers: [String]
      /// With each of the shares gone; one of the two, as the measure is.
      public var accuracies: [Double]?
      public var cosines: [Double]?

      private enum CodingKeys: String, CodingKey { case layers, accuracies, cosines }

      var name: String { layers.joined(separator: "+") }
      var scores: [Double] { accuracies ?? cosines ?? [] }
    }

    /// What is lost when a part alone is pruned, in the mean over the shares.
    func importance(of part: Part) -> Double {
      baseline - part.scores.reduce(0, +) / Double(max(part.scores.count, 1))
    }

    var unit: ScoreUnit { measure == ScoreUnit.cosine.rawValue ? .cosine : .accuracy }
  }
}

extension ResultsFile.Scan {
  init(_ scan: SensitivityScan) {
    self.init(label: scan.label, key: scan.key, result: ResultsFile.Sensitivity(scan.result))
  }
}

extension ResultsFile.Sensitivity {
  init(_ found: Analysis.Sensitivity) {
    let unit = ScoreUnit(found.measure)
    self.init(
      measure: unit.rawValue, baseline: found.baseline, shares: found.shares,
      parts: found.parts.map {
        Part(
          layers: $0.layers, accuracies: unit == .accuracy ? $0.scores : nil,
          cosines: unit == .cosine ? $0.scores : nil)
      })
  }
}
