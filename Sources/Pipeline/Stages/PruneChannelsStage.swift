import Analysis
import Compression
import Datasets
import Devices
import Diagnostics
import Network
import Tensors

/// Removes filters by a policy's scores, with all channels coupled with them: the network becomes smaller.
///
/// What its result looks like depends on the weights; until it is computed its structure is told as that of its input,
/// of which it keeps layers, input and output.
public struct PruneChannelsStage: StageWork {
  public let policy: any PruningPolicy
  public let target: Target
  /// Channels that each group keeps whatever their scores.
  public let minimum: Int
  /// Of how many channels a group keeps, unless it keeps all.
  public let multiple: Int
  /// What the policy's needs are worked out on.
  public let samples: (any Dataset)?
  /// Samples on which the layers that are left are fitted to give what they gave before (`Reconstruction`); nil leaves
  /// them as they are.
  public let reconstruction: (any Dataset)?
  /// What it is for: whose table says how long layers take, and what it can run.
  public let device: DeviceDescription?

  public enum Target: Sendable {
    case cost(CostTarget)
    /// Bytes of the model's file or on a device, or milliseconds for one sample: found by trying.
    case measured(ModelMeasure, Double)
    /// A limit, which nothing is removed for where it is kept already.
    case atMost(ModelMeasure, Int)
    /// A share for each group of channels that the policy does not skip, in the network's order.
    case shares([Double])
  }

  /// - Throws: `CompressError` when the target is out of range.
  public init(
    _ policy: any PruningPolicy, target: Target, minimum: Int = 1, multiple: Int = 1, samples: (any Dataset)? = nil,
    reconstruction: (any Dataset)? = nil, device: DeviceDescription? = nil
  ) throws {
    guard policy.unit == .filter else {
      let own = policy.unit == .residualBlock ? "blocks" : "single weights"
      throw CompressError("\"\(policy.name)\" prunes \(own), not filters")
    }
    try policy.checkScoresAtOnce()
    guard minimum >= 1 else { throw CompressError("a group keeps at least one channel, not \(minimum)") }
    guard multiple >= 1 else { throw CompressError("a group keeps a multiple of one channel or more, not \(multiple)") }
    switch target {
    case .cost(let target): try target.check()
    case .measured(let measure, let value):
      guard value > 0, value.isFinite else {
        throw CompressError("\(measure.rawValue) = \(value) leaves nothing of the network")
      }
    case .atMost(let measure, let most):
      guard most > 0 else { throw CompressError("\(measure.rawValue) = \(most) leaves nothing of the network") }
    case .shares(let shares):
      if let bad = shares.first(where: { !(0..<1).contains($0) }) {
        throw CompressError("a share of \(bad) is not from 0 to below 1")
      }
    }
    self.policy = policy
    self.target = target
    self.minimum = minimum
    self.multiple = multiple
    self.samples = samples
    self.reconstruction = reconstruction
    self.device = device
    guard let device else { return }
    if case .measured(.latency, _) = target, device.table == nil {
      throw CompressError(
        "\"\(device.name)\" has no latency table: how long a network takes there, nobody has measured",
        hint: "compress bench MODEL --on ssh://HOST --table FILE measures; without device, latency_ms is measured here")
    }
    if case .atMost = target, !device.bits.contains(8) {
      throw CompressError("\"\(device.name)\" does not run weights of 8 bits, in which memory and flash are counted")
    }
  }

  public var kind: String { "prune" }

  public var label: String {
    let aim: String =
      switch target {
      case .cost(let target): target.text
      case .measured(let measure, let value): "to \(measure.text(value))" + (device.map { " on \($0.name)" } ?? "")
      case .atMost(let measure, let most):
        "to the \(most) bytes of \(measure.rawValue) of \(device?.name ?? "a device")"
      case .shares(let shares): "filters of \(shares.count) groups"
      }
    return "prune \(aim) by \(policy.name)"
  }

