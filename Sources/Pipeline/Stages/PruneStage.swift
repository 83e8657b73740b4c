import Compression
import Datasets
import Diagnostics
import Network
import Tensors
import Training

/// Removes weights by a policy's scores: at once, or little by little while the network trains on.
public struct PruneStage: StageWork {
  public let policy: any PruningPolicy
  public private(set) var target: Target
  /// Training during and after the removal; nil prunes in one shot.
  public let training: TrainingRecipe?
  /// Steps between two removals.
  public let interval: Int
  /// The share of the training over which the schedule runs; the rest recovers at the final sparsity.
  public let ramp: Double
  /// What the policy's needs are worked out on.
  public let samples: (any Dataset)?

  /// The share of zeros among the weights of the layers that are pruned.
  public enum Target {
    case sparsity(Double)
    case schedule(any Schedule)
    /// One for each layer that the policy does not leave whole, in the network's order.
    case shares([Double])
    /// As many zeros as bring the model down to so many milliseconds for one sample: found by trying.
    case latency(Double)

    fileprivate var functions: [Recipe] {
      if case .schedule(let schedule) = self { [schedule.recipe] } else { [] }
    }

    /// What is to be zero at progress `t`, from 0 to 1.
    ///
    /// - Precondition: of a latency it is known what share that takes.
    /// - Throws: `CompressError` when the schedule leaves 0…1; what it throws.
    func amount(at t: Double) throws -> Pruner.Amount {
      switch self {
      case .sparsity(let share): return .share(try Self.checked(share))
      case .shares(let shares): return .each(try shares.map(Self.checked))
      case .latency: preconditionFailure("a latency is resolved first")
      case .schedule(let schedule):
        let share = try schedule.value(at: t)
        // The rounding of a formula may overshoot the ends a little; anything more is a mistake.
        guard (-1e-9...1 + 1e-9).contains(share) else {
          throw CompressError(
            "schedule \"\(schedule.name)\" asks for a sparsity of \(share) at progress \(t); it must lie within 0 and 1"
          )
        }
        return .upTo(min(max(share, 0), 1))
      }
    }

    /// The share at progress `t` of all layers together; nil when each has one of its own.
    ///
    /// - Throws: `CompressError` when the schedule leaves 0…1; what it throws.
    public func share(at t: Double) throws -> Double? {
      if case .latency = self { return nil }
      return switch try amount(at: t) {
      case .share(let share), .upTo(let share): share
      case .each: nil
      }
    }

    private static func checked(_ share: Double) throws -> Double {
      guard (0...1).contains(share) else { throw CompressError("a sparsity of \(share) is not within 0 and 1") }
      return share
    }
  }

  /// - Throws: `CompressError` when an option is out of range or the schedule's ends are.
  public init(
    _ policy: any PruningPolicy, target: Target, training: TrainingRecipe? = nil, interval: Int = 50,
    ramp: Double = 0.75, samples: (any Dataset)? = nil
  ) throws {
    guard (1...1_000_000_000).contains(interval) else { throw CompressError("an interval of \(interval) steps") }
    guard ramp > 0, ramp <= 1 else { throw CompressError("a ramp of \(ramp) is not within 0 and 1") }
    guard !policy.unit.isRemoved else {
      let own = policy.unit == .filter ? "filters" : "blocks"
      throw CompressError("\"\(policy.name)\" prunes \(own), not single weights")
    }
    try policy.unit.check()
    if case .latency(let milliseconds) = target {
      guard milliseconds > 0, milliseconds.isFinite else {
        throw CompressError("latency_ms = \(milliseconds) leaves nothing of the network")
      }
      try policy.checkScoresAtOnce()
    } else {
      for t in [0, 0.5, 1] { _ = try target.amount(at: t) }
    }
    if training == nil { try policy.checkScoresAtOnce() }
    if case .schedule(let schedule) = target, case .pattern(let keep, let of) = policy.unit {
      let own = 1 - Double(keep) / Double(of), end = try target.share(at: 1) ?? own
      guard abs(end - own) < 0.005 else {
        throw CompressError(
          "schedule \"\(schedule.name)\" ends at \(end.percent) zeros, where \"\(policy.name)\" keeps \(keep) of \(of): "
            + own.percent)
      }
    }
    if case .latency = target, case .pattern = policy.unit {
      throw CompressError("\"\(policy.name)\" itself says how much goes; it takes no latency_ms")
    }
    if case .shares = target, case .pattern = policy.unit {
      throw CompressError("\"\(policy.name)\" itself says how much of each layer goes; there are no shares to choose")
    }
    self.policy = policy
    self.target = target
    self.training = training
    self.interval = interval
    self.ramp = ramp
    self.samples = samples
  }

