import Datasets
import Diagnostics
import Kernels
import Network
import Tensors

/// Trains a model's float weights on labelled samples by cross-entropy, or without labels to do as a teacher does.
///
///     let trainer = try Trainer(model: model, options: options, data: mnist, pool: pool)
///     let (trained, curve) = try trainer.run()
///
/// Values that a mask removes are zero after every step. The same model, data and options give the same
/// bytes, whatever the number of threads, and whether or not it was interrupted on the way (see `restore`).
public final class Trainer {
  let options: TrainingOptions
  private let data: any Dataset
  let validation: (any Dataset)?
  let pool: ThreadPool
  let weights: TrainableWeights
  let graph: TrainingGraph
  let loss: CrossEntropy
  /// In place of the cross-entropy where there are no labels.
  private let matching: MatchingLoss?
  let reader: BatchReader
  private let teaching: Teaching?
  let average: WeightAverage?
  /// The best weights so far, in the parameters' order; masks too, which hooks may have changed since.
  var best: BestWeights?
  private let gradientPartials: FloatBuffer
  var state = TrainingState()
  private var hasRun = false
  /// How long the last step took; nil before the first.
  private var lastStep: Duration?

  private struct Teaching {
    let teacher: any Teacher
    let scores: FloatBuffer
  }

  /// - Parameters:
  ///   - validation: measured after every epoch; never learned from.
  ///   - teacher: what `options.distillation` is about.
  /// - Throws: `CompressError` when an option is out of range, the model cannot be trained, or the data or the teacher
  ///   does not fit it.
  public init(
    model: Model, options: TrainingOptions, data: any Dataset, validation: (any Dataset)? = nil,
    teacher: (any Teacher)? = nil, pool: ThreadPool
  ) throws {
    try options.validate()
    guard options.patience == nil || validation != nil else {
      throw CompressError("patience needs validation data to lose it on")
    }
    let weights = try TrainableWeights(model, quantization: options.quantization)
    for parameter in weights.parameters where options.decaysAll {
      parameter.decays = parameter.role.isTrainable && parameter.role != .weightScale && parameter.role != .outputScale
    }
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to train on") }
    try Self.checkShape(data, model)
    let batchSize = min(options.batchSize, data.count)
    let graph = try TrainingGraph(
      model.graph, weights: weights, batchSize: batchSize, recomputes: options.recomputes,
      precision: options.precision, targets: options.matching?.targets(in: model.graph), pool: pool)
    guard options.matching == nil || teacher != nil else {
      throw CompressError("without labels there is a teacher to learn from")
    }
    let width = graph.outputs.reduce(0) { $0 + $1.size }
    for data in [data, validation].compactMap({ $0 }) {
      try Self.checkShape(data, model)
      guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to validate on") }
      guard options.matching != nil || data.classCount <= graph.scores.size else {
        throw CompressError(
          "\"\(data.name)\" has \(data.classCount) classes; the network tells \(graph.scores.size) apart")
      }
    }
    teaching = try teacher.map { teacher in
      guard teacher.classCount == width else {
        throw CompressError(
          options.matching == nil
            ? "the teacher tells \(teacher.classCount) classes apart, the network \(width)"
            : "the teacher has \(teacher.classCount) values to match, the network \(width)")
      }
      return Teaching(teacher: teacher, scores: try FloatBuffer(batchSize * width))
    }
    for parameter in weights.parameters { try options.optimizer.prepare(parameter) }
    self.options = options
    self.data = data
    self.validation = validation
    self.pool = pool
    self.weights = weights
    self.graph = graph
    average = try options.averageDecay.map { try WeightAverage(weights, decay: $0) }
    gradientPartials = try weights.makeGradientPartials()
    loss = try CrossEntropy(
      batchSize: batchSize, classes: graph.scores.size, smoothing: options.labelSmoothing,
      distillation: teacher == nil ? nil : options.distillation)
    matching = try options.matching.map {
      try MatchingLoss($0.error, values: graph.outputs.count, batchSize: batchSize)
    }
    reader = BatchReader(
      batchSize: batchSize, classes: options.matching == nil ? graph.scores.size : Int(Int32.max))
  }

  /// The quantization trained for, with its scales as they are now.
  public func currentQuantization() throws -> FakeQuantization { try weights.currentQuantization() }

