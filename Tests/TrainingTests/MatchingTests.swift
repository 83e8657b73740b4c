import Datasets
import Kernels
import Network
import TestSupport
import Tensors
import Testing

@testable import Training

/// Learning from a teacher alone: outputs and inner values of any shape.
@Suite struct MatchingTests {
  /// The gradients of several values that the loss reads at once, one of them read by later layers as well.
  @Test(arguments: [["scores"], ["scores", "first"], ["first", "pooled", "scores"]])
  func gradientsOfSeveralValues(_ targets: [String]) throws {
    var net = GraphBuilder(input: [4, 5, 2])
    net.conv2d(filters: 3, kernel: 3, padding: .same, name: "first")
    net.activation(.relu, name: "clamped")
    net.conv2d(filters: 4, kernel: 3, name: "second")
    net.globalAveragePool(name: "pooled")
    net.dense(3, name: "scores")
    let graph = try net.graph(), model = try randomModel(graph), weights = try TrainableWeights(model)
    let count = 2
    let training = try TrainingGraph(
      graph, weights: weights, batchSize: count, targets: targets, pool: ThreadPool(threads: 2, smallestWork: 0))
    var random = SeededRandom(seed: 3), images: [Double] = [], coefficients: [[Double]] = []
    for i in 0..<count * training.sampleSize {
      training.samples[i] = Float(random.uniform(-1..<1))
      images.append(Double(training.samples[i]))
    }
    try training.forward(count: count, .training)
    for output in training.outputs {
      coefficients.append(
        (0..<count * output.size).map { i in
          output.gradient![i] = Float(random.uniform(-1..<1))
          return Double(output.gradient![i])
        })
    }
    try training.backward()
    var reference = Reference(model)
    func loss() -> Double {
      let values = reference.values(images, count: count)
      return zip(targets, coefficients).reduce(0) { sum, pair in
        sum + zip(values[pair.0]!, pair.1).reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
    let step = 1e-5
    for (layer, role, parameter) in model.allParameters {
      for i in 0..<parameter.count {
        let value = reference.parameters[layer]![role]![i]
        reference.parameters[layer]![role]![i] = value + step
        let above = loss()
        reference.parameters[layer]![role]![i] = value - step
        let expected = (above - loss()) / (2 * step)
        reference.parameters[layer]![role]![i] = value
        let found = Double(weights.parameter(layer, role)!.gradient![i])
        #expect(abs(found - expected) <= 1e-3 * max(1, abs(expected)), "\(layer) \(role) \(i)")
      }
    }
  }

  @Test(arguments: Matching.Error.allCases) func theLossAndItsGradient(_ error: Matching.Error) throws {
    let memory = try FloatBuffer(64)
    func value(_ size: Int, at offset: Int) throws -> Value {
      let value = try Value([size], batchSize: 2, needsGradient: true)
      value.dataSlot.place(at: offset, of: memory)
      value.gradientSlot!.place(at: offset + 2 * size, of: memory)
      return value
    }
    let values = [try value(3, at: 0), try value(2, at: 16)]
    var random = SeededRandom(seed: 1)
    let targets = try FloatBuffer(10)
    for i in 0..<10 { targets[i] = Float(random.uniform(-1..<1)) }
    for value in values { for i in 0..<2 * value.size { value.data[i] = Float(random.uniform(-1..<1)) } }
    let loss = try MatchingLoss(error, values: 2, batchSize: 2)
    func evaluate(_ isLearning: Bool) -> Double {
      loss.evaluate(values, targets: targets, count: 2, isLearning: isLearning, pool: .serial).loss
    }
    // By hand.
    var expected = 0.0, first = 0
    for value in values {
      var distance = 0.0, own = 0.0
      for sample in 0..<2 {
        for i in 0..<value.size {
          let t = Double(targets[sample * 5 + first + i]), y = Double(value.data[sample * value.size + i])
          distance += error == .squared ? (y - t) * (y - t) : abs(y - t)
          own += error == .squared ? t * t : abs(t)
        }
      }
      expected += distance / own / 2
      first += value.size
    }
    #expect(abs(evaluate(true) - expected) < 1e-6)
    for value in values {
      for i in 0..<2 * value.size {
        let old = value.data[i], gradient = Double(value.gradient![i])
        value.data[i] = old + 1e-3
        let above = evaluate(false)
        value.data[i] = old - 1e-3
        let slope = (above - evaluate(false)) / 2e-3
        value.data[i] = old
        #expect(abs(slope - gradient) < 1e-3)
      }
    }
  }

  /// A network whose output is an image learns to do as another, with samples whose labels mean nothing.
  @Test func anImageIsLearnedWithoutLabels() throws {
    var net = GraphBuilder(input: [6, 6, 1])
    net.conv2d(filters: 6, kernel: 3, padding: .same, name: "narrow")
    net.activation(.relu)
    net.conv2d(filters: 2, kernel: 3, padding: .same, name: "image")
    let graph = try net.graph()
    let teacher = try Model(initializing: graph, seed: 1), student = try Model(initializing: graph, seed: 2)
    var random = SeededRandom(seed: 4)
    let data = ArrayDataset(
      sampleShape: [6, 6, 1], classCount: 900, images: (0..<200 * 36).map { _ in Float(random.uniform(-1..<1)) },
      labels: [Int32](repeating: 7, count: 200))
    var options = TrainingOptions(epochs: 20, batchSize: 20, learningRate: .constant(0.01))
    options.matching = Matching(.squared)
    let trainer = try Trainer(
      model: student, options: options, data: data, validation: data, teacher: SessionlessTeacher(teacher),
      pool: .serial)
    let curve = try trainer.run().curve
    let losses = curve.epochs.map(\.loss)
    #expect(losses.last! < losses[0] / 10, "\(losses)")
    #expect(curve.epochs.last!.validationLoss! < losses[0] / 10)
    #expect(throws: (any Error).self) {
      try Trainer(model: student, options: options, data: data, pool: .serial)
    }
    options.matching = Matching(values: ["wide"])
    #expect(throws: (any Error).self) {
      try Trainer(
        model: student, options: options, data: data, teacher: SessionlessTeacher(teacher), pool: .serial)
    }
  }

  /// What squashes an output hides most of what is to be learned.
  @Test(arguments: [Activation.softmax, .sigmoid, .tanh])
  func outputsAreMatchedBeforeWhatSquashesThem(_ function: Activation) throws {
    var net = GraphBuilder(input: [6])
    net.dense(4, name: "scores")
    net.activation(function, name: "chances")
    let targets = try Matching().targets(in: net.graph())
    #expect(targets == [function == .tanh ? "chances" : "scores"])
  }
}

/// A model as a teacher, by a training graph's own forward pass.
private struct SessionlessTeacher: Teacher {
  private let graph: TrainingGraph

  init(_ model: Model) throws {
    graph = try TrainingGraph(
      model.graph, weights: TrainableWeights(model), batchSize: 64, targets: Matching().targets(in: model.graph),
      pool: .serial)
  }

  var classCount: Int { graph.outputs[0].size }

  func scores(
    _ samples: UnsafeBufferPointer<Float>, count: Int, into scores: UnsafeMutableBufferPointer<Float>
  ) throws {
    graph.samples.base.update(from: samples.baseAddress!, count: samples.count)
    try graph.forward(count: count, .inference)
    scores.baseAddress!.update(from: graph.outputs[0].data.base, count: count * classCount)
  }
}
