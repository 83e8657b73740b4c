import Diagnostics
import Kernels
import Network
import Tensors
import Testing

@testable import Training

@Suite struct ActivationMemoryTests {
  private static func deepGraph() throws -> Graph {
    try built([8, 8, 1]) {
      $0.conv2d(filters: 8, kernel: 3, padding: .same, bias: false)
      for index in 0..<8 {
        BlockGradientTests.residual(&$0, filters: 8, stride: 1)
        if index % 3 == 1 { $0.activation(.sigmoid) }
        if index % 4 == 2 { $0.maxPool(3, stride: 1, padding: .same) }
      }
      $0.globalAveragePool()
      $0.dense(4)
    }
  }

  private static var graphs: [(String, () throws -> Graph)] {
    [
      ("bars", barGraph), ("deep", deepGraph), ("residual", BlockGradientTests.residualNetwork),
      ("inverted residual", BlockGradientTests.invertedResidualNetwork),
      ("inception", BlockGradientTests.inceptionNetwork),
    ]
  }

  /// Every parameter's gradient and the running statistics after one pass there and back.
  private func pass(_ graph: Graph, recomputes: Bool) throws -> (gradients: [[Float]], values: [[Float]], bytes: Int) {
    let weights = try TrainableWeights(randomModel(graph))
    let training = try TrainingGraph(
      graph, weights: weights, batchSize: 3, recomputes: recomputes, pool: ThreadPool(threads: 2, smallestWork: 0))
    var random = SeededRandom(seed: 7)
    for i in 0..<3 * training.sampleSize { training.samples[i] = Float(random.uniform(-1..<1)) }
    try training.forward(count: 3, .training)
    for i in 0..<3 * training.scores.size { training.scores.gradient![i] = Float(random.uniform(-1..<1)) }
    try training.backward()
    return (
      weights.parameters.compactMap { $0.gradient.map { Array($0.elements) } },
      weights.parameters.map { Array($0.values.elements) }, training.activationBytes
    )
  }

  @Test func recomputedGradientsAreTheSameToTheBit() throws {
    for (name, graph) in Self.graphs {
      let kept = try pass(graph(), recomputes: false), again = try pass(graph(), recomputes: true)
      #expect(kept.gradients == again.gradients, "\(name)")
      #expect(kept.values == again.values, "\(name)")
      #expect(again.bytes <= kept.bytes, "\(name)")
      if name == "deep" { #expect(again.bytes < kept.bytes * 6 / 10) }
    }
  }

  @Test func lessThanEveryValueByItself() throws {
    for (name, graph) in Self.graphs {
      let graph = try graph()
      let weights = try TrainableWeights(randomModel(graph))
      let training = try TrainingGraph(graph, weights: weights, batchSize: 2, pool: .serial)
      var total = 0
      for node in graph.nodes { total += 2 * graph.shape(of: node.name).count }
      // Half of what data and gradients of every node would take apart from each other.
      #expect(training.activationBytes < 4 * total, "\(name)")
    }
  }

  @Test func trainingIsTheSameToTheBit() throws {
    func trained(_ recomputes: Bool) throws -> [UInt8] {
      var options = TrainingOptions(epochs: 2, batchSize: 30)
      options.recomputes = recomputes
      let model = try Model(initializing: Self.deepGraph(), seed: 3)
      return bytes(
        try Trainer(model: model, options: options, data: barImages(80), pool: ThreadPool(threads: 2)).run().model)
    }
    #expect(try trained(true) == trained(false))
  }
}
