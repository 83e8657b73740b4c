import Datasets
import Diagnostics
import Foundation
import Network

/// Computes stages: what is in the store is read, what is missing is computed, inputs first, each once.
///
/// Models of this run stay in memory, as long as there is room for them; then those that were asked for longest ago go,
/// if they can be read again from the store.
public final class Executor {
  public let context: StageContext
  private let store: StageStore?
  /// Of this run.
  private var results: HeldResults
  /// What stages of this run recorded; stays when a model goes.
  private var records: [String: StageRecord] = [:]
  /// Stages that are being computed: the functions of scripts they call must not wait for them.
  private var underWay = Set<String>()
  private var toldUncacheable = Set<String>()
  /// Keys of what this run computed rather than read.
  private var computed = Set<String>()
  /// Keys of what could not be computed.
  private var failed = Set<String>()
  /// Keys of stages whose warnings were told.
  private var told = Set<String>()

  /// Bytes of models that are held unless another number is given: 2 GiB.
  public static let standardModelBytes = 2 << 30

  /// - Parameters:
  ///   - store: nil keeps results in memory only.
  ///   - modelBytes: that models held in memory may take together; those that are mapped from the store do not count.
  ///   - onModelBytes: told how many bytes are held whenever that changes; what it throws goes to who asked for a
  ///     model.
  public init(
    context: StageContext, store: StageStore?, modelBytes: Int = standardModelBytes,
    onModelBytes: @escaping (_ bytes: Int) throws -> Void = { _ in }
  ) {
    self.context = context
    self.store = store
    results = HeldResults(limit: modelBytes)
    self.onModelBytes = onModelBytes
  }

  private let onModelBytes: (Int) throws -> Void

  /// Bytes of models held in memory now, each tensor that several share once; mapped ones do not count.
  public var modelBytes: Int { results.bytes }

  /// Where data sets keep what they unpacked; nil without a store.
  public var unpacked: (any UnpackedStore)? { store }

  /// Sees to it that the store can be written, before work is spent on what goes there.
  public func prepareStore() throws { try store?.prepare() }

  /// The model a stage yields, and what was recorded on the way.
  ///
  /// - Throws: `CompressError` with the script position of the stage that failed; of kind `.limit` when there is no
  ///   room for another model; of kind `.cancelled` when the run is to stop.
  public func result(of stage: Stage) throws -> StageResult {
    if let known = results[stage.key.digest] { return described(known, stage) }
    // An input matters only while something between it and the goal is missing.
    var goal: StageResult?
    for step in stage.lineage(through: { !isAvailable($0) }) where results[step.key.digest] == nil {
      do {
        try context.step()
        let result = try Cancellation.$current.withValue(context.cancellation) { try stored(step) ?? compute(step) }
        try hold(result, of: step)
        goal = step === stage ? result : nil
      } catch let error as CompressError {
        // Work that was cut short may have met anything.
        let error = context.cancellation.isRequested ? Cancellation.error : error
        failed.insert(step.key.digest)
        throw step.origin.map { error.at(script: $0.script, line: $0.line) } ?? error
      }
    }
    // Equal stages may be different objects.
    return described(try goal ?? results[stage.key.digest] ?? result(of: stage), stage)
  }

  /// A stage knows what its model's input and output mean, whoever computed it and when.
  private func described(_ result: StageResult, _ stage: Stage) -> StageResult {
    var result = result
    result.model.adopt(stage.signature)
    return result
  }

  private func hold(_ result: StageResult, of stage: Stage) throws {
    let before = results.bytes
    records[stage.key.digest] = result.record
    failed.remove(stage.key.digest)
    try results.hold(result, of: stage.key.digest, isStored: stage.key.uncacheableReason == nil && store != nil)
    if results.bytes != before { try onModelBytes(results.bytes) }
  }

  /// What a stage recorded, whether or not its model was needed in this run.
  public func record(of stage: Stage) throws -> StageRecord {
    try records[stage.key.digest] ?? store?.record(of: stage.key) ?? result(of: stage).record
  }

  /// What the stage's model predicts for the data, where that was found out before.
  func knownPredictions(of stage: Stage, on data: any Dataset) throws -> StoredPredictions? {
    guard stage.key.uncacheableReason == nil else { return nil }
    return try store?.predictions(of: stage.key, on: data)
  }

  func keep(_ predictions: StoredPredictions, of stage: Stage, on data: any Dataset) throws {
    guard stage.key.uncacheableReason == nil else { return }
    try store?.save(predictions, of: stage.key, on: data)
  }

  public func model(of stage: Stage) throws -> Model { try result(of: stage).model }

