import Kernels
import Network
import Runtime

/// A model's predicted classes: the index of the largest output, the first of equals; -1 where an output is NaN.
public struct Classifier {
  /// What it answers to some samples, one after the other.
  public struct Answers: Sendable, Hashable, Codable {
    public var predictions: [Int32] = []
    /// The probability of each prediction, 0…1; 0 where there is none.
    public var confidences: [Float] = []

    public init(predictions: [Int32] = [], confidences: [Float] = []) {
      self.predictions = predictions
      self.confidences = confidences
    }
  }

  /// Samples at once.
  public static let batch = 64

  private let session: Session
  private let probabilities: Probabilities

  /// - Parameter isExact: see `CompileOptions`.
  public init(_ model: Model, isExact: Bool = false, pool: ThreadPool) throws {
    let classifier = try model.classifying()
    session = Session(try compile(classifier, CompileOptions(maxBatch: Self.batch, isExact: isExact)), pool: pool)
    probabilities = Probabilities(of: classifier.graph)
  }

  /// Elements of a sample.
  public var sampleCount: Int { session.plan.inputShape.count }

  /// Adds what is answered to `count` samples.
  ///
  /// - Precondition: `count` samples of the network's input shape.
  public func answer(_ images: UnsafeBufferPointer<Float>, count: Int, into answers: inout Answers) {
    let size = sampleCount
    var confidences: [Float] = []
    let classes = session.predictions(count: count) { samples, batch in
      _ = batch.update(fromContentsOf: images[samples.lowerBound * size..<samples.upperBound * size])
    } each: { scores, predicted in
      confidences.append(predicted < 0 ? 0 : probabilities.ofGreatest(scores, at: predicted))
    }
    answers.predictions += classes.map { Int32($0) }
    answers.confidences += confidences
  }
}

extension Model {
  /// The network as far as its first output, whose class scores count.
  public func classifying() throws -> Model { graph.outputs.count == 1 ? self : try upTo([graph.output]) }
}
