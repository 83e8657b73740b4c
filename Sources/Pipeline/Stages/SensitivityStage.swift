import Analysis
import Compression
import Datasets
import Diagnostics
import Network
import Tensors

/// Prunes each part of a network alone, by several shares, and measures what becomes of its accuracy, or of its
/// agreement with an original. The model stays as it is; what was measured is in the record.
///
/// Its inputs are the model and, where agreement is with another than the model itself, that original.
public struct SensitivityStage: StageWork {
  public let policy: any PruningPolicy
  public let shares: [Double]
  /// nil: accuracy where the data has labels and the network scores for classes, else agreement.
  public let measure: Measure?
  /// What it is measured on.
  public let data: any Dataset
  /// What the policy's needs are worked out on.
  public let samples: (any Dataset)?

  /// - Throws: `CompressError` when the shares do not ascend within 0 and 1, or the policy leaves no choice of them.
  public init(
    _ policy: any PruningPolicy, shares: [Double], by measure: Measure? = nil, data: any Dataset,
    samples: (any Dataset)? = nil
  ) throws {
    guard let last = shares.last, shares[0] > 0, last < 1, zip(shares, shares.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw CompressError("shares ascend between 0 and 1, both left out: { 0.1, 0.3, 0.5 }") }
    if case .pattern(let keep, let of) = policy.unit {
      throw CompressError("\"\(policy.name)\" keeps \(keep) of \(of) weights: there are no shares to try")
    }
    try policy.checkScoresAtOnce()
    self.policy = policy
    self.shares = shares
    self.measure = measure
    self.data = data
    self.samples = samples
  }

  public var kind: String { "sensitivity" }
  public var label: String { "sensitivity to \(policy.name)" }

  public func recipe() throws -> Recipe {
    [
      "policy": try policy.recipe(on: samples), "shares": .list(shares.map { .number($0) }),
      "data": try data.identity.recipe(), "measure": measure.map { .string($0.rawValue) } ?? .null,
    ]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    try measure(of: inputs[0]).check(inputs[0], original: inputs.last!, fits: data)
    try policy.check(samples, fit: inputs[0])
    return inputs[0]
  }

  private func measure(of graph: Graph) -> Measure { measure ?? .standard(for: graph, on: data) }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let model = inputs[0]
    try policy.check(layers: model.weightLayers)
    // One line of progress for all of it.
    let quiet = StageContext(pool: context.pool, cancellation: context.cancellation)
    let parts = try parts(of: model, quiet)
    context.progress.begin(label, total: parts.count * shares.count + 1)
    let found = try Sensitivity(
      of: model, parts, shares: shares, by: measure(of: model.graph), original: inputs.last!, on: data,
      context: context.work)
    context.progress.end(
      detail: "\(parts.count) parts, \(found.measure.text(found.baseline)) with nothing gone")
    var result = StageResult(model)
    result.record.sensitivity = found
    return result
  }

  private func parts(of model: Model, _ context: StageContext) throws -> [Sensitivity.Prunable] {
    if policy.unit == .residualBlock {
      // A block goes as a whole, however small the share.
      let stage = try PruneBlocksStage(policy, target: .channels(0), samples: samples)
      return try stage.selection(for: model, context: context).inOrder.map { block in
        Sensitivity.Prunable(layers: block.layers) { $0 > 0 ? try model.removing([block]) : model }
      }
    }
    guard policy.unit == .filter else { return try layers(of: model, context) }
    let stage = try PruneChannelsStage(policy, target: .shares([]), samples: samples)
    let (selection, open) = try stage.selection(for: model, context: context)
    return open.map { position in
      Sensitivity.Prunable(layers: selection.groups.groups[position].producers) { share in
        try model.removing(
          selection.choose { $0 == position ? share : nil }.removal, of: selection.groups)
      }
    }
  }

  private func layers(of model: Model, _ context: StageContext) throws -> [Sensitivity.Prunable] {
    let pruner = try Pruner(policy: policy, model: model, samples: samples, context: context)
    let evidence = pruner.evidence(of: model)
    return try pruner.layers.compactMap { layer in
      guard let scores = try pruner.scores(of: layer, evidence) else { return nil }
      return Sensitivity.Prunable(layers: [layer]) { share in
        var pruned = model
        let shape = model[layer, .weight]!.shape
        let masks = try PruningMasks.select(
          [(layer, shape)], unit: policy.unit, scope: .layer, sparsity: share
        ) { _ in scores }
        try pruned.prune(layer, by: masks[layer]!)
        return pruned
      }
    }
  }
}
