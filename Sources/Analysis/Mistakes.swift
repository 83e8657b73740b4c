import Datasets
import Diagnostics
import Foundation
import Network

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

  /// How many are shown.
  public static let shown = 8

  /// The mistakes that the model is surest of, the surest first, of equals the first in the data.
  ///
  /// - Parameter answers: the model's, to all samples of the data.
  public static func surest(
    _ answers: Classifier.Answers, on data: any Dataset, labels: [Int32], count: Int = shown
  ) throws -> [Mistake] {
    let predictions = answers.predictions, confidences = answers.confidences
    let wrong = predictions.indices.filter { predictions[$0] >= 0 && predictions[$0] != labels[$0] }
    return try wrong.sorted { (confidences[$1], $0) < (confidences[$0], $1) }.prefix(count).map { index in
      let sample = try data.batch([index]).images.array(Float.self)
      return Mistake(
        index: index, label: Int(labels[index]), predicted: Int(predictions[index]),
        confidence: Double(confidences[index]),
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

  /// That of the greatest score, as `of` has it.
  func ofGreatest(_ scores: UnsafeBufferPointer<Float>, at index: Int) -> Float {
    let greatest = scores[index]
    return isSoftmax ? greatest : 1 / scores.reduce(0) { $0 + exp($1 - greatest) }
  }
}