  static func checkShape(_ data: any Dataset, _ model: Model) throws {
    guard data.sampleShape == model.graph.inputShape else {
      throw CompressError(
        "\"\(data.name)\" has samples of shape \(data.sampleShape); the network takes \(model.graph.inputShape)")
    }
  }

  /// Bytes of all activations and their gradients at once, for one batch.
  public var activationBytes: Int { graph.activationBytes }

  /// Bytes of parameters, their gradients, and what optimizer and average keep.
  public var parameterBytes: Int {
    let floats = weights.parameters.reduce(0) { sum, parameter in
      let copies = 1 + (parameter.gradient == nil ? 0 : 1) + parameter.state.count + (average == nil ? 0 : 2)
      return sum + copies * parameter.values.count
    }
    return floats * MemoryLayout<Float>.stride
  }

  /// Steps of an epoch, and in all unless it ends early.
  public var stepsPerEpoch: Int { (data.count + graph.batchSize - 1) / graph.batchSize }
  public var totalSteps: Int { stepsPerEpoch * options.epochs }
  /// Steps that are done: not zero once `restore` has read a checkpoint.
  public var stepsDone: Int { state.step }

  /// Trains for all epochs; a trainer runs once.
  ///
  /// - Parameters:
  ///   - onProgress: called after every step.
  ///   - checkpoint: called where training could be taken up again; it may call `write(to:)`. `.required` is the last
  ///     chance before a cancellation takes effect.
  ///   - isCancelled: asked before every step.
  /// - Throws: `CompressError` when the loss is no longer a number, the data cannot be read, or (kind `cancelled`) when
  ///   `isCancelled` says so; what hooks, schedule, `checkpoint` and `onProgress` throw.
  public func run(
    hooks: [any TrainingHook] = [], onProgress: (TrainingProgress) throws -> Void = { _ in },
    checkpoint: (CheckpointMoment) throws -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws -> (model: Model, curve: TrainingCurve) {
    precondition(!hasRun, "a trainer runs once")
    hasRun = true
    let total = totalSteps
    var run = Run(hooks: hooks)
    while state.epoch < options.epochs, !state.isStopped {
      let batches = try batches(epoch: state.epoch)
      var start = ContinuousClock.now
      func lap() {
        state.seconds += (ContinuousClock.now - start) / .seconds(1)
        start = .now
      }
      while state.stepOfEpoch < batches.count, !state.isStopped {
        if isCancelled() {
          lap()
          try checkpoint(.required)
          throw CompressError("training was cancelled", kind: .cancelled)
        }
        let progress = try heedfully { try step(batches, of: total, &run) }
        try onProgress(progress)
        for hook in hooks { apply(try hook.afterStep(progress, weights: weights)) }
        // The end of an epoch, and an end asked for, are written down when the epoch has its result.
        if state.stepOfEpoch < batches.count, !state.isStopped {
          lap()
          try checkpoint(.step)
        }
      }
      try endEpoch(&run, lap: lap)
      try checkpoint(.epoch)
    }
    try finish()
    return (try weights.model(), state.curve)
  }

  /// Only measures the batch norms' running statistics, over `options.recalibrationBatches`; in place of `run`.
  ///
  /// - Throws: `CompressError` when the data cannot be read or the statistics are not finite.
  public func recalibrate() throws -> Model {
    precondition(!hasRun, "a trainer runs once")
    hasRun = true
    try measureStatistics()
    guard weights.areFinite else {
      throw CompressError("the statistics of the batch norms are not finite: the weights or the data are too large")
    }
    return try weights.model()
  }

  /// What is not kept from run to run.
  private struct Run {
    let hooks: [any TrainingHook]
    var images = 0
    var last: TrainingProgress?
  }

  func batches(epoch: Int) throws -> Batches {
    let order: BatchOrder = options.shuffles ? .shuffled(seed: options.seed) : .sequential
    return try Batches(data, size: graph.batchSize, order: order, epoch: epoch)
  }

  private func apply(_ change: TrainingChange) {
    state.learningRate = change.learningRate ?? state.learningRate
    state.isStopped = state.isStopped || change.stops
  }

  // MARK: Steps

  /// How long a step may take without hearing a request to stop.
  private static let longestUnheard = Duration.milliseconds(200)

  /// Runs one step. Where steps are short it is not cut short itself, so that a training can be written down, and later
  /// taken up, where it was stopped; a step that is cut off leaves nothing of use.
  private func heedfully<R>(_ step: () throws -> R) throws -> R {
    let isShort = lastStep.map { $0 < Self.longestUnheard } ?? false
    let start = ContinuousClock.now
    defer { lastStep = .now - start }
    guard !isShort else { return try Cancellation.$current.withValue(nil) { try step() } }
    let result = try step()
    try Cancellation.checkCurrent()
    return result
  }

  /// One step on the epoch's next batch; the result is measured before the weights move.
  private func step(_ batches: Batches, of total: Int, _ run: inout Run) throws -> TrainingProgress {
    let indices = batches.indices(state.stepOfEpoch)
    for hook in run.hooks { try hook.beforeStep(state.step, of: total, weights: weights) }
    let schedule = options.learningRate ?? .constant(options.optimizer.defaultLearningRate)
    let rate = try (state.learningRate.map { .constant($0) } ?? schedule).value(step: state.step, of: total)
    let labels = try read(batches, state.stepOfEpoch)
    let noise = options.seed &+ UInt64(state.step + 1) &* 0x9E37_79B9_7F4A_7C15
    try graph.forward(count: indices.count, .training, noise: noise)
    try Cancellation.checkCurrent()  // what stands for positions may not be there
    let (loss, correct) = evaluate(labels)
    guard loss.isFinite else {
      try Cancellation.checkCurrent()
      if state.step == 0, let bad = weights.firstNonFinite {
        throw CompressError(
          "\(bad.role.rawValue) has \(bad.value) at \(bad.index + 1) of \(bad.count), before the first step"
        ).at(layer: bad.layer)
      }
      throw divergence("the loss became \(loss.isNaN ? "nan" : "infinite")", rate)
    }
    try graph.backward()
    try Cancellation.checkCurrent()  // weights do not move by gradients that were not all computed
    if options.entropy > 0 { EntropyPenalty(price: options.entropy).addGradients(weights, pool: pool) }
    for hook in run.hooks { try hook.afterBackward(state.step, of: total, weights: weights) }
    state.step += 1
    state.stepOfEpoch += 1
    move(rate)
    state.images += indices.count
    state.correct += correct
    state.loss += loss * Double(indices.count)
    run.images += indices.count
    let progress = TrainingProgress(
      step: state.step, totalSteps: total, epoch: state.epoch, loss: state.loss / Double(state.images),
      accuracy: Double(state.correct) / Double(state.images), stepLoss: loss,
      stepAccuracy: Double(correct) / Double(indices.count), learningRate: rate, images: run.images)
    run.last = progress
    return progress
  }

  /// The loss of the batch that was read last, and its hits; the outputs' gradients are written.
  private func evaluate(_ labels: [Int32]) -> (loss: Double, correct: Int) {
    guard let matching, let teaching else {
      return loss.evaluate(graph.scores, labels: labels, teacher: teaching?.scores, pool: pool)
    }
    return matching.evaluate(
      graph.outputs, targets: teaching.scores, count: labels.count, isLearning: true, pool: pool)
  }

  /// The same without gradients, plain: for validation.
  func measure(_ labels: [Int32]) -> (loss: Double, correct: Int) {
    guard let matching, let teaching else { return loss.measure(graph.scores, labels: labels, pool: pool) }
    return matching.evaluate(
      graph.outputs, targets: teaching.scores, count: labels.count, isLearning: false, pool: pool)
  }

  /// Asks the teacher about the batch that was read last, where validation needs it.
  func ask(_ batches: Batches, _ number: Int, count: Int) throws {
    if matching != nil { try askTeacher(batches, number, count: count) }
  }

  /// Reads a batch, and what the teacher makes of it.
  private func read(_ batches: Batches, _ number: Int) throws -> [Int32] {
    let labels = try reader.read(batches, number, into: graph.samples, pool: pool)
    try askTeacher(batches, number, count: labels.count)
    return labels
  }

  private func askTeacher(_ batches: Batches, _ number: Int, count: Int) throws {
    guard let teaching else { return }
    let scores = UnsafeMutableBufferPointer(start: teaching.scores.base, count: count * teaching.teacher.classCount)
    try teaching.teacher.scores(
      UnsafeBufferPointer(start: graph.samples.base, count: count * graph.sampleSize), count: count, into: scores)
    try Cancellation.checkCurrent()
    if let bad = scores.firstIndex(where: { !$0.isFinite }) {
      let data = batches.data, sample = batches.indices(number)[bad / teaching.teacher.classCount]
      throw CompressError(
        "the teacher answers \(scores[bad]) to \(data.place(of: sample)) of \"\(data.name)\"",
        hint: "is a weight of it NaN, or was it trained at too high a learning rate?")
    }
  }

  /// Moves all parameters by their gradients.
  private func move(_ rate: Double) {
    var step = Optimizer.Step(
      rate: rate, number: state.step, decay: options.weightDecay ?? options.optimizer.defaultWeightDecay)
    if let limit = options.gradientNorm {
      let norm = weights.gradientNorm(pool, partials: gradientPartials)
      if norm > limit { step.gradientScale = Float(limit / norm) }
    }
    for parameter in weights.parameters { options.optimizer.update(parameter, step, pool: pool) }
    average?.add(weights, pool: pool)
  }

  private func divergence(_ what: String, _ rate: Double) -> CompressError {
    CompressError(
      "\(what) in epoch \(state.epoch + 1), step \(state.step + 1), at learning rate \(rate)",
      hint: "a smaller learning rate, or data scaled to 0…1")
  }

  // MARK: Epochs

  private func endEpoch(_ run: inout Run, lap: () -> Void) throws {
    // The last step of an interrupted run may have been the last of the epoch.
    guard let progress = run.last else { preconditionFailure("an epoch without a step") }
    guard weights.areFinite else {
      state.step -= 1
      throw divergence("the weights are no longer finite", progress.learningRate)
    }
    var result = TrainingCurve.Epoch(
      loss: progress.loss, accuracy: progress.accuracy, learningRate: progress.learningRate, images: state.images)
    lap()
    try validate(&result, mayBeBest: run.hooks.allSatisfy { $0.isSettled(after: state.step, of: progress.totalSteps) })
    for hook in run.hooks { apply(try hook.afterEpoch(state.epoch, result, progress, weights: weights)) }
    state.curve.epochs.append(result)
    state.curve.seconds.append(state.seconds)
    state.epoch += 1
    (state.stepOfEpoch, state.loss, state.correct, state.images, state.seconds) = (0, 0, 0, 0, 0)
  }

  /// Measures on the validation data with the weights that would be returned, and keeps them if they are the best.
  private func validate(_ result: inout TrainingCurve.Epoch, mayBeBest: Bool) throws {
    guard let validation else { return }
    average?.use(for: weights, steps: state.step, pool: pool)
    defer { average?.putBack(weights, pool: pool) }
    let (loss, accuracy) = try measure(validation)
    guard loss.isFinite else {
      throw CompressError(
        "the loss on the validation data became \(loss.isNaN ? "nan" : "infinite") after epoch \(state.epoch + 1)",
        hint: "a smaller learning rate, or data scaled to 0…1")
    }
    (result.validationLoss, result.validationAccuracy) = (loss, accuracy)
    guard let patience = options.patience, mayBeBest else { return }
    if state.bestLoss.map({ loss < $0 }) ?? true {
      state.bestLoss = loss
      state.epochsSinceBest = 0
      state.curve.bestEpoch = state.epoch
      try keepBest()
    } else {
      state.epochsSinceBest += 1
      state.isStopped = state.isStopped || state.epochsSinceBest >= patience
    }
  }

  /// Puts the weights to return in place, and measures their batch norms' statistics if asked.
  private func finish() throws {
    if let best {
      try best.putBack(weights, pool: pool)
    } else {
      average?.use(for: weights, steps: state.step, pool: pool)
    }
    try measureStatistics()
  }

  private func measureStatistics() throws {
    guard options.recalibrationBatches > 0, weights.hasStatistics else { return }
    // An order of its own, as if another epoch followed.
    var done = 0, epoch = options.epochs
    while done < options.recalibrationBatches {
      let batches = try batches(epoch: epoch)
      for number in 0..<min(batches.count, options.recalibrationBatches - done) {
        let labels = try reader.read(batches, number, into: graph.samples, pool: pool)
        try graph.forward(count: labels.count, .recalibrating(batch: done))
        try Cancellation.checkCurrent()
        done += 1
      }
      epoch += 1
    }
  }
}

/// When a trainer offers to be written down.
public enum CheckpointMoment: Sendable {
  /// Within an epoch.
  case step
  /// After one.
  case epoch
  /// Before giving up.
  case required
}
