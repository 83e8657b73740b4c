import Analysis
import Datasets
import Diagnostics
import Foundation
import Network
import Training

/// Training as scripts and plugins describe it; used by the train stage and by every stage that fine-tunes.
public struct TrainingRecipe {
  public var data: any Dataset
  /// All but the learning rate, which is `learningRate`.
  public var options: TrainingOptions
  public var learningRate: Rate
  /// What to measure on after every epoch.
  public var validation: Validation?
  /// Whether the stage's second input is a teacher to learn from, as `options.distillation` says.
  public var hasTeacher = false
  public var callbacks: [any TrainingCallback] = []

  public enum Rate {
    /// The optimizer's default.
    case standard
    case constant(Double)
    case schedule(any Schedule)
  }

  public enum Validation {
    /// A share of the data, chosen at random, that is then not learned from; it is measured without augmentation.
    case share(Double)
    case data(any Dataset)
  }

  public init(
    data: any Dataset, epochs: Int = 1, batchSize: Int = 32, optimizer: Optimizer = .adam(),
    learningRate: Rate = .standard, seed: UInt64 = 0, shuffles: Bool = true
  ) {
    self.data = data
    self.learningRate = learningRate
    options = TrainingOptions(
      epochs: epochs, batchSize: batchSize, optimizer: optimizer, seed: seed, shuffles: shuffles)
  }

  /// `, 3 epochs`: for labels.
  var epochsText: String { "\(options.epochs) \(options.epochs == 1 ? "epoch" : "epochs")" }

  /// - Parameter inputs: the network's graph, then the teacher's if there is one.
  /// - Throws: `CompressError` when an option is out of range or the data does not fit the network.
  func check(_ inputs: [Graph]) throws {
    let graph = inputs[0]
    try options.validate()
    switch learningRate {
    case .standard: break
    case .constant(let rate): _ = try LearningRate.constant(rate).value(step: 0, of: 1)
    case .schedule(let schedule):
      for step in 0...1 { _ = try LearningRate.schedule(schedule.value(at:)).value(step: step, of: 2) }
    }
    try check(graph, fits: data)
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to train on") }
    let (learned, held) = try parts()
    if let held {
      try check(graph, fits: held)
      guard learned.count > 0 else { throw CompressError("validation leaves no samples to train on") }
      guard held.count > 0 else { throw CompressError("\"\(held.name)\" has no samples to validate on") }
    } else if options.patience != nil {
      throw CompressError("patience needs validation data to lose it on", hint: "validation = 0.1, or a data set")
    }
    guard hasTeacher else { return }
    let teacher = inputs[1]
    guard teacher.inputShape == graph.inputShape else {
      throw CompressError("the teacher takes samples of shape \(teacher.inputShape), the network \(graph.inputShape)")
    }
    if let matching = options.matching { return try matching.check(graph, teacher) }
    guard teacher.outputShape == graph.outputShape else {
      throw CompressError(
        "the teacher's output has shape \(teacher.outputShape), the network's \(graph.outputShape)")
    }
  }

  /// Without labels only the samples have to fit.
  private func check(_ graph: Graph, fits data: any Dataset) throws {
    options.matching == nil ? try Evaluation.check(graph, fits: data) : try Evaluation.checkShape(graph, fits: data)
  }

  /// The samples to learn from and those to validate on.
  private func parts() throws -> (learned: any Dataset, held: (any Dataset)?) {
    switch validation {
    case nil: return (data, nil)
    case .data(let held): return (data, held)
    case .share(let share):
      guard share > 0, share < 1 else { throw CompressError("a validation share of \(share) is not between 0 and 1") }
      let (learned, held) = try data.split(1 - share, seed: options.seed)
      return (learned, held.unaugmented)
    }
  }

  func recipe() throws -> Recipe {
    let rate: Recipe =
      switch learningRate {
      case .standard: .null
      case .constant(let rate): .number(rate)
      case .schedule(let schedule): schedule.recipe
      }
    let held: Recipe =
      switch validation {
      case nil: .null
      case .share(let share): .number(share)
      case .data(let data): try data.identity.recipe()
      }
    return [
      "data": try data.identity.recipe(), "options": options.recipe, "learning_rate": rate, "validation": held,
      "teacher": .bool(hasTeacher), "callbacks": .list(callbacks.map(\.recipe)),
    ]
  }

