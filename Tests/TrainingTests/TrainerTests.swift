import Datasets
import Diagnostics
import Kernels
import Network
import Tensors
import Testing

@testable import Training

@Suite struct TrainerTests {
  private func train(
    _ model: Model, _ options: TrainingOptions, data: any Dataset = barImages(200), threads: Int = 2,
    hooks: [any TrainingHook] = []
  ) throws -> (model: Model, curve: TrainingCurve) {
    let pool = try ThreadPool(threads: threads, smallestWork: 0)
    return try Trainer(model: model, options: options, data: data, pool: pool).run(hooks: hooks)
  }

  @Test(arguments: [Optimizer.adam(), .sgd(momentum: 0.9), .sgd(momentum: 0.9, nesterov: true), .adamW()])
  func learns(optimizer: Optimizer) throws {
    let rate = optimizer.defaultLearningRate * 5
    let (model, curve) = try train(
      barModel(), TrainingOptions(epochs: 8, batchSize: 16, optimizer: optimizer, learningRate: .constant(rate)),
      data: barImages(400))
    #expect(curve.epochs.count == 8 && curve.seconds.count == 8)
    #expect(curve.epochs.last!.loss < curve.epochs[0].loss / 2)
    #expect(curve.epochs.allSatisfy { $0.images == 400 && $0.learningRate == rate })
    #expect(try accuracy(model, barImages(300, seed: 99), pool: ThreadPool(threads: 2, smallestWork: 0)) >= 0.95)
  }

  @Test func theNumberOfThreadsChangesNothing() throws {
    for optimizer in [Optimizer.adam(), .sgd(momentum: 0.9)] {
      let results = try [1, 2, 3].map {
        try train(
          barModel(), TrainingOptions(epochs: 2, batchSize: 150, optimizer: optimizer), data: barImages(400),
          threads: $0)
      }
      #expect(bytes(results[0].model) == bytes(results[1].model))
      #expect(bytes(results[0].model) == bytes(results[2].model))
      #expect(results[0].curve.epochs == results[2].curve.epochs)
    }
  }

  @Test func seeds() throws {
    func trained(_ options: TrainingOptions) throws -> [UInt8] { bytes(try train(barModel(), options).model) }
    let first = try trained(TrainingOptions(seed: 3))
    #expect(try trained(TrainingOptions(seed: 3)) == first)
    #expect(try trained(TrainingOptions(seed: 4)) != first)
    let stored = try trained(TrainingOptions(seed: 3, shuffles: false))
    #expect(stored != first)
    #expect(try trained(TrainingOptions(seed: 4, shuffles: false)) == stored)
  }

