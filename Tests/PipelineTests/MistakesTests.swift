import Analysis
import Datasets
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors
import Testing

@testable import Pipeline

/// How sure a model is of what it answers, and which mistakes are shown.
@Suite struct MistakesTests {
  private func network(softmax: Bool) throws -> Model {
    var net = GraphBuilder(input: [28, 28, 1])
    net.conv2d(filters: 4, kernel: 5, stride: 3)
    net.activation(.relu)
    net.flatten()
    net.dense(10)
    if softmax { net.activation(.softmax) }
    return try Model(initializing: net.graph(), seed: 3)
  }

  /// Behind a softmax and without one alike, the greatest probability of each sample.
  @Test(arguments: [false, true]) func confidencesAreProbabilities(_ softmax: Bool) throws {
    let model = try network(softmax: softmax), data = SyntheticDigits(count: 150, part: "test")
    let context = StageContext(pool: try ThreadPool(threads: 2)).work
    let answers = try Predictions(model, on: data, context: context).answers
    #expect(answers.predictions.count == 150 && answers.confidences.count == 150)
    let scores: [Float] = try Session(compile(model, CompileOptions(maxBatch: 150)))
      .run(data.batch(Array(0..<150)).images).array()
    for row in 0..<150 {
      let probabilities = Probabilities(of: model.graph).of(Array(scores[row * 10..<(row + 1) * 10]))
      #expect(answers.confidences[row] == probabilities.max())
      #expect(answers.confidences[row] == probabilities[Int(answers.predictions[row])])
    }
  }

  /// However late in the data they come; what answers nothing is no mistake of a class.
  @Test func theSurestAreShown() throws {
    let data = SyntheticDigits(count: 400, part: "test")
    let labels = try data.batch(Array(0..<400)).labels
    var answers = Classifier.Answers(predictions: labels, confidences: [Float](repeating: 1, count: 400))
    for (index, confidence) in [(3, Float(0.5)), (350, 0.9), (20, 0.9), (399, 0.95), (7, 0.2)] {
      answers.predictions[index] = (labels[index] + 1) % 10
      answers.confidences[index] = confidence
    }
    answers.predictions[9] = -1
    let found = try Mistake.surest(answers, on: data, labels: labels, count: 4)
    #expect(found.map(\.index) == [399, 20, 350, 3])
    #expect(found.map { Float($0.confidence) } == [0.95, 0.9, 0.9, 0.5])
    #expect(found.allSatisfy { $0.picture != nil && $0.predicted == (labels[$0.index] + 1) % 10 })
    #expect(try Mistake.surest(answers, on: data, labels: labels).count == 5)
  }
}