  /// Whether this run computed the stage, rather than reading it from the store.
  public func hasComputed(_ stage: Stage) -> Bool { computed.contains(stage.key.digest) }

  /// Whether any stage was computed in this run, or could not be.
  public var hasWorked: Bool { !computed.isEmpty || !failed.isEmpty }

  /// Whether the stage, or one that it needs, was asked for and could not be computed.
  public func hasFailed(_ stage: Stage) -> Bool {
    !failed.isEmpty && stage.lineage.contains { failed.contains($0.key.digest) }
  }

  /// Tells, each once, of the warnings of all stages that the given ones need.
  public func tellWarnings(of stages: [Stage]) throws {
    for stage in stages.flatMap(\.lineage) { tellWarnings(of: stage, try record(of: stage)) }
  }

  private func tellWarnings(of stage: Stage, _ record: StageRecord) {
    guard let warnings = record.warnings, told.insert(stage.key.digest).inserted else { return }
    for warning in warnings { context.progress.note("\(stage.work.label): \(warning)") }
  }

  /// Whether the stage's result is at hand without computing anything.
  public func isAvailable(_ stage: Stage) -> Bool {
    results.has(stage.key.digest) || (stage.key.uncacheableReason == nil && store?.contains(stage.key) == true)
  }

  private func stored(_ stage: Stage) -> StageResult? {
    if let reason = stage.key.uncacheableReason {
      if toldUncacheable.insert(reason).inserted { context.progress.note("not cached: \(reason)") }
      return nil
    }
    return store?.load(stage.key)
  }

  private func compute(_ stage: Stage) throws -> StageResult {
    guard underWay.insert(stage.key.digest).inserted else {
      throw CompressError("\(stage.work.label): is being computed, and cannot be asked about until it is finished")
    }
    defer { underWay.remove(stage.key.digest) }
    let inputs = try stage.inputs.map { try model(of: $0) }
    let store = stage.key.uncacheableReason == nil ? store : nil
    // Another process may be at it. Who waits holds no lock itself, so that nobody waits in a circle.
    let claim = underWay.count == 1 ? try store?.claim(stage.key) : nil
    defer { claim?.release() }
    if let claim, let store {
      if !claim.tryClaim() { try wait(for: claim, stage) }
      // It may have been finished since it was looked for.
      if store.contains(stage.key), let found = store.load(stage.key) { return found }
    }
    var context = context
    context.checkpoint = store?.checkpoint(of: stage.key)
    let start = ContinuousClock.now
    var result = try stage.work.run(inputs: inputs, context: context)
    result.record.seconds = (ContinuousClock.now - start) / .seconds(1)
    result.record.contracts = try contracts(stage, inputs, result.model)
    if let warning = Self.emptied(inputs.first, result.model) { result.record.warn(warning) }
    // What was cut short is not the result.
    try context.cancellation.check()
    try store?.save(result, stage)
    context.checkpoint?.remove()
    computed.insert(stage.key.digest)
    tellWarnings(of: stage, result.record)
    return result
  }

  /// Of layers that lost their last weight: whatever comes in, what goes out is their bias.
  private static func emptied(_ before: Model?, _ after: Model) -> String? {
    let layers = after.weightLayers.filter { layer in
      after[layer, .weight]?.isAllZero == true && before?[layer, .weight]?.isAllZero != true
    }
    guard let first = layers.first else { return nil }
    let weights = layers.reduce(0) { $0 + after[$1, .weight]!.count }
    guard layers.count > 1 else {
      return "all \(weights) weights of \"\(first)\" are zero: its output is the same for every sample"
    }
    let names = layers.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
    return "all \(weights) weights of \(layers.count) layers are zero (\(names)\(layers.count > 3 ? " …" : "")): their "
      + "outputs are the same for every sample"
  }

  /// What holds after a stage: what it promises itself, and what was promised of its first input and is kept.
  private func contracts(_ stage: Stage, _ inputs: [Model], _ model: Model) throws -> [Contract]? {
    let own = stage.work.contracts(for: model, inputs: inputs)
    var inherited = try stage.inputs.first.map { try record(of: $0).contracts ?? [] } ?? []
    if stage.work.removesLayers { inherited.removeAll { model.graph[$0.layer] == nil } }
    let all =
      inherited.isEmpty
      ? own : try Contract.carried(inherited, from: inputs[0], to: model, by: stage.work.label, adding: own)
    return all.isEmpty ? nil : all
  }

  /// Until whoever computes the stage is done with it.
  private func wait(for claim: StageClaim, _ stage: Stage) throws {
    let context = context
    context.progress.note("another process computes \(stage.work.label); waiting for it")
    try context.waiting { try claim.claim { try context.cancellation.check() } }
  }
}
