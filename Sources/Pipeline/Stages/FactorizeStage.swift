import Compression
import Diagnostics
import Network

/// Replaces dense layers and convolutions by two thinner layers each, by their weights' singular values.
///
/// What its result looks like depends on the weights; until it is computed its structure is told as that of its input,
/// whose layers it keeps, with others in front of some.
public struct FactorizeStage: StageWork {
  public let target: LowRank.Target
  public let protected: ProtectedLayers

  /// - Throws: `CompressError` when the target is out of range.
  public init(_ target: LowRank.Target, protected: ProtectedLayers = ProtectedLayers([])) throws {
    try target.check()
    self.target = target
    self.protected = protected
  }

  public var kind: String { "factorize" }

  public var label: String {
    switch target {
    case .energy(let share): "factorize, \((share * 100).formatted(1)) % of the energy"
    case .ratio(let share): "factorize to \((share * 100).formatted(1)) % of each layer"
    case .cost(let target): "factorize \(target.text)"
    }
  }

  public func recipe() throws -> Recipe {
    let aim: Recipe =
      switch target {
      case .energy(let share): ["unit": "energy", "value": .number(share)]
      case .ratio(let share): ["unit": "ratio", "value": .number(share)]
      case .cost(let target): target.recipe
      }
    return ["target": aim, "protect": protected.recipe]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    guard inputs[0].nodes.contains(where: { $0.op.hasWeight }) else {
      throw CompressError("there are no weights to factorize")
    }
    return inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let model = inputs[0], layers = model.weightLayers
    try protected.check(layers: layers)
    context.progress.begin(label, total: layers.count)
    var done = 0
    let lowRank = try LowRank(
      model, skips: { protected.contains($0, among: layers) },
      onProgress: { layer in
        try context.cancellation.check()
        done += 1
        context.progress.update(done: done, detail: layer)
      })
    let choice = try lowRank.choose(target)
    let whole = ChannelGroups(model.graph).cost(removing: [:])
    let shares = (
      macs: Double(choice.macs) / Double(max(whole.macs, 1)),
      parameters: Double(choice.parameters) / Double(max(whole.parameters, 1))
    )
    context.progress.end(
      detail:
        "\(choice.ranks.count) of \(layers.count) layers as two, \((shares.macs * 100).formatted(1)) % of the MACs")
    var result = StageResult(try lowRank.model(choice.ranks))
    result.record.facts = ["macs": shares.macs, "parameters": shares.parameters]
    if let note = choice.note { result.record.warn(note) }
    if choice.ranks.isEmpty {
      result.record.warn(
        "no layer was factorized: each of \(layers.count) layers with weights is protected, or would not get smaller")
    }
    return result
  }
}
