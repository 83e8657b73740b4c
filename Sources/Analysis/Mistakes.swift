import Datasets
import Diagnostics
import Foundation
import Network
import Runtime

/// A sample that a model gets wrong, and how sure it is of that.
public struct Mistake: Sendable, Hashable, Codable {
  /// Position in the data, from 0.
  public let index: Int
  public let label, predicted: Int
  /// The probability it gives to what it predicts, 0…1.
  public let confidence: Double
  /// The sample as a PNG file; nil where it is no picture.
  public let picture: Data?

  public init(index: Int, label: Int, predicted: Int, confidence: Double, picture: Data?) {
    self.index = index
    self.label = label
    self.predicted = predicted
    self.confidence = confidence
    self.picture = picture
  }

  /// How many are shown, and how many of the samples predicted wrong are looked at for that: the first.
  public static let shown = 8, mostLookedAt = 256

  /// The mistakes that the model is surest of, the surest first.
  ///
  /// - Parameter predictions: what it predicts for the data, -1 for no answer.
  public static func surest(
    _ model: Model, on data: any Dataset, predictions: [Int32], labels: [Int32], count: Int = shown,
    context: WorkContext
  ) throws -> [Mistake] {
    let wrong = predictions.indices.filter { predictions[$0] >= 0 && predictions[$0] != labels[$0] }.prefix(
      mostLookedAt)
    guard !wrong.isEmpty, count > 0 else { return [] }
    let classifier = try model.classifying()
    let scores = Probabilities(of: classifier.graph)
    let session = Session(try compile(classifier, CompileOptions(maxBatch: Classifier.batch)), pool: context.pool)
    var found: [(index: Int, confidence: Float)] = []
    context.progress.begin("mistakes", total: wrong.count)
    for start in stride(from: wrong.startIndex, to: wrong.endIndex, by: Classifier.batch) {
      try context.step()
      let part = Array(wrong[start..<min(start + Classifier.batch, wrong.endIndex)])
      let outputs = try session.run(data.batch(part).images).array(Float.self)
      let width = outputs.count / part.count
      for (row, index) in part.enumerated() {
        let probabilities = scores.of(Array(outputs[row * width..<(row + 1) * width]))
        found.append((index, probabilities[Int(predictions[index])]))
      }
      context.progress.update(done: found.count, detail: "")
    }
    context.progress.end(
      detail: "of \(predictions.count { $0 < 0 } + zip(predictions, labels).count { $0 >= 0 && $0 != $1 }) samples")
    return try found.sorted { ($1.confidence, $0.index) < ($0.confidence, $1.index) }.prefix(count).map {
      index, confidence in
      let sample = try data.batch([index]).images.array(Float.self)
      return Mistake(
        index: index, label: Int(labels[index]), predicted: Int(predictions[index]), confidence: Double(confidence),
        picture: try Thumbnail.png(sample, shape: data.sampleShape, preprocessing: data.preprocessing).map { Data($0) })
    }
  }
}

/// What a network's class scores are as probabilities: themselves behind a softmax, otherwise the softmax of them.
public struct Probabilities {
  private let isSoftmax: Bool

  public init(of graph: Graph) {
    isSoftmax =
      if case .activation(.softmax)? = graph.producer(of: graph.output)?.op { true } else { false }
  }

  /// - Returns: as many; of scores that are NaN, NaN.
  public func of(_ scores: [Float]) -> [Float] {
    guard !isSoftmax, let greatest = scores.max() else { return scores }
    let exponentials = scores.map { exp($0 - greatest) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }
}
