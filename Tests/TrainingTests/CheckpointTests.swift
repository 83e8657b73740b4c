import Datasets
import Diagnostics
import Kernels
import Network
import Tensors
import Testing

@testable import Training

/// Training that is stopped anywhere and taken up by another trainer ends as if nothing had been.
@Suite struct CheckpointTests {
  /// Masks more and more of one layer, and frees it all at the end, by what it has gathered: state that is in the
  /// weights alone.
  private struct Masking: TrainingHook {
    func afterBackward(_ step: Int, of total: Int, weights: TrainableWeights) throws {
      guard step > 3, let gradient = weights.gradient("dense") else { return }
      let sum = weights.gathered("dense") ?? Tensor(zeros: gradient.shape)
      try weights.gather(sum.applying(.add, gradient), of: "dense")
    }

    func beforeStep(_ step: Int, of total: Int, weights: TrainableWeights) throws {
      guard step % 5 == 2, let weight = weights.values("dense") else { return }
      let gathered = weights.gathered("dense").map { $0.array(Float.self) } ?? weight.array()
      let mask = Tensor((0..<weight.count).map { UInt8(($0 + step) % 7 < 5 || gathered[$0] > 0 ? 1 : 0) }, weight.shape)
      try weights.setMask(step > 20 ? nil : mask, of: "dense")
    }

    func afterEpoch(
      _ epoch: Int, _ result: TrainingCurve.Epoch, _ progress: TrainingProgress, weights: TrainableWeights
    ) -> TrainingChange {
      TrainingChange(learningRate: epoch == 1 ? 0.002 : nil)
    }

    func isSettled(after step: Int, of total: Int) -> Bool { step > 5 }
  }

  private struct Corner: Teacher {
    var classCount: Int { 4 }
    func scores(
      _ samples: UnsafeBufferPointer<Float>, count: Int, into scores: UnsafeMutableBufferPointer<Float>
    ) throws {
      for sample in 0..<count {
        for k in 0..<4 { scores[sample * 4 + k] = samples[sample * 64 + k * 9] }
      }
    }
  }

  private static func options(_ optimizer: Optimizer) -> TrainingOptions {
    var options = TrainingOptions(epochs: 5, batchSize: 16, optimizer: optimizer, seed: 6)
    options.learningRate = .schedule { 0.01 * (1 - $0) }
    options.weightDecay = 0.01
    options.labelSmoothing = 0.1
    options.gradientNorm = 0.5
    return options
  }

  private func trainer(_ options: TrainingOptions, isRich: Bool) throws -> Trainer {
    try Trainer(
      model: barModel(), options: options, data: barImages(100),
      validation: isRich ? barImages(30, seed: 8) : nil, teacher: isRich ? Corner() : nil,
      pool: ThreadPool(threads: 2, smallestWork: 0))
  }

  private func checkpoint(_ trainer: Trainer) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try trainer.write { bytes += Array($0) }
    return bytes
  }

  @Test(arguments: [Optimizer.sgd(momentum: 0.9, nesterov: true), .adamW(), .sgd()], [false, true])
  func resumesToTheSameBytes(optimizer: Optimizer, isRich: Bool) throws {
    var options = Self.options(optimizer)
    if isRich {
      options.averageDecay = 0.9
      options.patience = 2
      options.recalibrationBatches = 3
      options.recomputes = true
    }
    let hooks: [any TrainingHook] = [Masking()]
    let undisturbed = try trainer(options, isRich: isRich).run(hooks: hooks)
    var random = SeededRandom(seed: isRich ? 1 : 2)
    for _ in 0..<4 {
      var left: [UInt8]?, stops = 0
      while true {
        let trainer = try trainer(options, isRich: isRich)
        if let left { try left.withUnsafeBytes(trainer.restore) }
        let begin = trainer.stepsDone
        // Sometimes at the very step at which it was taken up.
        let until = stops < 3 ? begin + random.below(16) : .max
        var steps = begin
        do {
          let result = try trainer.run(
            hooks: hooks, onProgress: { steps = $0.step },
            checkpoint: { moment in
              if case .required = moment { left = try checkpoint(trainer) }
            }, isCancelled: { steps >= until })
          #expect(bytes(result.model) == bytes(undisturbed.model))
          for (a, b) in zip(result.model.allParameters, undisturbed.model.allParameters) {
            #expect(a.parameter.mask?.array(UInt8.self) == b.parameter.mask?.array(UInt8.self))
          }
          #expect(result.curve.epochs == undisturbed.curve.epochs)
          #expect(result.curve.bestEpoch == undisturbed.curve.bestEpoch)
          break
        } catch let error as CompressError where error.kind == .cancelled {
          stops += 1
        }
      }
      #expect(stops > 0)
    }
  }

  /// As after `kill -9`: from whichever checkpoint was the last.
  @Test func anyCheckpointWillDo() throws {
    var options = Self.options(.adam())
    options.averageDecay = 0.5
    var left: [[UInt8]] = []
    let first = try trainer(options, isRich: true)
    let undisturbed = try first.run(checkpoint: { _ in left.append(try checkpoint(first)) })
    #expect(left.count == 35)
    for (number, bytesLeft) in left.enumerated() where number % 4 == 2 || number > 32 {
      let trainer = try trainer(options, isRich: true)
      try bytesLeft.withUnsafeBytes(trainer.restore)
      #expect(try bytes(trainer.run().model) == bytes(undisturbed.model))
    }
  }

  @Test func anEndThatWasAskedForHolds() throws {
    struct Stop: TrainingHook {
      func afterStep(_ progress: TrainingProgress, weights: TrainableWeights) -> TrainingChange {
        TrainingChange(stops: progress.step == 9)
      }
    }
    var left: [UInt8] = []
    let first = try trainer(Self.options(.adam()), isRich: false)
    let stopped = try first.run(hooks: [Stop()], checkpoint: { _ in left = try checkpoint(first) })
    #expect(stopped.curve.epochs.map(\.images) == [100, 32])
    let second = try trainer(Self.options(.adam()), isRich: false)
    try left.withUnsafeBytes(second.restore)
    let again = try second.run(hooks: [Stop()])
    #expect(bytes(again.model) == bytes(stopped.model) && again.curve.epochs == stopped.curve.epochs)
  }

  @Test func whatIsNoCheckpointIsRefused() throws {
    let options = Self.options(.adam())
    let whole = try checkpoint(trainer(options, isRich: false))
    for count in [0, 7, 8, 100, whole.count - 1] {
      #expect(throws: CompressError.self, "\(count) bytes") {
        try Array(whole.prefix(count)).withUnsafeBytes(trainer(options, isRich: false).restore)
      }
    }
    #expect(throws: CompressError.self) {
      try (whole + [0]).withUnsafeBytes(trainer(options, isRich: false).restore)
    }
    var huge = whole
    for i in 0..<8 { huge[i] = 0xFF }
    #expect(throws: CompressError.self) { try huge.withUnsafeBytes(trainer(options, isRich: false).restore) }
    // Another optimizer keeps something else.
    #expect(throws: CompressError("the checkpoint is of another training", kind: .input)) {
      try whole.withUnsafeBytes(trainer(Self.options(.sgd()), isRich: false).restore)
    }
    var averaged = options
    averaged.averageDecay = 0.9
    #expect(throws: CompressError("the checkpoint is of another training", kind: .input)) {
      try whole.withUnsafeBytes(trainer(averaged, isRich: false).restore)
    }
  }
}
