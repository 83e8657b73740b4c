import Compression
import Datasets
import Diagnostics
import LuaHost
import Pipeline

extension ScriptSession {
  static var pruneSchema: OptionSchema {
    OptionSchema(
      "PruneOptions",
      [
        .init(name: "sparsity", type: .ratio, help: "share of zeros among the weights of the layers pruned"),
        .init(name: "schedule", type: .schedule, help: "sparsity over the course of the training, or over the rounds"),
        .init(
          name: "macs", type: .number, help: "filters: multiply-accumulates that stay, a share up to 1 or a number",
          minimum: 0),
        .init(
          name: "params", type: .number, help: "filters: parameters that stay, a share up to 1 or a number", minimum: 0),
        .init(name: "filters", type: .ratio, help: "filters: share of the filters that go"),
        .init(
          name: "ratios", type: .numbers, help: "filters: share that goes of each group of channels, in network order"),
        .init(
          name: "rounds", type: .integer, help: "remove in so many rounds, each followed by the training",
          standard: .integer(1), minimum: 1, maximum: 1000),
        .init(
          name: "keep_at_least", type: .integer, help: "filters: channels that each group keeps",
          standard: .integer(1), minimum: 1, maximum: 65_536),
        .init(name: "train", type: .table(trainSchema), help: "training during and after the removal"),
        .init(
          name: "samples", type: .data,
          help: "for strategies that need gradients or activations: what these are taken on; the first \(standardSamples) of "
            + "train.data by default"),
        .init(
          name: "every", type: .integer, help: "weights: steps between two removals", standard: .integer(50),
          minimum: 1,
          maximum: 1e9),
        .init(
          name: "ramp", type: .ratio,
          help: "weights: share of the training over which the schedule runs; the rest recovers",
          standard: .number(0.75)),
      ])
  }

  private static let standardSamples = 512

  /// What a policy's needs are worked out on; nil when it has none, or nobody said.
  private func samples(_ policy: LuaPruningPolicy, _ given: OptionValues) throws -> (any Dataset)? {
    guard !policy.needs.isEmpty else { return nil }
    if let data = given.data("samples")?.data { return data.unaugmented }
    guard let data = given.options("train")?.data("data")?.data.unaugmented else { return nil }
    return try data.taking(min(Self.standardSamples, data.count))
  }

  /// `prune(model, strategy, { … })`.
  func definePruning() {
    state.define(
      "prune", "(model: Model, strategy: Plugin|BoundPlugin, options: PruneOptions): Model",
      "Removes weights or filters by a strategy: at once, along a schedule while training, or in rounds."
    ) { [unowned self] arguments in
      try arguments.atMost(3)
      let model = try arguments.object(0, ModelObject.self)
      guard let strategy = try BoundPlugin.from(arguments[1], kind: .pruning) else {
        throw arguments.mismatch(1, expected: "a pruning plugin, such as use \"global_magnitude\" {}")
      }
      let given = try Self.pruneSchema.read(try arguments.table(2))
      let policy = try LuaPruningPolicy(strategy, self)
      let stage =
        switch policy.unit {
        case .weight, .block, .pattern: try pruneWeights(model, policy, given)
        case .filter: try pruneFilters(model, policy, given)
        }
      return [.object(ModelObject(stage, name: model.name))]
    }
  }

  private func pruneWeights(_ model: ModelObject, _ policy: LuaPruningPolicy, _ given: OptionValues) throws -> Stage {
    for name in ["macs", "params", "filters", "ratios"] where given[name] != nil {
      throw CompressError(
        "\"\(policy.name)\" prunes single weights: its target is a sparsity or a schedule, not \(name)")
    }
    let target: PruneStage.Target
    if case .pattern(let keep, let of) = policy.unit {
      guard given["sparsity"] == nil, given["schedule"] == nil else {
        throw CompressError("\"\(policy.name)\" keeps \(keep) of \(of) weights: it takes no sparsity and no schedule")
      }
      target = .sparsity(1 - Double(keep) / Double(of))
    } else {
      target = try sparsityTarget(given)
    }
    let training = try given.options("train").map(training), samples = try samples(policy, given)
    let rounds = given.integer("rounds")!
    guard rounds > 1 else {
      let work = try PruneStage(
        policy, target: target, training: training?.recipe, interval: given.integer("every")!,
        ramp: given.number("ramp")!, samples: samples)
      return try record(work, [model.stage] + (training?.inputs ?? []))
    }
    // Rounds remove at once and then train: the schedule runs from round to round.
    var stage = model.stage
    for round in 1...rounds {
      let progress = Double(round) / Double(rounds)
      let share =
        switch target {
        case .sparsity(let last): last * progress
        case .schedule: try target.value(at: progress)
        }
      stage = try record(PruneStage(policy, target: .sparsity(share), samples: samples), [stage])
      if let training {
        stage = try record(TrainStage(training.recipe, name: model.name), [stage] + training.inputs)
      }
    }
    return stage
  }

  private func sparsityTarget(_ given: OptionValues) throws -> PruneStage.Target {
    switch (given.number("sparsity"), try given["schedule"].map { try schedule($0) }) {
    case (let sparsity?, nil): return .sparsity(sparsity)
    case (nil, let schedule?): return .schedule(schedule)
    case (nil, nil): throw CompressError("prune needs a target: sparsity = 0.8, or a schedule")
    case (.some, .some): throw CompressError("prune takes a sparsity or a schedule, not both")
    }
  }

  private func pruneFilters(_ model: ModelObject, _ policy: LuaPruningPolicy, _ given: OptionValues) throws -> Stage {
    let targets = ["macs", "params", "filters", "ratios", "sparsity"].filter { given[$0] != nil }
    guard targets.count == 1 else {
      throw CompressError(
        targets.isEmpty
          ? "pruning filters needs a target: macs = 0.5, params = 0.5, filters = 0.3, sparsity = 0.5 or ratios = {…}"
          : "prune takes one target, not \(targets.joined(separator: " and "))")
    }
    guard given["schedule"] == nil else {
      throw CompressError("filters go in rounds, not along a schedule", hint: "rounds = 4, train = {…}")
    }
    let rounds = given.integer("rounds")!
    /// What a round leaves of what the round before left, so that all of them together leave `share`.
    func step(_ share: Double, _ round: Int) -> Double {
      func left(_ round: Int) -> Double { 1 - (1 - share) * Double(round) / Double(rounds) }
      return left(round) / left(round - 1)
    }
    func target(_ round: Int) throws -> PruneChannelsStage.Target {
      let name = targets[0]
      if name == "ratios" { return .shares(given.numbers("ratios")!) }
      let value = given.number(name)!
      switch name {
      case "filters": return .cost(.channels(1 - step(1 - value, round)))
      case "sparsity": return .cost(.parameters(step(1 - value, round)))
      default:
        guard value <= 1 || rounds == 1 else {
          throw CompressError("in rounds, \(name) is a share up to 1, not \(value.short)")
        }
        let left = value <= 1 ? step(value, round) : value
        return .cost(name == "macs" ? .macs(left) : .parameters(left))
      }
    }
    let training = try given.options("train").map(training), samples = try samples(policy, given)
    var stage = model.stage
    for round in 1...rounds {
      stage = try record(
        PruneChannelsStage(
          policy, target: target(round), minimum: given.integer("keep_at_least")!, samples: samples), [stage])
      if let training {
        stage = try record(TrainStage(training.recipe, name: model.name), [stage] + training.inputs)
      }
    }
    return stage
  }
}