  /// Trains, with progress; the hooks look on. At most once in a stage, which has one checkpoint.
  ///
  /// - Parameters:
  ///   - inputs: the model, then the teacher if there is one.
  ///   - recipes: of the functions that the hooks ask.
  ///   - quantization: what the network is trained for.
  ///   - outcome: a few words about the trained model, for the line that says it is done.
  ///   - onEnd: gets the trainer when all is done.
  func train(
    _ inputs: [Model], hooks: [any TrainingHook] = [], asking recipes: () -> [Recipe] = { [] }, label: String,
    quantization: FakeQuantization = FakeQuantization(), context: StageContext,
    outcome: (Model) -> String? = { _ in nil }, onEnd: (Trainer) throws -> Void = { _ in }
  ) throws -> StageResult {
    var options = options
    options.quantization = quantization
    switch learningRate {
    case .standard: options.learningRate = nil
    case .constant(let rate): options.learningRate = .constant(rate)
    case .schedule(let schedule): options.learningRate = .schedule(schedule.value(at:))
    }
    let (data, held) = try parts()
    let teacher = hasTeacher ? try ModelTeacher(inputs[1], matching: options.matching, pool: context.pool) : nil
    func makeTrainer() throws -> Trainer {
      try Trainer(
        model: inputs[0], options: options, data: data, validation: held, teacher: teacher, pool: context.pool)
    }
    var trainer = try makeTrainer()
    if let bytes = context.checkpoint?.load() {
      do { try bytes.withBytes(trainer.restore) } catch is CompressError { trainer = try makeTrainer() }
    }
    tellMemory(trainer, label, context)
    context.progress.begin(label, total: trainer.totalSteps)
    if trainer.stepsDone > 0 {
      let epoch = trainer.stepsDone / trainer.stepsPerEpoch + 1
      context.progress.note(
        "\(label): goes on where it was interrupted, after step \(trainer.stepsDone) of \(trainer.totalSteps)")
      context.progress.update(done: trainer.stepsDone, detail: "epoch \(min(epoch, options.epochs))/\(options.epochs)")
    }
    let before = functions(recipes)
    let start = ContinuousClock.now
    var images = 0
    var speed: Double { Double(images) / max((ContinuousClock.now - start) / .seconds(1), 1e-9) }
    let (trained, curve) = try trainer.run(
      hooks: hooks + callbacks.map { CallbackHook(callback: $0, epochs: options.epochs) },
      onProgress: { at in
        images = at.images
        context.progress.update(
          done: at.step,
          detail:
            "epoch \(at.epoch + 1)/\(options.epochs)  loss \(at.loss.formatted(3))  "
            + "\(hitsName) \((at.accuracy * 100).formatted(2)) %  \(Int(saturating: speed)) images/s")
      },
      checkpoint: { moment in
        let problem = context.checkpoint?.save(moment) { write in
          // What they remember in variables around them would be lost.
          guard functions(recipes) == before else {
            throw CompressError("a function among the options has changed a variable around it")
          }
          try trainer.write(to: write)
        }
        if let problem {
          context.progress.note("no checkpoint of this training: \(problem.message)")
        }
      }, isCancelled: { (try? context.step()) == nil })
    let words = [outcome(trained), summary(curve, speed: images == 0 ? nil : speed)].compactMap { $0 }
    context.progress.end(detail: words.joined(separator: "  "))
    try onEnd(trainer)
    var record = StageRecord()
    record.curve = curve.epochs
    record.epochSeconds = curve.seconds
    record.notes = notes(curve)
    let outputs = inputs[0].graph.outputShape.count
    if options.matching == nil {
      for warning in [divergence(curve, outputs) ?? Self.failure(curve, classes: outputs), idleOutputs(outputs)] {
        if let warning { record.warn(warning) }
      }
    }
    record.facts["activation_bytes"] = Double(trainer.activationBytes)
    return StageResult(trained, record)
  }

  /// The functions asked while training, as they are now.
  private func functions(_ others: () -> [Recipe]) -> [Recipe] {
    var recipes = others() + callbacks.map(\.recipe)
    if case .schedule(let schedule) = learningRate { recipes.append(schedule.recipe) }
    return recipes
  }

  /// Said before the work begins where it is much, or was asked to be less.
  private func tellMemory(_ trainer: Trainer, _ label: String, _ context: StageContext) {
    let activations = Double(trainer.activationBytes) / 1e6, parameters = Double(trainer.parameterBytes) / 1e6
    guard activations >= 256 || options.recomputes else { return }
    context.progress.note(
      "\(label): a batch of \(options.batchSize) takes \(activations.formatted(1)) MB for activations and their "
        + "gradients, the weights and all that belongs to them \(parameters.formatted(1)) MB")
  }

  /// What the share of hits is: of labels, or of the teacher's greatest scores.
  private var hitsName: String { options.matching == nil ? "accuracy" : "agreement" }

