import Datasets
import Diagnostics
import Kernels
import Network
import Tensors
import Testing

@testable import Training

/// What can be asked for besides optimizer and rate.
@Suite struct TrainingOptionTests {
  let pool: ThreadPool

  init() throws { pool = try ThreadPool(threads: 2, smallestWork: 0) }

  private func train(
    _ options: TrainingOptions, data: any Dataset = barImages(200), validation: (any Dataset)? = nil,
    teacher: (any Teacher)? = nil, hooks: [any TrainingHook] = []
  ) throws -> (model: Model, curve: TrainingCurve) {
    try Trainer(
      model: barModel(), options: options, data: data, validation: validation, teacher: teacher, pool: pool
    ).run(hooks: hooks)
  }

  @Test func everythingTogetherDoesNotDependOnThreads() throws {
    var options = TrainingOptions(epochs: 3, batchSize: 40, optimizer: .adamW(), learningRate: .constant(0.01))
    options.labelSmoothing = 0.1
    options.gradientNorm = 0.3
    options.averageDecay = 0.95
    options.patience = 2
    options.recalibrationBatches = 4
    options.recomputes = true
    let results = try [1, 2, 3].map { threads in
      try Trainer(
        model: barModel(), options: options, data: barImages(200), validation: barImages(50, seed: 4),
        teacher: Uniform(), pool: ThreadPool(threads: threads, smallestWork: 0)
      ).run()
    }
    for result in results.dropFirst() {
      #expect(bytes(result.model) == bytes(results[0].model))
      #expect(result.curve.epochs == results[0].curve.epochs)
    }
  }

  @Test func optionsAreChecked() throws {
    func message(_ change: (inout TrainingOptions) -> Void) -> String? {
      var options = TrainingOptions()
      change(&options)
      do { try options.validate() } catch { return (error as? CompressError)?.message }
      return nil
    }
    #expect(message { _ in } == nil)
    #expect(message { $0.weightDecay = -1 } == "weight decay -1.0 is not a number from 0 up")
    #expect(message { $0.entropy = -0.5 } == "entropy -0.5 is not a number from 0 up")
    #expect(message { $0.labelSmoothing = 1 } == "label smoothing 1.0 is not in 0..<1")
    #expect(message { $0.gradientNorm = 0 } == "the largest gradient norm, 0.0, is not above 0")
    #expect(message { $0.averageDecay = 1 } == "the decay of the weights' average, 1.0, is not in 0..<1")
    #expect(message { $0.distillation.temperature = 0 } == "temperature 0.0 is not above 0")
    #expect(message { $0.distillation.weight = 2 } == "alpha 2.0 is not within 0 and 1")
    #expect(message { $0.patience = 0 } == "patience: 0 epochs; at least 1 is needed")
  }

  // MARK: Validation

  @Test func validationIsMeasuredWithTheRunningStatistics() throws {
    let held = barImages(50, seed: 4)
    let (model, curve) = try train(TrainingOptions(epochs: 3, batchSize: 16), validation: held)
    #expect(curve.epochs.allSatisfy { $0.validationLoss != nil })
    #expect(try curve.epochs.last!.validationAccuracy == accuracy(model, held, pool: pool))
    // It has no part in the training.
    let plain = try train(TrainingOptions(epochs: 3, batchSize: 16))
    #expect(bytes(plain.model) == bytes(model))
    #expect(plain.curve.epochs.allSatisfy { $0.validationLoss == nil })
  }