  public var kind: String { "prune" }

  public var label: String {
    let tuning = training.map { ", \($0.epochsText)" } ?? ""
    var share = (try? target.share(at: 1)).map { " to \(($0 * 100).formatted(1)) %" } ?? ""
    if case .latency(let milliseconds) = target { share = " to \(ModelMeasure.latency.text(milliseconds))" }
    return "prune\(share) by \(policy.name)\(tuning)"
  }

  public func recipe() throws -> Recipe {
    let aim: Recipe =
      switch target {
      case .sparsity(let share): .number(share)
      case .schedule(let schedule): schedule.recipe
      case .shares(let shares): .list(shares.map { .number($0) })
      case .latency(let milliseconds): ["unit": .string(ModelMeasure.latency.rawValue), "value": .number(milliseconds)]
      }
    return [
      "policy": try policy.recipe(on: samples), "target": aim, "training": try training?.recipe() ?? .null,
      "interval": .int(interval), "ramp": .number(ramp),
    ]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    try training?.check(inputs)
    guard inputs[0].nodes.contains(where: { $0.op.hasWeight }) else {
      throw CompressError("there are no weights to prune")
    }
    try policy.check(samples, fit: inputs[0])
    return inputs[0]
  }

  /// What was known stays; else what the training's data says.
  public func signature(inputs: [ModelSignature]) -> ModelSignature {
    training.map { inputs[0].over($0.data.signature) } ?? inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let model = inputs[0]
    try policy.check(layers: model.weightLayers)
    let pruner = try Pruner(policy: policy, model: model, samples: samples, context: context)
    if case .latency(let milliseconds) = target {
      return try run(reaching: milliseconds, from: inputs, pruner, context)
    }
    let wanted = try target.share(at: 1)
    var result: StageResult
    var ended: (step: Int, due: Int, total: Int)?
    if let training {
      let hook = GradualPruning(pruner: pruner, target: target, interval: interval, ramp: ramp)
      result = try training.train(
        inputs, hooks: [hook], asking: { [target] in target.functions }, label: label, context: context,
        outcome: { trained in
          let reached = Self.sparsity(of: trained)
          return Self.misses(wanted, reached) ? "reached \(reached.percent)" : nil
        },
        onEnd: { trainer in
          let due = hook.end(of: trainer.totalSteps)
          if trainer.stepsDone <= due { ended = (trainer.stepsDone, due, trainer.totalSteps) }
        })
    } else {
      var pruned = model
      let evidence = pruner.evidence(of: model)
      for (layer, mask) in try pruner.masks(target.amount(at: 1), seeing: { try evidence.view($0) }) {
        try pruned.prune(layer, by: mask)
      }
      result = StageResult(pruned)
    }
    adoptStructure(of: &result.model, from: model)
    let reached = Self.sparsity(of: result.model)
    result.record.facts["sparsity"] = reached
    if let warning = shortfall(wanted, reached, pruner, ended) { result.record.warn(warning) }
    return result
  }

  /// The stage with the share of zeros that brings the model down to so many milliseconds.
  private func run(
    reaching milliseconds: Double, from inputs: [Model], _ pruner: Pruner, _ context: StageContext
  ) throws -> StageResult {
    let measure = ModelMeasure.latency, evidence = pruner.evidence(of: inputs[0])
    let share = try measure.shareOfZeros(milliseconds, context) { share in
      var pruned = inputs[0]
      for (layer, mask) in try pruner.masks(.share(share), seeing: { try evidence.view($0) }) {
        try pruned.prune(layer, by: mask)
      }
      return pruned
    }
    var resolved = self
    resolved.target = .sparsity(share)
    var result = try resolved.run(inputs: inputs, context: context)
    if let remark = measure.remark(context, decided: "that \(share.percent) of the weights are zero") {
      result.record.notes.append(remark)
    }
    let reached = try measure.value(of: result.model, context)
    result.record.facts[measure.rawValue] = reached
    if reached > milliseconds * 1.1 {
      result.record.warn(
        "latency_ms: \(measure.text(reached)) where \(measure.text(milliseconds)) was asked for: zeros came elsewhere while "
          + "the network trained, or the machine is busier than before")
    }
    return result
  }

  /// Has every layer that lost weights here know in what form: all of them, if an earlier stage removed others that do
  /// not come in it, have none.
  private func adoptStructure(of model: inout Model, from before: Model) {
    guard let structure = policy.unit.structure else { return }
    for layer in model.weightLayers where Self.hasPruned(layer, of: model, from: before) {
      model.adopt(structure, of: layer)
    }
  }