  @Test func everyParameterMoves() throws {
    let model = try barModel()
    let (trained, _) = try train(model, TrainingOptions())
    for (layer, role, parameter) in model.allParameters {
      #expect(
        parameter.values.array(Float.self) != trained[layer, role]!.values.array(Float.self), "\(layer) \(role)")
    }
  }

  @Test func batchNormKeepsRunningStatistics() throws {
    // One step over all samples: the new statistics follow from the batch alone.
    let data = barImages(30)
    let graph = try built([8, 8, 1]) {
      $0.batchNorm(BatchNorm(momentum: 0.75), name: "norm")
      $0.flatten()
      $0.dense(4)
    }
    let model = try Model(initializing: graph, seed: 1)
    let (trained, _) = try train(model, TrainingOptions(batchSize: 30, shuffles: false), data: data)
    let batch = Reference.statistics(data.images.map(Double.init), width: 1)
    #expect(abs(Double(trained["norm", .mean]!.values.item) - 0.25 * batch.mean[0]) < 1e-6)
    #expect(abs(Double(trained["norm", .variance]!.values.item) - (0.75 + 0.25 * batch.variance[0])) < 1e-6)
  }

  @Test func theLastBatchMayBeSmaller() throws {
    let (_, curve) = try train(barModel(), TrainingOptions(batchSize: 64), data: barImages(65))
    #expect(curve.epochs[0].images == 65)
    let small = try train(barModel(), TrainingOptions(batchSize: 500), data: barImages(3))
    #expect(small.curve.epochs[0].images == 3)
  }

  // MARK: Schedules, progress, stopping

  @Test func scheduleAndProgress() throws {
    var seen = [Double](), steps = [Int]()
    let options = TrainingOptions(
      epochs: 2, batchSize: 50,
      learningRate: .schedule { t in
        seen.append(t)
        return 0.01 * (1 - t)
      })
    let trainer = try Trainer(
      model: barModel(), options: options, data: barImages(100), pool: ThreadPool(threads: 1, smallestWork: 0))
    let (_, curve) = try trainer.run(onProgress: {
      steps.append($0.step)
      #expect($0.totalSteps == 4 && $0.epoch == ($0.step - 1) / 2 && $0.loss > 0 && (0...1).contains($0.accuracy))
    })
    #expect(seen == [0, 0.25, 0.5, 0.75])
    #expect(steps == [1, 2, 3, 4])
    #expect(curve.epochs.map(\.learningRate) == [0.0075, 0.0025])
  }

  @Test func divergenceIsAnError() throws {
    let options = TrainingOptions(epochs: 50, batchSize: 20, optimizer: .sgd(), learningRate: .constant(1e30))
    let error = #expect(throws: CompressError.self) { try train(barModel(), options) }
    #expect(error!.message.hasPrefix("the loss became nan in epoch 1, step 2, at learning rate 1e+30"))
    #expect(error!.hint != nil)
  }

  @Test func weightsThatOverflowInTheLastStepAreAnError() throws {
    let options = TrainingOptions(batchSize: 200, optimizer: .sgd(), learningRate: .constant(1e300))
    let error = #expect(throws: CompressError.self) { try train(barModel(), options) }
    #expect(error!.message == "the weights are no longer finite in epoch 1, step 1, at learning rate 1e+300")
  }

  @Test func cancellation() throws {
    var steps = 0
    let trainer = try Trainer(
      model: barModel(), options: TrainingOptions(batchSize: 10), data: barImages(100),
      pool: ThreadPool(threads: 1, smallestWork: 0))
    let error = #expect(throws: CompressError.self) {
      try trainer.run(onProgress: { _ in steps += 1 }, isCancelled: { steps == 3 })
    }
    #expect(error?.kind == .cancelled && steps == 3)
  }

  // MARK: Hooks and masks

  private final class HalvingHook: TrainingHook {
    var steps: [Int] = []
    var epochs: [Int] = []

    func beforeStep(_ step: Int, of total: Int, weights: TrainableWeights) throws {
      #expect(total == 20)
      steps.append(step)
      for (layer, role) in [("conv", ParameterRole.weight), ("dense", .weight)] {
        if let mask = weights.mask(layer) {
          let values = weights.values(layer, role)!.array(Float.self)
          for (keep, value) in zip(mask.array(UInt8.self), values) where keep == 0 { #expect(value == 0) }
        }
        guard step % 8 == 4 else { continue }
        let magnitudes = weights.values(layer)!.array(Float.self).map(abs)
        let median = magnitudes.sorted()[magnitudes.count / 2]
        let mask = Tensor(magnitudes.map { $0 >= median ? 1 : 0 } as [UInt8], weights.values(layer)!.shape)
        try weights.setMask(mask, of: layer)
      }
    }

    func afterEpoch(
      _ epoch: Int, _ result: TrainingCurve.Epoch, _ progress: TrainingProgress, weights: TrainableWeights
    ) -> TrainingChange {
      epochs.append(epoch)
      return TrainingChange()
    }
  }

  @Test func hooksPrune() throws {
    let hook = HalvingHook()
    let (model, _) = try train(barModel(), TrainingOptions(epochs: 2, batchSize: 20), hooks: [hook])
    #expect(hook.steps == Array(0..<20))
    #expect(hook.epochs == [0, 1])
    for layer in ["conv", "dense"] {
      let parameter = model[layer, .weight]!
      let mask = parameter.mask!.array(UInt8.self)
      #expect(mask.contains(0) && mask.contains(1))
      for (keep, value) in zip(mask, parameter.values.array(Float.self)) { #expect((keep == 0) == (value == 0)) }
    }
    #expect(model["grouped", .weight]!.mask == nil)
  }

  @Test func masksOfTheModelHold() throws {
    var model = try barModel()
    var parameter = model["dense", .weight]!
    try parameter.setMask(Tensor((0..<parameter.count).map { UInt8($0 % 3 == 0 ? 0 : 1) }, parameter.shape))
    try model.set(parameter, "dense", .weight)
    let trained = try train(model, TrainingOptions(epochs: 2)).model["dense", .weight]!
    #expect(trained.mask!.array(UInt8.self) == parameter.mask!.array(UInt8.self))
    for (i, value) in trained.values.array(Float.self).enumerated() { #expect((value == 0) == (i % 3 == 0)) }
  }

  @Test func hooksCannotMaskWhatIsNotThere() throws {
    struct Wrong: TrainingHook {
      func beforeStep(_ step: Int, of total: Int, weights: TrainableWeights) throws {
        #expect(weights.weightLayers == ["conv", "grouped", "depthwise", "dense"])
        #expect(weights.values("norm") == nil)
        try weights.setMask(nil, of: "norm")
      }
    }
    #expect(throws: CompressError("has no weight to mask").at(layer: "norm")) {
      try train(barModel(), TrainingOptions(), hooks: [Wrong()])
    }
  }

  // MARK: What cannot be trained

  @Test func optionsAreChecked() throws {
    for (options, message) in [
      (TrainingOptions(epochs: 0), "epochs: 0 is not in 1...1000000"),
      (TrainingOptions(batchSize: 0), "batch size: 0 is not in 1...65536"),
      (TrainingOptions(batchSize: 1 << 40), "batch size: 1099511627776 is not in 1...65536"),
      (TrainingOptions(optimizer: .sgd(momentum: 2)), "momentum 2.0 is not in 0..<1"),
      (
        TrainingOptions(learningRate: .constant(-1)),
        "learning rate -1.0 at progress 0.0 (step 1 of 1) is not a number from 0 up"
      ),
    ] {
      #expect(throws: CompressError(message)) { try train(barModel(), options) }
    }
  }

  @Test func quantizedModelsAreRefused() throws {
    var model = try barModel()
    let shape = model["dense", .weight]!.shape
    let integers = try IntegerValues(values: Tensor(zeros: shape, dtype: .int8), scales: [0.1], bits: 8)
    try model.set(Parameter(.integer(integers)), "dense", .weight)
    let error = #expect(throws: CompressError.self) { try train(model, TrainingOptions()) }
    #expect(error!.message == "weight is int8; only floats can be trained" && error!.layer == "dense")

    var annotated = try barModel()
    try annotated.setActivation(ActivationQuantization(scale: 1, zeroPoint: 0), of: "conv")
    #expect(throws: CompressError.self) { try train(annotated, TrainingOptions()) }
  }

  @Test func dataMustFit() throws {
    let model = try barModel()
    func oneImage(_ shape: Shape = [8, 8, 1], classCount: Int = 4, label: Int32 = 0) -> ArrayDataset {
      ArrayDataset(
        sampleShape: shape, classCount: classCount, images: [Float](repeating: 0, count: 64), labels: [label])
    }
    #expect(throws: CompressError("\"arrays\" has samples of shape [4, 16, 1]; the network takes [8, 8, 1]")) {
      try train(model, TrainingOptions(), data: oneImage([4, 16, 1]))
    }
    #expect(throws: CompressError("\"arrays\" has 5 classes; the network tells 4 apart")) {
      try train(model, TrainingOptions(), data: oneImage(classCount: 5))
    }
    let none = ArrayDataset(sampleShape: [8, 8, 1], classCount: 4, images: [], labels: [])
    #expect(throws: CompressError("\"arrays\" has no samples to train on")) {
      try train(model, TrainingOptions(), data: none)
    }
    #expect(throws: CompressError("sample 1 has the label 4; the labels of 4 classes are 0 to 3", kind: .input)) {
      try train(model, TrainingOptions(), data: oneImage(label: 4))
    }
  }

  /// What is no number is told with data set and sample, not with a smaller learning rate; of a part, with the place in
  /// the whole.
  @Test func valuesThatAreNoNumbers() throws {
    struct Silent: Teacher {
      var classCount: Int { 4 }
      func scores(_ samples: UnsafeBufferPointer<Float>, count: Int, into scores: UnsafeMutableBufferPointer<Float>) {
        for i in scores.indices { scores[i] = i == 4 * 3 + 1 ? .nan : 0 }
      }
    }
    let model = try barModel(), good = barImages(10)
    for value in [Float.nan, .infinity, -.infinity] {
      var images = good.images
      images[7 * 64 + 5] = value
      let bad = ArrayDataset(sampleShape: [8, 8, 1], classCount: 4, images: images, labels: good.labels)
      let told = "\"arrays\" has \(value) in sample 8 of 10"
      for data in [bad, try bad.dropping(5), try bad.sampled(10, seed: 3)] as [any Dataset] {
        let error = #expect(throws: CompressError.self) { try train(model, TrainingOptions(batchSize: 4), data: data) }
        #expect(error!.message == told)
      }
      let held = #expect(throws: CompressError.self) {
        try Trainer(
          model: model, options: TrainingOptions(batchSize: 4), data: good, validation: bad.dropping(2), pool: .serial
        ).run()
      }
      #expect(held!.message == told)
      // The data is looked at before the teacher is asked.
      let taught = #expect(throws: CompressError.self) {
        try Trainer(
          model: model, options: TrainingOptions(batchSize: 10, shuffles: false), data: bad, teacher: Silent(),
          pool: .serial
        ).run()
      }
      #expect(taught!.message == told)
      let gradients = #expect(throws: CompressError.self) { try WeightGradients(model, on: bad, pool: .serial) }
      #expect(gradients!.message == told)
    }
    let teacher = #expect(throws: CompressError.self) {
      try Trainer(
        model: model, options: TrainingOptions(batchSize: 10, shuffles: false), data: good, teacher: Silent(),
        pool: .serial
      ).run()
    }
    #expect(teacher!.message == "the teacher answers nan to sample 4 of 10 of \"arrays\"")
    var broken = model
    var weight = model["dense", .weight]!.values
    weight.withMutable(Float.self) { $0[2] = .nan }
    try broken.set(Parameter(weight), "dense", .weight)
    let before = #expect(throws: CompressError.self) { try train(broken, TrainingOptions(), data: good) }
    #expect(before!.layer == "dense" && before!.message.hasPrefix("weight has nan at 3 of "))
  }

  @Test func theOutputMustBeScores() throws {
    let data = barImages(10)
    let sigmoid = try built([8, 8, 1]) {
      $0.flatten(); $0.dense(4); $0.activation(.sigmoid)
    }
    #expect(throws: CompressError.self) {
      try train(Model(initializing: sigmoid, seed: 1), TrainingOptions(), data: data)
    }
    let image = try built([8, 8, 1]) { $0.conv2d(filters: 4, kernel: 8) }
    #expect(throws: CompressError.self) {
      try train(Model(initializing: image, seed: 1), TrainingOptions(), data: data)
    }
    let fixed = try built([8, 8, 1]) { $0.flatten() }
    #expect(throws: CompressError("the network has no parameters to train")) {
      try train(Model(initializing: fixed, seed: 1), TrainingOptions(), data: data)
    }
  }
}
