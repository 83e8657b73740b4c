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

  /// Accuracy with one part of a network pruned alone.
  public struct Sensitivity: Codable, Sendable {
    /// With nothing gone.
    public var baseline: Double
    /// What goes of a part, ascending.
    public var shares: [Double]
    public var parts: [Part]

    private enum CodingKeys: String, CodingKey { case baseline, shares, parts }

    /// A layer, or layers whose channels are coupled.
    public struct Part: Codable, Sendable {
      public var layers: [String]
      /// With each of the shares gone.
      public var accuracies: [Double]

      private enum CodingKeys: String, CodingKey { case layers, accuracies }

      var name: String { layers.joined(separator: "+") }
    }

    /// The accuracy lost when a part alone is pruned, in the mean over the shares.
    func importance(of part: Part) -> Double {
      baseline - part.accuracies.reduce(0, +) / Double(max(part.accuracies.count, 1))
    }
  }
}

extension ResultsFile.Scan {
  init(_ scan: SensitivityScan) {
    self.init(label: scan.label, key: scan.key, result: ResultsFile.Sensitivity(scan.result))
  }
}

extension ResultsFile.Sensitivity {
  init(_ found: Analysis.Sensitivity) {
    self.init(
      baseline: found.baseline, shares: found.shares,
      parts: found.parts.map { Part(layers: $0.layers, accuracies: $0.accuracies) })
  }
}