  /// Whether a layer's mask is another than before.
  static func hasPruned(_ layer: String, of model: Model, from before: Model) -> Bool {
    guard let mask = model[layer, .weight]?.mask else { return false }
    return before[layer, .weight]?.mask?.array(UInt8.self) != mask.array(UInt8.self)
  }

  /// The share of zeros among the weights of the layers that are pruned.
  private static func sparsity(of model: Model) -> Double {
    let pruned = model.weightLayers.compactMap { model[$0, .weight] }.filter { $0.mask != nil }
    let total = pruned.reduce(0) { $0 + $1.count }
    return total == 0 ? 0 : 1 - Double(pruned.reduce(0) { $0 + $1.nonzeroCount }) / Double(total)
  }

  /// Whether what came out is not what was asked for: by half a hundredth, as filters' targets allow twice.
  private static func misses(_ wanted: Double?, _ reached: Double) -> Bool {
    wanted.map { abs(reached - $0) > 0.005 } ?? false
  }

  /// What is to be said where there are not as many zeros as were asked for, or more, and why.
  private func shortfall(
    _ wanted: Double?, _ reached: Double, _ pruner: Pruner, _ ended: (step: Int, due: Int, total: Int)?
  ) -> String? {
    let model = pruner.model, layers = model.weightLayers
    guard !pruner.layers.isEmpty else {
      let weights = layers.reduce(0) { $0 + model[$1, .weight]!.count }
      let asked = wanted.map { ", where zeros for \($0.percent) were asked for" } ?? ""
      return
        "nothing was pruned\(asked): all \(layers.count) layers with weights (\(weights) weights) are protected or skipped"
    }
    if let ended, wanted.map({ Self.misses($0, reached) }) ?? (reached == 0) {
      return "\(reached.percent) of the weights are zero"
        + (wanted.map { ", where \($0.percent) were asked for" } ?? "")
        + ": the training ended after step \(ended.step) of \(ended.total), and the last removal is due before step "
        + "\(ended.due + 1)"
    }
    guard let wanted, Self.misses(wanted, reached) else { return nil }
    let reason: String =
      if reached == 0 {
        "\"\(policy.name)\" left its \(pruner.layers.count) \(pruner.layers.count == 1 ? "layer" : "layers") whole"
      } else {
        switch policy.unit {
        case .block(let rows, let columns): "blocks of \(rows) by \(columns) go or stay as a whole"
        case .pattern(_, let of):
          "not every filter's inputs are a multiple of \(of), and a last, shorter run keeps its share, rounded up"
        case .weight, .filter, .residualBlock:
          reached > wanted
            ? "others were removed by an earlier stage, or are zero by themselves"
            : "a share of so few weights is coarse"
        }
      }
    return "\(reached.percent) of the weights are zero, where \(wanted.percent) were asked for: \(reason)"
  }
}

/// Raises the sparsity along the schedule while the network trains.
private struct GradualPruning: TrainingHook {
  let pruner: Pruner
  let target: PruneStage.Target
  let interval: Int
  let ramp: Double

  func beforeStep(_ step: Int, of total: Int, weights: TrainableWeights) throws {
    // The last removal of the ramp happens exactly at its end, whatever the interval.
    let end = end(of: total)
    guard step <= end, step % interval == 0 || step == end else { return }
    // What is made of steps is not there before the first.
    guard step > 0 || !pruner.policy.gathers else { return }
    let amount = try target.amount(at: min(1, Double(step) / Double(end)))
    // The whole network as it is now is only of interest to a policy that needs more than its weights.
    let evidence = pruner.evidence(of: pruner.policy.needs.isEmpty ? pruner.model : try weights.model())
    let masks = try pruner.masks(amount) { layer in
      var view = try evidence.view(layer, weight: weights.values(layer)!)
      view.gathered = weights.gathered(layer)
      return view
    }
    for (layer, mask) in masks { try weights.setMask(mask, of: layer) }
  }

  func afterBackward(_ step: Int, of total: Int, weights: TrainableWeights) throws {
    guard pruner.policy.gathers, step < end(of: total) else { return }
    for layer in pruner.layers {
      var view = pruner.views[layer, weight: weights.values(layer)!]
      view.gradient = weights.gradient(layer)
      try weights.gather(pruner.gathered(view, weights.gathered(layer)), of: layer)
    }
  }

  /// Before the last removal there are too many weights.
  func isSettled(after step: Int, of total: Int) -> Bool { step > end(of: total) }

  /// The step before which the last removal happens.
  func end(of total: Int) -> Int { max(1, min(total - 1, Int((Double(total) * ramp).rounded()))) }
}
