import Compression
import Datasets
import Diagnostics
import Network
import Tensors

/// Removes whole residual blocks by a policy's scores: the network becomes less deep.
///
/// A block's score is the mean over its layers of the means of their filters' scores. What its result looks like
/// depends on the weights; until it is computed its structure is told as that of its input, of which it keeps input and
/// output.
public struct PruneBlocksStage: StageWork {
  public let policy: any PruningPolicy
  /// Of channels: the share of the blocks that go.
  public let target: CostTarget
  /// What the policy's needs are worked out on.
  public let samples: (any Dataset)?

  /// - Throws: `CompressError` when the target is out of range.
  public init(_ policy: any PruningPolicy, target: CostTarget, samples: (any Dataset)? = nil) throws {
    guard policy.unit == .residualBlock else { throw CompressError("\"\(policy.name)\" does not prune blocks") }
    try policy.checkScoresAtOnce()
    try target.check()
    self.policy = policy
    self.target = target
    self.samples = samples
  }

  public var kind: String { "prune" }

  public var label: String {
    if case .channels(let share) = target {
      return "prune \((share * 100).formatted(1)) % of the blocks by \(policy.name)"
    }
    return "prune \(target.text) by \(policy.name)"
  }

  public func recipe() throws -> Recipe {
    ["policy": try policy.recipe(on: samples), "unit": "block", "target": target.recipe]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    try policy.check(samples, fit: inputs[0])
    return inputs[0]
  }

  public var removesLayers: Bool { true }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let model = inputs[0]
    try policy.check(layers: model.weightLayers)
    let selection = try selection(for: model, context: context), choice = try selection.choose(target)
    var result = StageResult(try model.removing(choice.blocks))
    result.record.facts["macs"] = choice.macs
    result.record.facts["parameters"] = choice.parameters
    result.record.facts["blocks"] = Double(choice.blocks.count) / Double(max(selection.count, 1))
    if let note = choice.note { result.record.warn(note) }
    if !choice.blocks.isEmpty {
      let names = choice.blocks.map { "\"\($0.sum)\"" }.joined(separator: ", ")
      result.record.notes.append("\(choice.blocks.count) of \(selection.count) blocks gone, those that end in \(names)")
    }
    return result
  }

  /// The blocks by their scores.
  func selection(for model: Model, context: StageContext) throws -> BlockSelection {
    let evidence = LayerEvidence(model, needs: policy.needs, samples: samples, pool: context.pool) { _ in
      try context.step()
    }
    let views = LayerViews(model)
    return try BlockSelection(model) { block in
      guard !block.layers.contains(where: { policy.skips(views[$0]) }) else { return nil }
      var sum = 0.0
      for layer in block.layers {
        guard let scores = try policy.filterScores(layer, of: model, evidence) else { return nil }
        let values: [Float] = scores.converted(to: .float32).array()
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
        guard !mean.isNaN else { throw CompressError("\"\(policy.name)\": a score is NaN").at(layer: layer) }
        sum += mean
      }
      return sum / Double(block.layers.count)
    }
  }
}
