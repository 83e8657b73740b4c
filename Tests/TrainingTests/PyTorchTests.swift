import Foundation
import Kernels
import Network
import Tensors
import Testing

@testable import Training

/// Forward, gradients and the weights after some steps, beside PyTorch's.
@Suite(.enabled(if: PyTorch.python != nil, PyTorch.missing))
struct PyTorchTests {
  private static let tolerance = 1e-5

  private enum Case: CaseIterable, CustomTestStringConvertible {
    case sgd, nesterov, adam, adamW

    /// PyTorch adds epsilon after the bias correction of the first step's second moment.
    private static let epsilon = 1e-7 / (1 - 0.999).squareRoot()

    var testDescription: String { "\(self)" }
    /// PyTorch's epsilon is ours in the first step only.
    var steps: Int { self == .sgd || self == .nesterov ? 3 : 1 }
    var rate: Double { self == .sgd || self == .nesterov ? 0.05 : 0.001 }

    var optimizer: Optimizer {
      switch self {
      case .sgd: .sgd(momentum: 0.9)
      case .nesterov: .sgd(momentum: 0.9, nesterov: true)
      case .adam: .adam()
      case .adamW: .adamW()
      }
    }

    var json: [String: Any] {
      var json: [String: Any] = ["rate": rate, "decay": 0.02]
      switch self {
      case .sgd: json.merge(["name": "sgd", "momentum": 0.9, "nesterov": false]) { $1 }
      case .nesterov: json.merge(["name": "sgd", "momentum": 0.9, "nesterov": true]) { $1 }
      case .adam: json.merge(["name": "adam", "epsilon": Self.epsilon]) { $1 }
      case .adamW: json.merge(["name": "adamw", "epsilon": Self.epsilon]) { $1 }
      }
      return json
    }
  }

  private static func labCNN() throws -> Graph {
    try built([28, 28, 1]) {
      $0.conv2d(filters: 12, kernel: 3)
      $0.activation(.relu)
      $0.maxPool(2)
      $0.flatten()
      $0.dense(10)
      $0.activation(.softmax)
    }
  }

  private static func residual() throws -> Graph {
    try built([12, 12, 3]) {
      $0.conv2d(filters: 8, kernel: 3, padding: .same, bias: false)
      $0.batchNorm(BatchNorm(epsilon: 1e-5, momentum: 0.9))
      $0.activation(.relu)
      BlockGradientTests.residual(&$0, filters: 8, stride: 1)
      BlockGradientTests.residual(&$0, filters: 12, stride: 2)
      $0.conv2d(filters: 12, kernel: 3, padding: .same, groups: 12)
      $0.globalAveragePool()
      $0.dense(5)
    }
  }

  @Test(arguments: Case.allCases)
  private func labCNNSteps(_ optimizer: Case) throws { try compare(Self.labCNN(), classes: 10, optimizer) }

  @Test(arguments: Case.allCases)
  private func residualNetworkSteps(_ optimizer: Case) throws { try compare(Self.residual(), classes: 5, optimizer) }

  private func compare(_ graph: Graph, classes: Int, _ how: Case) throws {
    let count = 16
    let model = try Model(initializing: graph, .heNormal, seed: 5)
    var random = SeededRandom(seed: 9)
    let images = (0..<count * graph.inputShape.count).map { _ in Float(random.uniform(0..<1)) }
    let labels = (0..<count).map { _ in Int32(random.below(classes)) }
    let smoothing = how == .adam ? 0 : 0.1, clip: Double? = how == .nesterov ? 0.5 : nil
    let expected = try pytorch(model, images, labels, how, smoothing: smoothing, clip: clip)

    // The first pass, by itself.
    let pool = try ThreadPool(threads: 2, smallestWork: 0)
    let weights = try TrainableWeights(model)
    let training = try TrainingGraph(graph, weights: weights, batchSize: count, pool: pool)
    for (i, value) in images.enumerated() { training.samples[i] = value }
    try training.forward(count: count, .training)
    let loss = try CrossEntropy(batchSize: count, classes: classes, smoothing: smoothing)
    let result = loss.evaluate(training.scores, labels: labels, pool: pool)
    try training.backward()
    #expect(abs(result.loss - expected.loss) < Self.tolerance)
    check(Array(training.scores.data.elements), expected.scores, "scores")
    #expect(expected.gradients.count == weights.parameters.count { $0.gradient != nil })
    for entry in expected.gradients {
      let gradient = weights.parameter(entry.layer, try #require(entry.parameter))!.gradient!
      check(Array(gradient.elements), entry.values, "gradient of \(entry.layer) \(entry.role)")
    }

    // All steps: one an epoch, since the data is one batch.
    var options = TrainingOptions(
      epochs: how.steps, batchSize: count, optimizer: how.optimizer, learningRate: .constant(how.rate),
      shuffles: false)
    options.weightDecay = 0.02
    options.labelSmoothing = smoothing
    options.gradientNorm = clip
    let data = ArrayDataset(
      sampleShape: graph.inputShape, classCount: classes, images: images, labels: labels)
    let trained = try Trainer(model: model, options: options, data: data, pool: pool).run().model
    #expect(expected.parameters.count == model.allParameters.count)
    for entry in expected.parameters {
      let values = trained[entry.layer, try #require(entry.parameter)]!.values.array(Float.self)
      check(values, entry.values, "\(entry.layer) \(entry.role) after \(how.steps) steps")
    }
  }

  private func check(_ got: [Float], _ expected: [Double], _ what: String) {
    #expect(got.count == expected.count)
    let worst = zip(got, expected).map { abs(Double($0) - $1) / max(1, abs($1)) }.max() ?? 0
    #expect(worst < Self.tolerance, "\(what)")
  }

  // MARK: PyTorch

  private struct Answer: Decodable {
    let loss: Double
    let scores: [Double]
    let gradients: [PyTorch.Entry]
    let parameters: [PyTorch.Entry]
  }

  private func pytorch(
    _ model: Model, _ images: [Float], _ labels: [Int32], _ how: Case, smoothing: Double, clip: Double?
  ) throws -> Answer {
    let graph = model.graph
    let last = graph[graph.output]!
    let output = if case .activation(.softmax) = last.op { last.inputs[0] } else { last.name }
    let job: [String: Any] = [
      "nodes": try graph.nodes.filter { $0.name == output || $0.name != graph.output }.map { try node($0, graph) },
      "output": output, "images": PyTorch.tensor(images, [labels.count] + graph.inputShape.dims),
      "labels": labels.map(Int.init),
      "parameters": PyTorch.parameters(of: model),
      "optimizer": how.json, "steps": how.steps, "smoothing": smoothing, "clip": clip as Any? ?? NSNull(),
    ]
    return try PyTorch.answer("pytorch_step.py", to: job)
  }

  private func node(_ node: Node, _ graph: Graph) throws -> [String: Any] {
    try PyTorch.node(node, graph) { op in
      if case .activation(.relu) = op { ["kind": "relu"] } else { nil }
    }
  }
}
