/// Which classes a model tells apart well, and which it takes for each other.
public struct ClassResults: Sendable, Hashable, Codable {
  public struct Class: Sendable, Hashable, Codable {
    public let name: String
    /// Of this class; of them predicted so; and predicted so of any class.
    public let samples, correct, predicted: Int
    /// Of its samples, 0…1; nil without any.
    public var accuracy: Double? { samples == 0 ? nil : Double(correct) / Double(samples) }

    public init(name: String, samples: Int, correct: Int, predicted: Int) {
      self.name = name
      self.samples = samples
      self.correct = correct
      self.predicted = predicted
    }
  }

  /// Samples of one class predicted as another.
  public struct Confusion: Sendable, Hashable, Codable {
    /// Positions in `classes`.
    public let actual, predicted: Int
    public let count: Int

    public init(actual: Int, predicted: Int, count: Int) {
      self.actual = actual
      self.predicted = predicted
      self.count = count
    }
  }

  /// In the order of their labels. What a network has scores for and the data no samples of is among them when it was
  /// predicted.
  public let classes: [Class]
  /// The most frequent first; of many the first `mostConfusions`.
  public let confusions: [Confusion]

  /// All pairs of classes of which a matrix can still be read.
  public static let mostConfusions = 400

  /// - Parameters:
  ///   - predictions: -1 for a sample without an answer: wrong, and taken for no other class.
  ///   - names: what the first classes are called.
  /// - Precondition: as many labels as predictions, and none is negative.
  public init(predictions: [Int32], labels: [Int32], names: [String]) {
    precondition(predictions.count == labels.count)
    let count = max(names.count, Int((predictions + labels).max() ?? -1) + 1)
    var samples = [Int](repeating: 0, count: count), correct = samples, predicted = samples
    var pairs: [Pair: Int] = [:]
    for (prediction, label) in zip(predictions, labels) {
      samples[Int(label)] += 1
      guard prediction >= 0 else { continue }
      predicted[Int(prediction)] += 1
      if prediction == label {
        correct[Int(label)] += 1
      } else {
        pairs[Pair(actual: Int(label), predicted: Int(prediction)), default: 0] += 1
      }
    }
    classes = (0..<count).map {
      Class(
        name: $0 < names.count ? names[$0] : "\($0)", samples: samples[$0], correct: correct[$0],
        predicted: predicted[$0])
    }
    confusions = pairs.map { Confusion(actual: $0.actual, predicted: $0.predicted, count: $1) }
      .sorted { ($1.count, $0.actual, $0.predicted) < ($0.count, $1.actual, $1.predicted) }
      .prefix(Self.mostConfusions).map(\.self)
  }

  private struct Pair: Hashable { let actual, predicted: Int }

  public func name(_ place: Int) -> String { classes.indices.contains(place) ? classes[place].name : "\(place)" }
}
