import Diagnostics
import Kernels
import Network
import Tensors
import Testing

@testable import Training

private let isHere = InstructionSet.current.multipliesBFloat16

@Suite struct PrecisionTests {
  /// A network whose second convolution, strided third and dense layer have channels enough for bfloat16.
  private func model() throws -> Model {
    let graph = try built([8, 8, 1]) {
      $0.conv2d(filters: 16, kernel: 3, padding: .same, bias: false, name: "first")
      $0.batchNorm(BatchNorm(momentum: 0.9), name: "norm")
      $0.activation(.relu)
      $0.conv2d(filters: 20, kernel: 3, padding: .same, name: "second")
      $0.activation(.relu)
      $0.conv2d(filters: 16, kernel: 3, stride: 2, name: "third")
      $0.activation(.relu6)
      $0.flatten()
      $0.dense(4, name: "dense")
      $0.activation(.softmax)
    }
    return try Model(initializing: graph, seed: 2)
  }

  private func train(_ precision: ProductPrecision, epochs: Int, threads: Int = 2) throws -> Model {
    var options = TrainingOptions(epochs: epochs, batchSize: 40, learningRate: .constant(0.005))
    options.precision = precision
    return try Trainer(
      model: model(), options: options, data: barImages(400), pool: ThreadPool(threads: threads, smallestWork: 0)
    ).run().model
  }

  @Test(.enabled(if: isHere, "NOT TESTED: no AVX512_BF16 here; training in bf16 is unchecked"))
  func bfloat16LearnsAsWell() throws {
    let pool = try ThreadPool(threads: 2, smallestWork: 0), test = barImages(1000, seed: 6)
    let exact = try accuracy(train(.float32, epochs: 8), test, pool: pool)
    let rounded = try accuracy(train(.bfloat16, epochs: 8), test, pool: pool)
    #expect(exact > 0.9)
    #expect(abs(rounded - exact) <= 0.01, "\(rounded) in bf16, \(exact) in float32")
  }

  @Test(.enabled(if: isHere, "NOT TESTED: no AVX512_BF16 here; training in bf16 is unchecked"))
  func bfloat16DoesNotDependOnThreads() throws {
    let results = try [1, 2, 3].map { try bytes(train(.bfloat16, epochs: 2, threads: $0)) }
    #expect(results[1] == results[0] && results[2] == results[0])
    #expect(try bytes(train(.float32, epochs: 2)) != results[0])
  }

  /// Every parameter's gradient, of one batch, beside that of float32.
  @Test(.enabled(if: isHere, "NOT TESTED: no AVX512_BF16 here; gradients in bf16 are unchecked"))
  func gradientsAgreeWithFloat32() throws {
    let pool = try ThreadPool(threads: 2, smallestWork: 0), data = barImages(40)
    func gradients(_ precision: ProductPrecision) throws -> [(String, [Float])] {
      let model = try model(), weights = try TrainableWeights(model)
      let graph = try TrainingGraph(model.graph, weights: weights, batchSize: 40, precision: precision, pool: pool)
      let reader = BatchReader(batchSize: 40, classes: 4)
      _ = try reader.read(data, Array(0..<40), into: graph.samples, pool: pool)
      try graph.forward(count: 40, .training)
      // Alike for all samples: where their gradients cancelled, roundings would stand out at will.
      for i in 0..<160 { graph.scores.gradient![i] = [1, 0.3, -0.2, 1.7][i % 4] }
      try graph.backward()
      return weights.parameters.compactMap { parameter in
        parameter.gradient.map { g in ("\(parameter.layer) \(parameter.role)", (0..<g.count).map { g[$0] }) }
      }
    }
    // Roundings of 2^-9 in three layers, and units of relu that they switch over.
    for (exact, rounded) in try zip(gradients(.float32), gradients(.bfloat16)) {
      let off = zip(exact.1, rounded.1).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      let size = exact.1.reduce(0.0) { $0 + Double($1 * $1) }
      #expect((off / size).squareRoot() < 0.03, "\(exact.0)")
    }
  }

  @Test(.enabled(if: !isHere, "NOT TESTED: this machine has AVX512_BF16"))
  func itIsRefusedWhereItIsMissing() throws {
    #expect(throws: CompressError.self) { try train(.bfloat16, epochs: 1) }
  }
}
