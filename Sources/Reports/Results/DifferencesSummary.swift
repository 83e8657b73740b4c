import Analysis

/// What a changed model does otherwise, for other programs: what `compress compare --json` writes. Samples and classes
/// count from 0, as in `results.json`.
public struct DifferencesSummary: Encodable {
  struct Error: Encodable {
    /// Decibels; nil where nothing differs.
    let sqnr: Double?
    let max, cosine: Double

    init(_ error: Differences.Error) {
      sqnr = error.decibels
      max = error.maximum
      cosine = error.cosine
    }
  }

  struct Layer: Encodable {
    let name: String
    let cumulative: Error
    let alone: Error?
  }

  struct Output: Encodable {
    let name: String
    let error: Error
    let same: Double
  }

  private let original, changed, data: String
  private let samples: Int
  /// Of the two; nil where they were not judged by that.
  private let accuracy: [Double]?
  private let change: Interval?
  private let outputs: [Output]?
  private let flips: Int
  private let flipsInterval: Interval
  private let gained, lost: Int?
  private let layers: [Layer]
  /// Layers that equalization scaled; compared with the first model's scaled alike.
  private let scaled: [String]
  private let worst: [Differences.Sample]

  /// - Parameters:
  ///   - original, changed: the files.
  ///   - data: the samples' name.
  public init(_ found: Differences, original: String, changed: String, data: String) {
    self.original = original
    self.changed = changed
    self.data = data
    let count = found.count, isByAccuracy = found.correct != nil
    samples = count
    accuracy = found.correct?.map { Double($0) / Double(count) }
    change = isByAccuracy ? .pairedDifference(gained: found.gained, lost: found.lost, of: count) : nil
    outputs = found.outputs?.map {
      Output(name: $0.name, error: Error($0.error), same: Double($0.same) / Double(count))
    }
    flips = found.flips
    flipsInterval = .wilson(found.flips, of: count)
    gained = isByAccuracy ? found.gained : nil
    lost = isByAccuracy ? found.lost : nil
    layers = found.layers.map {
      Layer(name: $0.name, cumulative: Error($0.cumulative), alone: $0.alone.map(Error.init))
    }
    scaled = found.scaled
    worst = found.worst
  }

  private enum CodingKeys: String, CodingKey {
    case original, changed, data, samples, accuracy, change = "accuracy_change_95", outputs, flips
    case flipsInterval = "flips_95", gained, lost, layers, scaled, worst
  }
}