  private func summary(_ curve: TrainingCurve, speed: Double?) -> String {
    guard let last = curve.epochs.last else { return "" }
    var text = "loss \(last.loss.formatted(3))  \(hitsName) \((last.accuracy * 100).formatted(2)) % while training"
    if let accuracy = (curve.bestEpoch.map { curve.epochs[$0] } ?? last).validationAccuracy {
      text += ", \((accuracy * 100).formatted(2)) % in validation"
    }
    if let best = curve.bestEpoch { text += " (epoch \(best + 1), the best of \(curve.epochs.count))" }
    return text + (speed.map { "  \(Int(saturating: $0)) images/s" } ?? "")
  }

  private func notes(_ curve: TrainingCurve) -> [String] {
    var notes: [String] = []
    if curve.epochs.count < options.epochs {
      notes.append("training ended after epoch \(curve.epochs.count) of \(options.epochs)")
    }
    if let best = curve.bestEpoch { notes.append("the weights are those of epoch \(best + 1), the best in validation") }
    return notes
  }
}

extension TrainingRecipe {
  /// So many times the loss of guessing is no longer learning.
  private static let diverged = 10.0

  /// What is to be said of a training that came apart: its loss is far above that of guessing.
  private func divergence(_ curve: TrainingCurve, _ classes: Int) -> String? {
    guard let last = curve.epochs.last, classes > 1 else { return nil }
    // Of a network that says the same of every class; distilled, what is left of the divergence may count T² times.
    let weight = options.distillation.weight, temperature = options.distillation.temperature
    let guessing = log(Double(classes)) * (hasTeacher ? 1 - weight + weight * temperature * temperature : 1)
    guard last.loss > Self.diverged * guessing else { return nil }
    return
      "the loss ended at \(last.loss.short), where guessing one of \(classes) classes costs \(guessing.short): the "
      + "training came apart; the learning rate (\(last.learningRate.short) at the end) may be too high"
  }

  /// What is to be said of outputs that no label ever asks for.
  private func idleOutputs(_ outputs: Int) -> String? {
    guard outputs > data.classCount, data.classCount > 0 else { return nil }
    let classes = "\(data.classCount) \(data.classCount == 1 ? "class" : "classes")"
    return
      "the network has \(outputs) outputs, \"\(data.name)\" \(classes): "
      + "no sample has one of the labels above"
  }

  /// What is to be said of a training that taught nothing: it has seen enough samples and does no better than guessing.
  static func failure(_ curve: TrainingCurve, classes: Int) -> String? {
    guard let last = curve.epochs.last, classes > 1, last.images >= 100 * classes,
      last.accuracy <= 1.1 / Double(classes)
    else { return nil }
    return "accuracy while training ended at \((last.accuracy * 100).formatted(2)) %, no better than guessing one of "
      + "\(classes) classes; the learning rate (\(last.learningRate.formatted(4)) at the end) may be too high"
  }
}

extension TrainingOptions {
  /// Everything but the learning rate.
  fileprivate var recipe: Recipe {
    var recipe: [String: Recipe] = [
      "epochs": .int(epochs), "batch": .int(batchSize), "optimizer": optimizer.recipe,
      "seed": .int(Int(bitPattern: UInt(seed))), "shuffle": .bool(shuffles),
      "weight_decay": .number(weightDecay ?? optimizer.defaultWeightDecay), "decay_all": .bool(decaysAll),
      "label_smoothing": .number(labelSmoothing), "clip_norm": gradientNorm.map { .number($0) } ?? .null,
      "average": averageDecay.map { .number($0) } ?? .null, "temperature": .number(distillation.temperature),
      "alpha": .number(distillation.weight), "patience": patience.map { .int($0) } ?? .null,
      "recalibrate": .int(recalibrationBatches), "precision": .string(precision.rawValue),
    ]
    if entropy > 0 { recipe["entropy"] = .number(entropy) }
    if let matching {
      recipe["matching"] = [
        "error": .string(matching.error.rawValue), "values": .list(matching.values.map { .string($0) }),
      ]
    }
    return .map(recipe)
  }
}

extension Optimizer {
  fileprivate var recipe: Recipe {
    switch self {
    case .sgd(let momentum, let nesterov):
      ["name": "sgd", "momentum": .number(momentum), "nesterov": .bool(nesterov)]
    case .adam(let beta1, let beta2, let epsilon):
      ["name": "adam", "beta1": .number(beta1), "beta2": .number(beta2), "epsilon": .number(epsilon)]
    case .adamW(let beta1, let beta2, let epsilon):
      ["name": "adamw", "beta1": .number(beta1), "beta2": .number(beta2), "epsilon": .number(epsilon)]
    }
  }
}
