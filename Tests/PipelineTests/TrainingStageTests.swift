import Analysis
import Compression
import Datasets
import Diagnostics
import Foundation
import Network
import Synchronization
import Tensors
import Testing
import Training

@testable import Pipeline

@Suite struct TrainingStageTests {
  let data = Corners()

  private func recipe(_ change: (inout TrainingRecipe) -> Void = { _ in }) -> TrainingRecipe {
    var recipe = TrainingRecipe(data: data, epochs: 6, batchSize: 16, learningRate: .constant(0.01))
    change(&recipe)
    return recipe
  }

  private func stage(_ recipe: TrainingRecipe, _ inputs: [Stage]? = nil) throws -> Stage {
    try Stage(TrainStage(recipe, name: "tiny"), inputs: try inputs ?? [tinyStage()])
  }

  private func bytes(_ model: Model) -> [[UInt8]] {
    model.allParameters.map { $0.parameter.values.withBytes { [UInt8]($0) } }
  }

  private func checkpoints(_ folder: TemporaryFolder) -> [String] {
    (FileManager.default.enumerator(atPath: folder.path + "/checkpoints")?.compactMap { $0 as? String } ?? [])
      .filter { $0.hasSuffix(".checkpoint") }
  }

  @Test func aTrainingThatCameToNothingSaysSo() throws {
    func notes(rate: Double, count: Int = 512) throws -> [String] {
      let recipe = recipe {
        $0.data = Corners(count: count); $0.options.epochs = 2; $0.options.optimizer = .sgd()
        $0.learningRate = .constant(rate)
      }
      return try Executor(context: context(), store: nil).record(of: stage(recipe)).warnings ?? []
    }
    let failed = try notes(rate: 0)
    #expect(failed.count == 1 && failed[0].contains("no better than guessing one of 4 classes"), "\(failed)")
    #expect(try notes(rate: 0.05).isEmpty)
    #expect(try notes(rate: 0, count: 300).isEmpty, "too few samples to tell")
  }

  // MARK: Keys

  @Test func everyOptionIsPartOfTheKey() throws {
    struct Callback: TrainingCallback {
      var recipe: Recipe { "function" }
      var isForSteps: Bool { true }
      func call(_ moment: TrainingMoment) -> TrainingChange { TrainingChange() }
    }
    let changes: [(inout TrainingRecipe) -> Void] = [
      { _ in }, { $0.options.optimizer = .sgd() }, { $0.options.optimizer = .sgd(momentum: 0.5) },
      { $0.options.optimizer = .sgd(momentum: 0.5, nesterov: true) }, { $0.options.optimizer = .adamW() },
      { $0.options.optimizer = .adam(beta1: 0.8) }, { $0.options.weightDecay = 0.1 }, { $0.options.decaysAll = true },
      { $0.options.labelSmoothing = 0.1 }, { $0.options.gradientNorm = 1 }, { $0.options.averageDecay = 0.9 },
      { $0.validation = .share(0.25) }, { $0.validation = .data(Corners(count: 20, salt: 1)) },
      {
        $0.validation = .share(0.25); $0.options.patience = 3
      }, { $0.options.recalibrationBatches = 2 },
      { $0.callbacks = [Callback()] }, { $0.learningRate = .schedule(Line(from: 0.1, to: 0)) },
    ]
    var keys = Set(try changes.map { try stage(recipe($0)).key.digest })
    #expect(keys.count == changes.count)
    // How it is computed does not matter.
    #expect(try !keys.insert(stage(recipe { $0.options.recomputes = true }).key.digest).inserted)
    for seed in [2, 3] as [UInt64] {
      let taught = recipe { $0.hasTeacher = true }
      #expect(try keys.insert(stage(taught, [tinyStage(), tinyStage(seed: seed)]).key.digest).inserted)
    }
  }