  @Test func patienceRunsOutAndTheBestWeightsAreReturned() throws {
    var options = TrainingOptions(epochs: 40, batchSize: 16, optimizer: .sgd(), learningRate: .constant(0.1))
    options.patience = 2
    // The more is learned from shuffled labels, the worse.
    let data = barImages(200), held = barImages(60, seed: 4)
    let wrong = ArrayDataset(
      sampleShape: data.sampleShape, classCount: 4, images: held.images, labels: held.labels.map { ($0 + 1) % 4 })
    let (model, curve) = try train(options, data: data, validation: wrong)
    let best = try #require(curve.bestEpoch)
    #expect(curve.epochs.count == best + 3 && curve.epochs.count < 40)
    let losses = curve.epochs.map { $0.validationLoss! }
    #expect(losses[best] == losses.min())
    // The weights are those of that epoch: the schedule is constant, so a shorter training ends there.
    var short = options
    short.patience = nil
    short.epochs = best + 1
    #expect(try bytes(train(short, data: data).model) == bytes(model))
  }

  @Test func patienceNeedsValidation() throws {
    var options = TrainingOptions()
    options.patience = 1
    #expect(throws: CompressError("patience needs validation data to lose it on")) { try train(options) }
  }

  @Test func theBestIsNotChosenBeforeHooksAreSettled() throws {
    struct Late: TrainingHook {
      func isSettled(after step: Int, of total: Int) -> Bool { step > total / 2 }
    }
    var options = TrainingOptions(epochs: 6, batchSize: 50, optimizer: .sgd(), learningRate: .constant(0))
    options.patience = 2
    let (_, curve) = try train(options, validation: barImages(20), hooks: [Late()])
    // With rate 0 nothing but the running statistics moves; the first epoch that counts is the fourth.
    #expect(curve.bestEpoch! >= 3)
  }

  // MARK: Averages and statistics

  @Test func theAverageIsWhatIsReturned() throws {
    var options = TrainingOptions(epochs: 2, batchSize: 20, learningRate: .constant(0.01))
    let last = try train(options).model
    options.averageDecay = 0
    #expect(try bytes(train(options).model) == bytes(last))
    options.averageDecay = 0.9
    let averaged = try train(options).model
    #expect(bytes(averaged) != bytes(last))
    // By hand, from the weights after each step.
    final class Recorder: TrainingHook {
      var sum = [Double](), weight = 0.0
      func afterStep(_ progress: TrainingProgress, weights: TrainableWeights) -> TrainingChange {
        let values = weights.values("dense")!.array(Float.self).map(Double.init)
        if sum.isEmpty { sum = values.map { _ in 0 } }
        for i in values.indices { sum[i] = 0.9 * sum[i] + 0.1 * values[i] }
        weight = 0.9 * weight + 0.1
        return TrainingChange()
      }
    }
    let recorder = Recorder()
    _ = try train(options, hooks: [recorder])
    for (value, sum) in zip(averaged["dense", .weight]!.values.array(Float.self), recorder.sum) {
      #expect(abs(Double(value) - sum / recorder.weight) < 1e-5)
    }
  }

