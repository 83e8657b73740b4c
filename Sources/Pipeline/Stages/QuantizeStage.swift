import Analysis
import Compression
import Datasets
import Diagnostics
import Network
import Runtime
import Tensors

/// Stores weights, and perhaps activations, in fewer bits, as a recipe says.
public struct QuantizeStage: StageWork {
  public let policy: any QuantizationPolicy
  /// Samples to calibrate activations on; nil when the recipe needs none.
  public let calibration: (any Dataset)?

  /// Training in the forward pass of which weights and activations are rounded; its teacher, if there is one, is the
  /// stage's second input.
  public let training: TrainingRecipe?
  /// Whether that training moves the scales, too.
  public let learnsScales: Bool

  public init(
    _ policy: any QuantizationPolicy, calibration: (any Dataset)? = nil, training: TrainingRecipe? = nil,
    learnsScales: Bool = true
  ) {
    self.policy = policy
    self.calibration = calibration
    self.training = training
    self.learnsScales = learnsScales
  }

  public var kind: String { "quantize" }
  public var label: String { "quantize by \(policy.name)" + (training.map { ", train \($0.epochsText)" } ?? "") }

  public func recipe() throws -> Recipe {
    [
      "policy": policy.recipe, "calibration": try calibration?.identity.recipe() ?? .null,
      "training": try training?.recipe() ?? .null, "learns_scales": .bool(learnsScales),
    ]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    if let calibration {
      // No label is read: whatever a network gives may be calibrated.
      try Evaluation.checkShape(inputs[0], fits: calibration)
      guard calibration.count > 0 else { throw CompressError("\"\(calibration.name)\" has no samples to calibrate on") }
    }
    try training?.check(inputs)
    return inputs[0]
  }

  /// What was known stays; else what the training's data says.
  public func signature(inputs: [ModelSignature]) -> ModelSignature {
    training.map { inputs[0].over($0.data.signature) } ?? inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    try policy.check(layers: inputs[0].weightLayers)
    let assignment = try QuantizationAssignment(inputs[0]) { model, node in
      try policy.assign(LayerView(model, node.name))
    }
    var record = StageRecord()
    var model = try quantized(assignment, of: inputs[0], &record, context)
    if let training {
      let aware = try AwareTraining(assignment, quantized: model, learnsScales: learnsScales)
      let notes = record.notes
      let result = try aware.run(training, teacher: inputs.dropFirst(), label: label, context: context)
      (model, record) = (result.model, result.record)
      record.notes = notes + record.notes
    }
    // Fewer bits are a choice, and training makes up for the rest.
    if training == nil, let calibration, assignment.observed.contains(where: { $0.value.bits >= 8 }) {
      let loss = try ActivationLoss(of: model, assignment, on: calibration, pool: context.pool)
      if let sentence = loss?.sentence { record.warn(sentence) }
    }
    let whole = model.weightLayers.filter { assignment.layers[$0] == nil }
    if whole.count == model.weightLayers.count {
      record.warn("nothing was quantized: \"\(policy.name)\" leaves all \(whole.count) layers with weights float32")
    }
    if !whole.isEmpty { record.notes.append("left float32: \(whole.joined(separator: ", "))") }
    record.notes += try compile(model).floatFallbacks.map {
      "\($0.layer) \($0.isSimulated ? "is simulated in float" : "stays float"): \($0.reason)"
    }
    return StageResult(model, record)
  }