  @Test func mistakesAreToldWhenTheStageIsRecorded() throws {
    func message(_ change: (inout TrainingRecipe) -> Void, _ inputs: [Stage]? = nil) throws -> String {
      do { _ = try stage(recipe(change), inputs) } catch let error as CompressError { return error.message }
      return ""
    }
    #expect(try message { $0.options.patience = 2 } == "patience needs validation data to lose it on")
    #expect(try message { $0.validation = .share(1) } == "a validation share of 1.0 is not between 0 and 1")
    #expect(try message { $0.validation = .share(1e-9) }.contains("no samples to validate on"))
    #expect(try message { $0.validation = .data(SyntheticDigits(count: 10, part: "test")) }.contains("[28, 28, 1]"))
    #expect(
      try message { $0.learningRate = .schedule(Line(from: 0.5, to: -1)) }
        == "learning rate -0.25 at progress 0.5 (step 2 of 2) is not a number from 0 up")
    var net = GraphBuilder(input: [8, 8, 1])
    net.flatten()
    net.dense(3)
    let other = try Stage(
      InitializeStage(name: "other", network: net.graph(), initialization: Initialization(.heNormal), seed: 1))
    #expect(
      try message({ $0.hasTeacher = true }, [tinyStage(), other])
        == "the teacher's output has shape [3], the network's [4]")
  }

  // MARK: Teachers

  @Test func anyModelTeaches() throws {
    let executor = Executor(context: try context(threads: 2), store: nil)
    let good = try stage(recipe())
    let int8 = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: data.taking(64)), inputs: [good])
    let test = Corners(count: 200, salt: 9)
    for teacher in [good, int8] {
      // Labels are not heard at all.
      let taught = recipe {
        $0.hasTeacher = true
        $0.options.distillation = Distillation(temperature: 2, weight: 1)
      }
      let student = try stage(taught, [tinyStage(seed: 7), teacher])
      let evaluation = try Evaluation(executor.model(of: student), on: test, context: executor.context.work)
      #expect(evaluation.accuracy > 0.9)
    }
  }

  @Test func aTeachersScoresAreThoseBeforeItsSoftmax() throws {
    var net = GraphBuilder(input: [2, 2, 1])
    net.flatten()
    net.dense(3, name: "dense")
    let open = try Model(initializing: net.graph(), seed: 3)
    net.activation(.softmax)
    var closed = try Model(initializing: net.graph(), seed: 3)
    try closed.set(open["dense", .weight]!, "dense", .weight)
    let samples = (0..<70 * 4).map { Float($0 % 9) - 4 }
    let scores = try [open, closed].map { model in
      let teacher = try ModelTeacher(model, pool: .serial)
      #expect(teacher.classCount == 3)
      var scores = [Float](repeating: 0, count: 70 * 3)
      try samples.withUnsafeBufferPointer { samples in
        try scores.withUnsafeMutableBufferPointer { try teacher.scores(samples, count: 70, into: $0) }
      }
      return scores
    }
    #expect(scores[0] == scores[1] && scores[0].contains { abs($0) > 1 })
  }

  // MARK: Validation

  @Test func theRecordTellsTheCurve() throws {
    let executor = Executor(context: try context(), store: nil)
    let held = recipe {
      $0.validation = .share(0.25)
      $0.options.patience = 6
    }
    let record = try executor.result(of: stage(held)).record
    #expect(record.curve.count == 6 && record.epochSeconds?.count == 6)
    #expect(record.curve.allSatisfy { $0.images == 192 && $0.validationAccuracy != nil })
    #expect(record.facts["activation_bytes"]! > 0)
    #expect(record.notes.contains { $0.hasPrefix("the weights are those of epoch") })
  }

  @Test func gradualPruningReachesItsTargetEvenWithPatience() throws {
    let executor = Executor(context: try context(), store: nil)
    let tuning = recipe {
      $0.validation = .share(0.25)
      $0.options.patience = 1
      $0.options.epochs = 12
    }
    let pruned = try Stage(
      PruneStage(Magnitude(), target: .schedule(Line(from: 0, to: 0.9)), training: tuning, interval: 4),
      inputs: [stage(recipe())])
    #expect(abs(try executor.result(of: pruned).record.facts["sparsity"]! - 0.9) < 0.005)
  }

  // MARK: Recalibration

  @Test func recalibrationMendsAPrunedNetwork() throws {
    let executor = Executor(context: try context(threads: 2), store: nil)
    let pruned = try Stage(PruneStage(Magnitude(), target: .sparsity(0.5)), inputs: [stage(recipe())])
    func recalibrated(_ batches: Int) throws -> Stage {
      try Stage(RecalibrateStage(data: data, batches: batches, batchSize: 32, seed: 1), inputs: [pruned])
    }
    let before = try executor.model(of: pruned), after = try executor.model(of: recalibrated(8))
    for (layer, role, parameter) in before.allParameters {
      let other = after[layer, role]!
      #expect(parameter.mask?.array(UInt8.self) == other.mask?.array(UInt8.self))
      let isStatistic = role == .mean || role == .variance
      #expect((parameter.values.array(Float.self) == other.values.array(Float.self)) != isStatistic, "\(role)")
    }
    #expect(try recalibrated(8).key != recalibrated(9).key)
    #expect(throws: CompressError("0 batches to recalibrate on; at least 1 is needed")) { try recalibrated(0) }
    var net = GraphBuilder(input: [8, 8, 1])
    net.flatten()
    net.dense(4)
    let plain = try Stage(
      InitializeStage(name: "plain", network: net.graph(), initialization: Initialization(.heNormal), seed: 1))
    #expect(throws: CompressError("the network has no batch norms to recalibrate")) {
      try Stage(RecalibrateStage(data: data, batches: 1, batchSize: 32, seed: 1), inputs: [plain])
    }
  }

  // MARK: Checkpoints

  /// Asks for a stop after some steps.
  private final class Stopping: ProgressSink {
    let cancellation: Cancellation
    let after: Int
    var notes: [String] = []
    var updates: [Int] = []

    init(_ cancellation: Cancellation, after: Int) {
      self.cancellation = cancellation
      self.after = after
    }

    func begin(_ label: String, total: Int) {}
    func update(done: Int, detail: String) {
      updates.append(done)
      if done >= after { cancellation.request() }
    }
    func end(detail: String) {}
    func note(_ text: String) { notes.append(text) }
  }

  private func run(_ stage: Stage, store: StageStore, stopAfter: Int = .max) throws -> (Stopping, StageResult?) {
    let cancellation = Cancellation()
    let progress = Stopping(cancellation, after: stopAfter)
    let context = StageContext(pool: try context().pool, progress: progress, cancellation: cancellation)
    do {
      return (progress, try Executor(context: context, store: store).result(of: stage))
    } catch let error as CompressError where error.kind == .cancelled {
      return (progress, nil)
    }
  }

  @Test func anInterruptedStageGoesOnAndEndsTheSame() throws {
    let expected = try Executor(context: context(), store: nil).result(of: stage(recipe()))
    let folder = try TemporaryFolder(), store = StageStore(root: folder.path)
    #expect(try run(stage(recipe()), store: store, stopAfter: 37).1 == nil)
    #expect(checkpoints(folder).count == 1)
    #expect(try store.contents().checkpoints == 1)
    // Another stage does not take it for its own.
    let other = try run(stage(recipe { $0.options.seed = 5 }), store: store)
    #expect(other.0.notes.isEmpty && other.0.updates.first == 1)
    #expect(try run(stage(recipe()), store: store, stopAfter: 60).1 == nil)
    let (progress, result) = try run(stage(recipe()), store: store)
    #expect(progress.notes == ["train tiny, 6 epochs: goes on where it was interrupted, after step 60 of 96"])
    #expect(progress.updates.first == 60 && progress.updates.dropFirst().first == 61)
    #expect(try bytes(#require(result).model) == bytes(expected.model))
    #expect(result!.record.curve == expected.record.curve)
    #expect(checkpoints(folder) == [], "what is finished needs no checkpoint")
  }

  @Test func aBrokenCheckpointCountsAsNone() throws {
    let expected = try Executor(context: context(), store: nil).model(of: stage(recipe()))
    for damage in 0..<3 {
      let folder = try TemporaryFolder(), store = StageStore(root: folder.path)
      _ = try run(stage(recipe()), store: store, stopAfter: 37)
      let path = "\(folder.path)/checkpoints/\(checkpoints(folder)[0])"
      var content = try Data(contentsOf: URL(fileURLWithPath: path))
      if damage == 0 { content.removeLast(100) } else { content[damage == 1 ? 40 : content.count / 2] ^= 1 }
      try content.write(to: URL(fileURLWithPath: path))
      let (progress, result) = try run(stage(recipe()), store: store)
      #expect(progress.updates.first == 1)
      #expect(try bytes(#require(result).model) == bytes(expected))
    }
  }

  @Test func functionsThatRememberAreNotInterruptedInTheMiddle() throws {
    /// Counts in a variable of its own.
    final class Counting: TrainingCallback {
      var count = 0
      var recipe: Recipe { ["count": .int(count)] }
      var isForSteps: Bool { true }
      func call(_ moment: TrainingMoment) -> TrainingChange {
        count += 1
        return TrainingChange(learningRate: count > 20 ? 0.001 : nil)
      }
    }
    let folder = try TemporaryFolder(), store = StageStore(root: folder.path)
    let (progress, _) = try run(
      stage(recipe { $0.callbacks = [Counting()] }), store: store, stopAfter: 37)
    #expect(
      progress.notes == [
        "no checkpoint of this training: a function among the options has changed a variable around it"
      ])
    #expect(checkpoints(folder) == [])
  }

  @Test func oldCheckpointsAreCollected() throws {
    let folder = try TemporaryFolder(), store = StageStore(root: folder.path)
    _ = try run(stage(recipe()), store: store, stopAfter: 37)
    _ = try store.collect(unusedFor: nil)
    _ = try store.collect(unusedFor: 3600)
    #expect(checkpoints(folder).count == 1)
    #expect(try store.collect(unusedFor: 3600, now: Date(timeIntervalSinceNow: 7200)).bytes > 0)
    #expect(checkpoints(folder) == [])
  }
}