  @Test func recalibrationMeasuresTheStatisticsAnew() throws {
    let data = barImages(60)
    let graph = try built([8, 8, 1]) {
      $0.batchNorm(BatchNorm(momentum: 0.99), name: "norm")
      $0.flatten()
      $0.dense(4)
    }
    var options = TrainingOptions(batchSize: 20, shuffles: false)
    options.recalibrationBatches = 6  // all twice
    let trained = try Trainer(
      model: Model(initializing: graph, seed: 1), options: options, data: data, pool: pool
    ).run().model
    let batches = (0..<3).map { Array(data.images[$0 * 20 * 64..<($0 + 1) * 20 * 64]).map(Double.init) }
    let statistics = batches.map { Reference.statistics($0, width: 1) }
    let mean = statistics.reduce(0) { $0 + $1.mean[0] } / 3
    let variance = statistics.reduce(0) { $0 + $1.variance[0] } / 3
    #expect(abs(Double(trained["norm", .mean]!.values.item) - mean) < 1e-6)
    #expect(abs(Double(trained["norm", .variance]!.values.item) - variance) < 1e-6)
    // The weights stay what they are.
    options.recalibrationBatches = 0
    let plain = try Trainer(
      model: Model(initializing: graph, seed: 1), options: options, data: data, pool: pool
    ).run().model
    #expect(
      plain["dense_1", .weight]!.values.array(Float.self) == trained["dense_1", .weight]!.values.array(Float.self))
  }

  // MARK: Gradients

  @Test func clippedGradientsMakeShorterSteps() throws {
    var options = TrainingOptions(batchSize: 200, optimizer: .sgd(), learningRate: .constant(1), shuffles: false)
    let before = try barModel(), whole = try train(options).model
    func distance(_ model: Model) -> Double {
      var sum = 0.0
      for (layer, role, parameter) in before.allParameters where role.isTrainable {
        for (a, b) in zip(parameter.values.array(Float.self), model[layer, role]!.values.array(Float.self)) {
          sum += Double((a - b) * (a - b))
        }
      }
      return sum.squareRoot()
    }
    #expect(distance(whole) > 0.02)
    options.gradientNorm = 0.01
    #expect(try abs(distance(train(options).model) - 0.01) < 1e-5)
    options.gradientNorm = 1e6
    #expect(try bytes(train(options).model) == bytes(whole))
  }

  // MARK: Hooks

  @Test func hooksChangeTheRateAndEndTheTraining() throws {
    final class Changing: TrainingHook {
      var rates: [Double] = []
      func afterStep(_ progress: TrainingProgress, weights: TrainableWeights) -> TrainingChange {
        rates.append(progress.learningRate)
        #expect(progress.images == 50 * progress.step && progress.stepLoss > 0)
        return TrainingChange(learningRate: progress.step == 2 ? 0.5 : nil, stops: progress.step == 6)
      }
      func afterEpoch(
        _ epoch: Int, _ result: TrainingCurve.Epoch, _ progress: TrainingProgress, weights: TrainableWeights
      ) -> TrainingChange { TrainingChange(learningRate: epoch == 0 ? 0.25 : nil) }
    }
    let hook = Changing()
    let options = TrainingOptions(epochs: 9, batchSize: 50, optimizer: .sgd(), learningRate: .constant(0.1))
    let (_, curve) = try train(options, hooks: [hook])
    #expect(hook.rates == [0.1, 0.1, 0.5, 0.5, 0.25, 0.25])
    #expect(curve.epochs.map(\.images) == [200, 100])
  }

  // MARK: Teachers

  /// Likes every class as much.
  private struct Uniform: Teacher {
    var classCount = 4
    func scores(
      _ samples: UnsafeBufferPointer<Float>, count: Int, into scores: UnsafeMutableBufferPointer<Float>
    ) throws {
      #expect(samples.count == count * 64 && scores.count == count * classCount)
      for i in scores.indices { scores[i] = 0 }
    }
  }

  @Test func aTeacherIsHeard() throws {
    var options = TrainingOptions(epochs: 4, batchSize: 20, learningRate: .constant(0.01))
    options.distillation = Distillation(temperature: 2, weight: 1)
    let undecided = try train(options, teacher: Uniform())
    #expect(undecided.curve.epochs.last!.loss < 0.05)
    let alone = try train(options)
    #expect(try accuracy(alone.model, barImages(200), pool: pool) > 0.9)
    #expect(bytes(alone.model) != bytes(undecided.model))
    #expect(throws: CompressError("the teacher tells 7 classes apart, the network 4")) {
      try train(options, teacher: Uniform(classCount: 7))
    }
  }

  @Test func memoryIsKnownBefore() throws {
    let trainer = try Trainer(
      model: barModel(), options: TrainingOptions(batchSize: 10), data: barImages(40), pool: pool)
    let parameters = try barModel().allParameters.reduce(0) { sum, entry in
      // Values, and of what is trained the gradient and Adam's two moments.
      sum + entry.parameter.count * (entry.role.isTrainable ? 4 : 1)
    }
    #expect(trainer.parameterBytes == 4 * parameters)
    #expect(trainer.activationBytes >= 4 * 10 * (64 + 64 * 4) && trainer.totalSteps == 4)
  }
}