  public func recipe() throws -> Recipe {
    let aim: Recipe =
      switch target {
      case .cost(let target): target.recipe
      case .measured(let measure, let value): ["unit": .string(measure.rawValue), "value": .number(value)]
      case .atMost(let measure, let most): ["unit": .string(measure.rawValue), "most": .int(most)]
      case .shares(let shares): ["unit": "shares", "value": .list(shares.map { .number($0) })]
      }
    let recipe: Recipe = [
      "policy": try policy.recipe(on: samples), "unit": "filter", "target": aim, "minimum": .int(minimum),
      "multiple": .int(multiple), "reconstruction": try reconstruction?.identity.recipe() ?? .null,
    ]
    return recipe.adding(try device.map { ["device": try $0.recipe] })
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    try policy.check(samples, fit: inputs[0])
    if let reconstruction {
      try Evaluation.checkShape(inputs[0], fits: reconstruction)
      guard reconstruction.count > 0 else { throw CompressError("\"\(reconstruction.name)\" has no samples to fit to") }
    }
    return inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let model = inputs[0]
    try policy.check(layers: model.weightLayers)
    if case .atMost = target {
      // Its weights become integers of 8 bits.
      try device?.check(model.graph.nodes.map { ($0.name, $0.op.spec.kind, nil) }, of: "the network")
    } else {
      try device?.check(model, called: "the network")
    }
    let (groups, choice) = try choice(for: model, context: context)
    let whole = groups.cost(removing: [:])
    var result = StageResult(try model.removing(choice.removal, of: groups))
    result.record.facts["macs"] = Double(choice.macs) / Double(max(whole.macs, 1))
    result.record.facts["parameters"] = Double(choice.parameters) / Double(max(whole.parameters, 1))
    let width = groups.groups.reduce(0) { $0 + $1.width }
    result.record.facts["filters"] =
      1 - Double(choice.removal.values.reduce(0) { $0 + $1.count }) / Double(max(width, 1))
    if let note = choice.note { result.record.warn(note) }
    let carried = try model.carryingConstants(of: choice.removal, in: groups)
    if let note = carried.note { result.record.notes.append(note) }
    if let warning = carried.warning { result.record.warn(warning) }
    if let reconstruction {
      let fit = Reconstruction(
        of: model, kept: groups.kept(removing: choice.removal), on: reconstruction, context: context.work)
      context.progress.begin("\(label): fit what is left", total: result.model.weightLayers.count)
      let found = try fit.fitted(result.model)
      context.progress.end(detail: "\(found.fitted.count) \(found.fitted.count == 1 ? "layer" : "layers")")
      result.model = found.model
      result.record.facts["layers_reconstructed"] = Double(found.fitted.count)
      if !found.skipped.isEmpty {
        result.record.notes.append(
          "not fitted, for filters of more than \(Reconstruction.mostDepth) weights or zeros of an earlier pruning: "
            + found.skipped.joined(separator: ", "))
      }
    }
    if case .atMost(let measure, _) = target {
      result.record.facts[measure.rawValue] = try measure.value(of: result.model, context)
    }
    if case .measured(let measure, _) = target, measure == .latency, let device {
      let found = try device.milliseconds(of: result.model)
      result.record.facts[measure.rawValue] = found.milliseconds
      result.record.notes += device.remarks(on: found, decided: "how many filters went")
    } else if case .measured(let measure, _) = target {
      if let remark = measure.remark(context) { result.record.notes.append(remark) }
      result.record.facts[measure.rawValue] = try measure.value(of: result.model, context)
    }
    return result
  }

  /// The channels that would go.
  public func choice(
    for model: Model, context: StageContext
  ) throws -> (groups: ChannelGroups, choice: ChannelSelection.Choice) {
    let (selection, open) = try selection(for: model, context: context)
    let groups = selection.groups
    switch target {
    case .cost(let target): return (groups, try selection.choose(target))
    case .measured(.latency, let milliseconds) where device != nil:
      return (groups, try device!.choose(milliseconds, among: selection, of: model, context))
    case .measured(let measure, let value):
      return (groups, try measure.choose(value, among: selection, of: model, context))
    case .atMost(let measure, let most):
      return (groups, try measure.choose(atMost: most, among: selection, of: model, context))
    case .shares(let shares):
      guard shares.count == open.count else {
        let names = open.map { groups.groups[$0].producers.joined(separator: "+") }
        throw CompressError(
          "\(shares.count) shares for \(open.count) groups of channels: \(names.joined(separator: ", "))")
      }
      let shareOf = Dictionary(uniqueKeysWithValues: zip(open, shares))
      return (groups, try selection.choose { shareOf[$0] })
    }
  }

  /// The channels by their scores, and the positions of the groups that are open to pruning.
  func selection(
    for model: Model, context: StageContext
  ) throws -> (selection: ChannelSelection, open: [Int]) {
    let groups = ChannelGroups(model.graph)
    let evidence = LayerEvidence(model, needs: policy.needs, samples: samples, pool: context.pool) { _ in
      try context.step()
    }
    let scores = try scores(model, groups, evidence)
    let selection = try ChannelSelection(
      groups, scores: scores, normalized: policy.normalizesScores, scope: policy.scope, minimum: minimum,
      multiple: multiple)
    let open = groups.groups.indices.filter { groups.groups[$0].producers.allSatisfy { scores[$0] != nil } }
    return (selection, open)
  }

  /// By layer, one score for each filter; only of layers whose whole group is open to pruning.
  private func scores(
    _ model: Model, _ groups: ChannelGroups, _ evidence: LayerEvidence
  ) throws -> [String: Tensor] {
    var scores: [String: Tensor] = [:]
    let views = LayerViews(model)
    for group in groups.groups where !group.producers.contains(where: { policy.skips(views[$0]) }) {
      for layer in group.producers {
        guard let score = try policy.filterScores(layer, of: model, evidence) else { break }
        scores[layer] = score
      }
    }
    return scores
  }
}

extension PruningPolicy {
  /// One score for each filter of a layer; nil leaves it whole.
  ///
  /// - Throws: `CompressError` naming the layer when its weight is quantized, or the scores are not as many.
  func filterScores(_ layer: String, of model: Model, _ evidence: LayerEvidence) throws -> Tensor? {
    guard case .float? = model[layer, .weight]?.encoding else {
      throw CompressError("its weight is quantized; prune first, then quantize").at(layer: layer)
    }
    do {
      let view = try evidence.view(layer)
      guard let scores = try score(view) else { return nil }
      let filters = view.weight.shape[0]
      guard scores.shape == [filters] else {
        throw CompressError("scores of shape \(scores.shape) for \(filters) filters, expected [\(filters)]")
      }
      return scores
    } catch var error as CompressError {
      // What a plugin raised names its file already; what is wrong with its scores does not.
      if error.script == nil { error.message = "\"\(name)\": \(error.message)" }
      throw error.at(layer: layer)
    }
  }
}
