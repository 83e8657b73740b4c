import Datasets
import Diagnostics
import Foundation
import Network

/// Computes stages: what is in the store is read, what is missing is computed, inputs first, each once.
public final class Executor {
  public let context: StageContext
  private let store: StageStore?
  /// Results of this run. Those that came from the store are mapped files and weigh little.
  private var results: [String: StageResult] = [:]
  /// Stages that are being computed: the functions of scripts they call must not wait for them.
  private var underWay = Set<String>()
  private var toldUnrepeatable = Set<String>()
  /// Keys of what this run computed rather than read.
  private var computed = Set<String>()

  /// - Parameter store: nil keeps results in memory only.
  public init(context: StageContext, store: StageStore?) {
    self.context = context
    self.store = store
  }

  /// Where data sets keep what they unpacked; nil without a store.
  public var unpacked: (any UnpackedStore)? { store }

  /// Sees to it that the store can be written, before work is spent on what goes there.
  public func prepareStore() throws { try store?.prepare() }

  /// The model a stage yields, and what was recorded on the way.
  ///
  /// - Throws: `CompressError` with the script position of the stage that failed.
  public func result(of stage: Stage) throws -> StageResult {
    for step in stage.lineage where results[step.key.digest] == nil && isNeeded(step, for: stage) {
      do {
        try context.step()
        results[step.key.digest] = try stored(step) ?? compute(step)
      } catch let error as CompressError {
        throw step.origin.map { error.at(script: $0.script, line: $0.line) } ?? error
      }
    }
    return results[stage.key.digest]!
  }

  /// What a stage recorded, whether or not its model was needed in this run.
  public func record(of stage: Stage) throws -> StageRecord {
    try results[stage.key.digest]?.record ?? store?.record(of: stage.key) ?? result(of: stage).record
  }

  /// What the stage's model predicts for the data, where that was found out before.
  func knownPredictions(of stage: Stage, on data: any Dataset) throws -> StoredPredictions? {
    guard stage.key.unrepeatableReason == nil else { return nil }
    return try store?.predictions(of: stage.key, on: data)
  }

  func keep(_ predictions: StoredPredictions, of stage: Stage, on data: any Dataset) throws {
    guard stage.key.unrepeatableReason == nil else { return }
    try store?.save(predictions, of: stage.key, on: data)
  }

  public func model(of stage: Stage) throws -> Model { try result(of: stage).model }

  /// Whether this run computed the stage, rather than reading it from the store.
  public func hasComputed(_ stage: Stage) -> Bool { computed.contains(stage.key.digest) }

  /// Whether the stage's result is at hand without computing anything.
  public func isAvailable(_ stage: Stage) -> Bool {
    results[stage.key.digest] != nil || (stage.key.unrepeatableReason == nil && store?.contains(stage.key) == true)
  }

  /// An input matters only while something between it and the goal is missing.
  private func isNeeded(_ step: Stage, for goal: Stage) -> Bool {
    if step === goal { return true }
    var visited = Set<ObjectIdentifier>()
    func reaches(_ stage: Stage) -> Bool {
      guard visited.insert(ObjectIdentifier(stage)).inserted, !isAvailable(stage) else { return false }
      return stage.inputs.contains { $0 === step || reaches($0) }
    }
    return reaches(goal)
  }

  private func stored(_ stage: Stage) -> StageResult? {
    if let reason = stage.key.unrepeatableReason {
      if toldUnrepeatable.insert(reason).inserted { context.progress.note("not cached: \(reason)") }
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
    let store = stage.key.unrepeatableReason == nil ? store : nil
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
    try store?.save(result, stage)
    context.checkpoint?.remove()
    computed.insert(stage.key.digest)
    return result
  }

  /// What holds after a stage: what it promises itself, and what was promised of its first input and is kept.
  private func contracts(_ stage: Stage, _ inputs: [Model], _ model: Model) throws -> [Contract]? {
    let own = stage.work.contracts(for: model, inputs: inputs)
    let inherited = try stage.inputs.first.map { try record(of: $0).contracts ?? [] } ?? []
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
