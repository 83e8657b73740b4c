import Diagnostics
import Kernels
import Network
import Tensors
import Testing

@testable import Training

@Suite struct OptimizerTests {
  let pool: ThreadPool

  init() throws { pool = try ThreadPool(threads: 2, smallestWork: 0) }

  /// The values after each step with the given gradients.
  private func run(
    _ optimizer: Optimizer, from values: [Float], gradients: [[Float]], rate: Double, scale: Float = 1,
    decay: Double = 0
  ) throws -> [[Float]] {
    let parameter = try TrainableParameter(layer: "x", role: .weight, Parameter(Tensor(values)))
    try optimizer.prepare(parameter)
    return gradients.enumerated().map { step, gradient in
      for (i, g) in gradient.enumerated() { parameter.gradient![i] = g }
      let number = Optimizer.Step(rate: rate, number: step + 1, gradientScale: scale, decay: decay)
      optimizer.update(parameter, number, pool: pool)
      return parameter.values.tensor([values.count]).array()
    }
  }

  @Test func plainDescent() throws {
    let steps = try run(.sgd(), from: [1, -2], gradients: [[0.5, 1], [1, -4]], rate: 0.5)
    #expect(steps == [[0.75, -2.5], [0.25, -0.5]])
  }

  @Test func momentum() throws {
    // v = -0.5, then 0.5 * -0.5 - 0.5 = -0.75, then -0.375.
    let steps = try run(.sgd(momentum: 0.5), from: [1], gradients: [[1], [1], [0]], rate: 0.5)
    #expect(steps == [[0.5], [-0.25], [-0.625]])
  }

  @Test func nesterovLooksAhead() throws {
    // v = -0.5, w = 1 + 0.5 * -0.5 - 0.5; then v = -0.25, w += 0.5 * -0.25.
    let steps = try run(.sgd(momentum: 0.5, nesterov: true), from: [1], gradients: [[1], [0]], rate: 0.5)
    #expect(steps == [[0.25], [0.125]])
  }

  @Test func decayIsPartOfTheGradient() throws {
    #expect(try run(.sgd(), from: [2], gradients: [[1]], rate: 0.5, decay: 0.25) == [[1.25]])
    #expect(try run(.sgd(momentum: 0.5), from: [2], gradients: [[1]], rate: 0.5, decay: 0.25) == [[1.25]])
    // Adam's first step is the rate, whatever the size of the gradient: decay alone moves the weight as far.
    let adam = try run(.adam(), from: [2], gradients: [[0]], rate: 0.5, decay: 0.25)
    #expect(abs(adam[0][0] - 1.5) < 1e-5)
  }

  @Test func adamWDecaysApartFromTheGradient() throws {
    #expect(try run(.adamW(), from: [2], gradients: [[0]], rate: 0.5, decay: 0.25) == [[1.75]])
    let plain = try run(.adam(), from: [2], gradients: [[3], [1]], rate: 0.01)
    #expect(try run(.adamW(), from: [2], gradients: [[3], [1]], rate: 0.01) == plain)
  }

  @Test func biasesAndBatchNormsDoNotDecay() throws {
    for (role, expected) in [(ParameterRole.weight, Float(1.5)), (.bias, 2), (.gamma, 2), (.beta, 2)] {
      let parameter = try TrainableParameter(layer: "x", role: role, Parameter(Tensor([2] as [Float])))
      Optimizer.sgd().update(parameter, Optimizer.Step(rate: 0.5, number: 1, decay: 0.5), pool: pool)
      #expect(parameter.values[0] == expected, "\(role)")
      parameter.decays = true
      Optimizer.sgd().update(parameter, Optimizer.Step(rate: 0.5, number: 1, decay: 0.5), pool: pool)
      #expect(parameter.values[0] == expected * 0.75, "\(role)")
    }
  }

  @Test func gradientsAreScaled() throws {
    for optimizer in [Optimizer.sgd(), .sgd(momentum: 0.5), .adam(), .adamW()] {
      let scaled = try run(optimizer, from: [1], gradients: [[2], [-6]], rate: 0.5, scale: 0.25)
      #expect(try scaled == run(optimizer, from: [1], gradients: [[0.5], [-1.5]], rate: 0.5))
    }
  }

  @Test func gradientNormIsOverAllParameters() throws {
    let graph = try built([3]) {
      $0.dense(7000, name: "a")
      $0.dense(2, name: "b")
    }
    let weights = try TrainableWeights(Model(initializing: graph, seed: 1))
    var expected = 0.0
    for (index, parameter) in weights.parameters.enumerated() {
      for i in 0..<parameter.values.count {
        parameter.gradient![i] = Float((i + index) % 13) - 6
        expected += Double(parameter.gradient![i] * parameter.gradient![i])
      }
    }
    let partials = try weights.makeGradientPartials()
    let norm = weights.gradientNorm(pool, partials: partials)
    #expect(abs(norm - expected.squareRoot()) < 1e-5 * norm)
    #expect(weights.gradientNorm(.serial, partials: partials) == norm)
  }