  private func quantized(
    _ assignment: QuantizationAssignment, of original: Model, _ record: inout StageRecord, _ context: StageContext
  ) throws -> Model {
    let corrected = assignment.corrected, learning = assignment.learning
    guard !assignment.observed.isEmpty || !corrected.isEmpty || !learning.isEmpty else {
      return try assignment.quantized([:])
    }
    guard let calibration else {
      guard !assignment.observed.isEmpty || !learning.isEmpty else {
        return try correctedWithoutData(assignment, of: original, &record)
      }
      let what = assignment.observed.isEmpty ? "learns how to round" : "quantizes activations"
      throw CompressError(
        "recipe \"\(policy.name)\" \(what) but was given no data",
        hint: "use \"\(policy.name)\" { calibration = data.train:take(500) }")
    }
    let samples = try calibration.taking(min(calibration.count, Self.learningSamples))
    let passes = learning.count + (corrected.allSatisfy(learning.contains) ? 0 : 1)
    let watched = assignment.observed.isEmpty ? 0 : calibration.count
    context.progress.begin(label, total: watched + passes * samples.count)
    var done = 0
    func stream(_ data: any Dataset, _ body: (Tensor) throws -> Void) throws {
      var first = 0
      try Batches(data, size: Calibration.batch).forEach(threads: context.pool.threads) { batch in
        try context.step()
        try data.checkFinite(batch, first: first)
        do { try body(batch.images) } catch var error as CompressError where error.kind == .input {
          error.message += " (samples \(first + 1) to \(first + batch.count) of \"\(data.name)\")"
          throw error
        }
        first += batch.count
        done += batch.count
        context.progress.update(done: done, detail: "")
      }
    }
    var observing = try Calibration(assignment, pool: context.pool)
    if !assignment.observed.isEmpty { try stream(calibration) { try observing.observe($0) } }
    var model = try assignment.quantized(try observing.ranges())
    for layer in learning { try learn(layer, &model, assignment, context) { try stream(samples, $0) } }
    let rest = corrected.filter { !learning.contains($0) }
    if !rest.isEmpty {
      let session = Session(
        try compile(assignment.model, CompileOptions(maxBatch: Calibration.batch)), pool: context.pool)
      var means = InputMeans(model.graph, of: rest), roundedMeans = means
      try stream(samples) { images in
        try session.run(images) { value, elements in
          guard means.watches(value) else { return }
          means.observe(value, elements)
          guard let encoding = model.activations[value] else { return roundedMeans.observe(value, elements) }
          elements.map(encoding.rounded).withUnsafeBufferPointer { roundedMeans.observe(value, $0) }
        }
      }
      try BiasCorrection.correct(
        &model, of: assignment.model, layers: rest, means: means, roundedMeans: roundedMeans)
    }
    context.progress.end(detail: "calibrated on \(calibration.count) samples")
    return model
  }

  /// Rounds one layer by what reaches it with those before it rounded, beside what reaches it in the original; its bias
  /// follows, if it is to be corrected.
  private func learn(
    _ layer: String, _ model: inout Model, _ assignment: QuantizationAssignment, _ context: StageContext,
    stream: ((Tensor) throws -> Void) throws -> Void
  ) throws {
    guard let weight = model[layer, .weight], case .integer(let nearest) = weight.encoding else { return }
    let node = model.graph[layer]!, source = model.graph.origin(of: node.inputs[0])
    let streams = try [assignment.model, model].map { try LayerInputs(of: layer, in: $0, pool: context.pool) }
    let rounding = LearnedRounding(model.graph, node)
    var means = InputMeans(model.graph, of: [layer]), roundedMeans = means
    try stream { images in
      let inputs = try streams.map { try $0.values(images) }
      try Cancellation.checkCurrent()
      try inputs[0].withUnsafeBufferPointer { original in
        try inputs[1].withUnsafeBufferPointer { rounded in
          try atLayer(layer) { try rounding.observe(original: original, rounded: rounded, pool: context.pool) }
          means.observe(source, original)
          roundedMeans.observe(source, rounded)
        }
      }
    }
    let integers = try rounding.rounded(assignment.model[layer, .weight]!.values, nearest, pool: context.pool)
    try model.set(weight.encoded(as: .integer(integers)), layer, .weight)
    // In the scale of the products, which may have moved.
    if let bias = assignment.model[layer, .bias] { try model.setBias(bias.values, of: layer) }
    if assignment.corrected.contains(layer) {
      try BiasCorrection.correct(
        &model, of: assignment.model, layers: [layer], means: means, roundedMeans: roundedMeans)
    }
  }

  /// Biases corrected by what batch norms say of their outputs.
  private func correctedWithoutData(
    _ assignment: QuantizationAssignment, of original: Model, _ record: inout StageRecord
  ) throws -> Model {
    var model = try assignment.quantized([:])
    let means = InputMeans(promisedBy: original, of: assignment.corrected)
    let known = assignment.corrected.filter { means[$0] != nil }
    guard !known.isEmpty else {
      throw CompressError(
        "recipe \"\(policy.name)\" corrects biases without data, but no batch norm says what goes into a layer",
        hint: "give samples to a recipe that takes them, or correct_bias = false")
    }
    try BiasCorrection.correct(
      &model, of: assignment.model, layers: known, means: means, roundedMeans: means)
    record.notes.append("\(known.count) of \(assignment.corrected.count) biases corrected by what batch norms promise")
    return model
  }

  /// Biases are corrected, and rounding is learned, by what so many samples show at most.
  private static let learningSamples = 512
}
