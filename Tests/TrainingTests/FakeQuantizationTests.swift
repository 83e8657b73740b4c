import Kernels
import Network
import Tensors
import Testing

@testable import Training

@Suite struct FakeQuantizationTests {
  /// One dense layer: its scores are those of the rounded numbers.
  static func dense(_ quantization: FakeQuantization, weight: [Float], input: [Float]) throws
    -> (graph: TrainingGraph, weights: TrainableWeights)
  {
    let graph = try built([2]) { $0.dense(2, name: "dense") }
    let model = try Model(
      graph: graph,
      parameters: [
        "dense": [.weight: Parameter(Tensor(weight, [2, 2])), .bias: Parameter(Tensor([0.5, -0.5] as [Float]))]
      ])
    let weights = try TrainableWeights(model, quantization: quantization)
    let training = try TrainingGraph(graph, weights: weights, batchSize: 1, pool: .serial)
    for (index, value) in input.enumerated() { training.samples[index] = value }
    try training.forward(count: 1, .training)
    return (training, weights)
  }

  @Test func scoresAreThoseOfRoundedNumbers() throws {
    let input = try ActivationQuantization(scale: 0.25, zeroPoint: 2, bits: 3)  // -0.5 to 1.25
    let (graph, _) = try Self.dense(
      FakeQuantization(
        weights: ["dense": .init(bits: 2, scales: [1, 0.5])], activations: ["input": input]),
      weight: [0.6, -3, 0.2, 0.3], input: [0.9, 7])
    // Inputs 1 and 1.25; weights 1, -1 and 0, 0.5.
    #expect(graph.scores.data[0] == 1 - 1.25 + 0.5 && graph.scores.data[1] == 0.5 * 1.25 - 0.5)
  }

  @Test func gradientsPassButWhereClamped() throws {
    let quantization = FakeQuantization(weights: ["dense": .init(bits: 2, scales: [1, 0.5])])
    let (graph, weights) = try Self.dense(quantization, weight: [0.6, -3, 0.2, 0.3], input: [2, 3])
    graph.scores.gradient![0] = 1
    graph.scores.gradient![1] = 10
    try graph.backward()
    let dense = weights.parameter("dense", .weight)!.gradient!,
      scale = weights.parameter("dense", .weightScale)!.gradient!
    #expect((0..<4).map { dense[$0] } == [2, 0, 20, 30])
    // (round(v) - v) of what is inside, the limit's sign of what is not; by the logarithm, over sqrt(2 * 1).
    let first: Float = (2 * (1 - 0.6) + 3 * -1) * 1, second: Float = (20 * (0 - 0.4) + 30 * (1 - 0.6)) * 0.5
    #expect(abs(scale[0] - first / Float(2).squareRoot()) < 1e-5)
    #expect(abs(scale[1] - second / Float(2).squareRoot()) < 1e-5)
  }

  @Test func outputsPassGradientsBetweenTheirEnds() throws {
    let graph = try built([2]) {
      $0.dense(2, name: "first")
      $0.activation(.relu, name: "relu")
      $0.dense(2, name: "last")
    }
    let identity = Tensor([1, 0, 0, 1] as [Float], [2, 2]), zero = Parameter(Tensor([0, 0] as [Float]))
    let layer: [ParameterRole: Parameter] = [.weight: Parameter(identity), .bias: zero]
    let model = try Model(graph: graph, parameters: ["first": layer, "last": layer])
    let relu = try ActivationQuantization(scale: 0.5, zeroPoint: 0, bits: 2)  // 0 to 1.5
    let weights = try TrainableWeights(model, quantization: FakeQuantization(activations: ["relu": relu]))
    let training = try TrainingGraph(graph, weights: weights, batchSize: 1, pool: .serial)
    (training.samples[0], training.samples[1]) = (0.7, 9)
    try training.forward(count: 1, .training)
    #expect(training.scores.data[0] == 0.5 && training.scores.data[1] == 1.5)
    (training.scores.gradient![0], training.scores.gradient![1]) = (4, 8)
    try training.backward()
    let bias = weights.parameter("first", .bias)!.gradient!
    #expect(bias[0] == 4 && bias[1] == 0)
    let scale = weights.parameter("relu", .outputScale)!.gradient![0]
    let expected: Float = (4 * (1 - 1.4) + 8 * 3) * 0.5 / Float(2 * 3).squareRoot()
    #expect(abs(scale - expected) < 1e-5)
  }

  @Test func tiedWeightsStayTied() throws {
    let data = barImages(64), start = try barModel()
    let codes = Tensor((0..<start["dense", .weight]!.count).map { UInt8($0 % 3) }, start["dense", .weight]!.shape)
    var model = start
    try model.set(
      Parameter(Tensor(codes.array(UInt8.self).map { [-0.3, 0.1, 0.4][Int($0)] as Float }, codes.shape)), "dense",
      .weight)
    var options = TrainingOptions(epochs: 2, batchSize: 16, optimizer: .adam(), seed: 1)
    options.quantization = FakeQuantization(ties: ["dense": codes])
    let trained = try Trainer(model: model, options: options, data: data, pool: .serial).run().model
    let values: [Float] = trained["dense", .weight]!.values.array()
    #expect(Set(values).count == 3 && values[0] != -0.3)
  }

  /// With 8 bits everywhere a network learns as it does without; scales move and stay positive; threads do not matter.
  @Test func aNetworkLearnsWhileRounded() throws {
    let data = barImages(256)
    func train(threads: Int) throws -> (Model, FakeQuantization) {
      var options = TrainingOptions(
        epochs: 6, batchSize: 16, optimizer: .adam(), learningRate: .constant(3e-3), seed: 1)
      let model = try barModel().foldingBatchNorm()
      var weights: [String: FakeQuantization.Weight] = [:], outputs: [String: ActivationQuantization] = [:]
      for layer in model.weightLayers { weights[layer] = .init(bits: 4, scales: [0.2]) }
      for node in model.graph.nodes where node.name != "dense" {
        outputs[node.name] = try ActivationQuantization(scale: 0.02, zeroPoint: 100)
      }
      options.quantization = FakeQuantization(weights: weights, activations: outputs)
      let trainer = try Trainer(
        model: model, options: options, data: data, pool: ThreadPool(threads: threads, smallestWork: 0))
      return (try trainer.run().model, try trainer.currentQuantization())
    }
    let (model, quantization) = try train(threads: 1), other = try train(threads: 3)
    #expect(bytes(model) == bytes(other.0))
    #expect(quantization.weights["dense"]!.scales == other.1.weights["dense"]!.scales)
    #expect(quantization.weights["dense"]!.scales[0] != 0.2 && quantization.weights["dense"]!.scales[0] > 0)
    #expect(try accuracy(model, data, pool: .serial) > 0.8)
  }
}