  @Test func theAverageIsAWeightedMean() throws {
    let weights = try TrainableWeights(Model(initializing: built([2]) { $0.dense(1, name: "x") }, seed: 1))
    let average = try WeightAverage(weights, decay: 0.75)
    let x = weights.parameter("x", .weight)!.values
    for value in [8, 4, 2] as [Float] {
      x[0] = value
      average.add(weights, pool: pool)
      if value == 8 {  // alone it is its own mean
        average.use(for: weights, steps: 1, pool: pool)
        #expect(x[0] == 8)
        average.putBack(weights, pool: pool)
      }
    }
    average.use(for: weights, steps: 3, pool: pool)
    let expected = (8 * 0.5625 + 4 * 0.75 + 2) / (0.5625 + 0.75 + 1)
    #expect(abs(Double(x[0]) - expected) < 1e-6)
    average.putBack(weights, pool: pool)
    #expect(x[0] == 2)
  }

  @Test func adam() throws {
    // By hand for beta1 0.5, beta2 0.75, epsilon 1: see the formula in `Optimizer`.
    // Step 1, g = 2: m = 1, v = 1; factor sqrt(0.25) / 0.5 = 1; w = 1 - 0.1 * 1 / (1 + 1) = 0.95.
    // Step 2, g = 0: m = 0.5, v = 0.75; factor sqrt(0.4375) / 0.75 = 0.881917;
    // w = 0.95 - 0.1 * 0.881917 * 0.5 / 1.866025 = 0.926369.
    let steps = try run(
      .adam(beta1: 0.5, beta2: 0.75, epsilon: 1), from: [1], gradients: [[2], [0]], rate: 0.1)
    #expect(abs(steps[0][0] - 0.95) < 1e-6)
    #expect(abs(steps[1][0] - 0.926369) < 1e-6)
  }

  @Test func adamsFirstStepIsTheRate() throws {
    let steps = try run(.adam(), from: [0, 0, 0], gradients: [[3, -0.001, 0]], rate: 0.01)
    #expect(abs(steps[0][0] + 0.01) < 1e-6)
    #expect(abs(steps[0][1] - 0.01) < 1e-4)  // epsilon shows: the gradient is small
    #expect(steps[0][2] == 0)
  }

  @Test(arguments: [Optimizer.sgd(), .sgd(momentum: 0.9), .sgd(momentum: 0.9, nesterov: true), .adam(), .adamW()])
  func masksHold(optimizer: Optimizer) throws {
    let parameter = try TrainableParameter(layer: "x", role: .weight, Parameter(Tensor([1, 2, 3] as [Float])))
    try optimizer.prepare(parameter)
    func step(_ number: Int, gradient: Float) {
      for i in 0..<3 { parameter.gradient![i] = gradient }
      optimizer.update(parameter, Optimizer.Step(rate: 0.1, number: number), pool: pool)
    }
    step(1, gradient: 1)
    try parameter.setMask(Tensor([1, 0, 1] as [UInt8]))
    #expect(parameter.values[1] == 0)
    for number in 2...5 {
      step(number, gradient: -1)
      #expect(parameter.values[1] == 0)
      #expect(parameter.values[0] != 0 && parameter.values[2] != 0)
    }
    // Set free again, it starts from rest: without a gradient it stays.
    try parameter.setMask(nil)
    step(6, gradient: 0)
    #expect(parameter.values[1] == 0)
  }

  @Test func masksMustFit() throws {
    let parameter = try TrainableParameter(layer: "conv", role: .weight, Parameter(Tensor([1, 2, 3] as [Float])))
    #expect(throws: CompressError("a uint8 mask of shape [2] for a weight of shape [3]").at(layer: "conv")) {
      try parameter.setMask(Tensor([1, 0] as [UInt8]))
    }
    #expect(throws: CompressError.self) { try parameter.setMask(Tensor([1, 0, 1] as [Float])) }
  }

  @Test func coefficientsAreChecked() {
    for optimizer in [
      Optimizer.sgd(momentum: 1), .sgd(momentum: -0.1), .sgd(momentum: .nan), .adam(beta1: 1), .adam(beta2: -1),
      .adam(epsilon: 0), .adam(epsilon: .infinity), .adamW(beta1: 1), .sgd(momentum: 0, nesterov: true),
    ] {
      #expect(throws: CompressError.self) { try optimizer.validate() }
    }
  }

  @Test func ratesAreChecked() throws {
    #expect(try LearningRate.schedule { 1 - $0 }.value(step: 3, of: 4) == 0.25)
    #expect(throws: CompressError("learning rate nan at progress 0.5 (step 3 of 4) is not a number from 0 up")) {
      try LearningRate.schedule { $0 < 0.5 ? 1 : .nan }.value(step: 2, of: 4)
    }
  }
}
