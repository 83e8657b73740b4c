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
        .init(
          name: "sparsity", type: .either(.ratio, .numbers),
          help: "share of zeros among the weights of the layers pruned; a list: after each round", minimum: 0,
          maximum: 1),
        .init(name: "schedule", type: .schedule, help: "sparsity over the course of the training, or over the rounds"),
        .init(
          name: "macs", type: .either(.number, .numbers),
          help: "filters: multiply-accumulates that stay, a share up to 1 or a number", minimum: 0),
        .init(
          name: "params", type: .either(.number, .numbers),
          help: "filters: parameters that stay, a share up to 1 or a number", minimum: 0),
        .init(
          name: "bytes", type: .either(.number, .numbers),
          help: "filters: bytes of the saved file that stay, a share up to 1 or a number", minimum: 0),
        .init(
          name: "latency_ms", type: .either(.number, .numbers),
          help: "filters: milliseconds for one sample, as measured here", minimum: 0),
        .init(
          name: "filters", type: .either(.ratio, .numbers), help: "filters: share of the filters that go", minimum: 0,
          maximum: 1),
        .init(
          name: "ratios", type: .either(.numbers, .numberLists),
          help: "share that goes of each layer, or group of channels, in network order; or such a list for each round",
          minimum: 0, maximum: 1),
        .init(
          name: "rounds", type: .integer, help: "remove in so many rounds, each followed by the training",
          standard: .integer(1), minimum: 1, maximum: 1000),
        .init(
          name: "rewind", type: .model,
          help: "weights: after each removal, what is left gets this earlier model's values again"),
        .init(
          name: "protect", type: .patterns, help: "layers left whole; \"first\" and \"last\" are those with weights",
          standard: .strings([])),
        .init(
          name: "keep_at_least", type: .integer, help: "filters: channels that each group keeps",
          standard: .integer(1), minimum: 1, maximum: 65_536),
        .init(
          name: "multiple_of", type: .integer,
          help: "filters: each group that loses channels keeps a multiple of so many, which kernels make the most of",
          standard: .integer(1), minimum: 1, maximum: 65_536),
        .init(name: "train", type: .table(trainSchema), help: "training during and after the removal"),
        .init(
          name: "samples", type: .data,
          help:
            "for strategies that need gradients or activations: what these are taken on; the first \(standardSamples) of "
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
  private func samples(_ policy: any PruningPolicy, _ given: OptionValues) throws -> (any Dataset)? {
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
        .protecting(ProtectedLayers(given.strings("protect")!))
      let stage =
        switch policy.unit {
        case .weight, .block, .pattern: try pruneWeights(model, policy, given)
        case .filter: try pruneFilters(model, policy, given)
        }
      return [.object(ModelObject(stage, name: model.name))]
    }
  }

  private func pruneWeights(_ model: ModelObject, _ policy: any PruningPolicy, _ given: OptionValues) throws -> Stage {
    for name in ["macs", "params", "bytes", "latency_ms", "filters"] where given[name] != nil {
      throw CompressError(
        "\"\(policy.name)\" prunes single weights: its target is a sparsity, a schedule or ratios, not \(name)")
    }
    let rounds = try PruningRounds(given), targets = try weightTargets(policy, given, rounds)
    let training = try given.options("train").map(training), samples = try samples(policy, given)
    guard rounds.count > 1 || given["rewind"] != nil else {
      let work = try PruneStage(
        policy, target: targets[0], training: training?.recipe, interval: given.integer("every")!,
        ramp: given.number("ramp")!, samples: samples)
      return try record(work, [model.stage] + (training?.inputs ?? []))
    }
    // Rounds remove at once and then train: the schedule runs from round to round.
    var stage = model.stage
    for target in targets {
      stage = try record(PruneStage(policy, target: target, samples: samples), [stage])
      if case .model(let earlier)? = given["rewind"] { stage = try record(RewindStage(), [stage, earlier.stage]) }
      if let training {
        stage = try record(TrainStage(training.recipe, name: model.name), [stage] + training.inputs)
      }
    }
    return stage
  }

  /// What is to be zero after each round.
  private func weightTargets(
    _ policy: any PruningPolicy, _ given: OptionValues, _ rounds: PruningRounds
  ) throws -> [PruneStage.Target] {
    let names = ["sparsity", "schedule", "ratios"].filter { given[$0] != nil }
    if case .pattern(let keep, let of) = policy.unit {
      guard names.isEmpty else {
        throw CompressError(
          "\"\(policy.name)\" keeps \(keep) of \(of) weights: it takes no sparsity, no schedule and no ratios")
      }
      return [PruneStage.Target](repeating: .sparsity(1 - Double(keep) / Double(of)), count: rounds.count)
    }
    guard names.count == 1 else {
      throw CompressError(
        names.isEmpty
          ? "prune needs a target: sparsity = 0.8, a schedule, or ratios = {…}"
          : "prune takes one target, not \(names.joined(separator: " and "))")
    }
    switch names[0] {
    case "schedule":
      let target = PruneStage.Target.schedule(try schedule(given["schedule"]!))
      guard rounds.count > 1 || given["rewind"] != nil else { return [target] }
      return try (1...rounds.count).map { .sparsity(try target.share(at: Double($0) / Double(rounds.count))!) }
    case "ratios":
      // Each round takes its share of what the one before has left.
      var left: [Double] = []
      return try (1...rounds.count).map { round in
        let ratios = rounds.ratios(round)
        if round == 1 { left = ratios.map { _ in 1 } }
        guard ratios.count == left.count else {
          throw CompressError("\(ratios.count) ratios in round \(round), \(left.count) in the first")
        }
        left = zip(left, ratios).map { $0 * (1 - $1) }
        return .shares(left.map { 1 - $0 })
      }
    default: return try rounds.values("sparsity", from: 0).map { .sparsity($0) }
    }
  }

  private func pruneFilters(_ model: ModelObject, _ policy: any PruningPolicy, _ given: OptionValues) throws -> Stage {
    let targets = ["macs", "params", "bytes", "latency_ms", "filters", "ratios", "sparsity"].filter { given[$0] != nil }
    guard targets.count == 1 else {
      throw CompressError(
        targets.isEmpty
          ? "pruning filters needs a target: macs = 0.5, params = 0.5, bytes = 0.5, latency_ms = 2, filters = 0.3, "
            + "sparsity = 0.5 or ratios = {…}"
          : "prune takes one target, not \(targets.joined(separator: " and "))")
    }
    guard given["schedule"] == nil else {
      throw CompressError("filters go in rounds, not along a schedule", hint: "rounds = 4, train = {…}")
    }
    guard given["rewind"] == nil else {
      throw CompressError(
        "single weights can be rewound; where filters go there is another network", hint: "reinitialize(model)")
    }
    let rounds = try PruningRounds(given)
    let goals = try filterTargets(targets[0], rounds)
    let training = try given.options("train").map(training), samples = try samples(policy, given)
    var stage = model.stage
    for goal in goals {
      stage = try record(
        PruneChannelsStage(
          policy, target: goal, minimum: given.integer("keep_at_least")!, multiple: given.integer("multiple_of")!,
          samples: samples), [stage])
      if let training {
        stage = try record(TrainStage(training.recipe, name: model.name), [stage] + training.inputs)
      }
    }
    return stage
  }

  /// What each round is to leave of what the one before has left.
  private func filterTargets(_ name: String, _ rounds: PruningRounds) throws -> [PruneChannelsStage.Target] {
    switch name {
    case "ratios": return (1...rounds.count).map { .shares(rounds.ratios($0)) }
    case "latency_ms":
      guard rounds.count == 1 || rounds.isListed(name) else {
        throw CompressError("in rounds, latency_ms is a list with the milliseconds after each of them")
      }
      return try rounds.values(name, from: 0).map { .measured(.latency, $0) }
    case "filters", "sparsity":
      let left = try rounds.values(name, from: 0).map { 1 - $0 }
      return try rounds.steps(left, name).map { name == "filters" ? .cost(.channels(1 - $0)) : .cost(.parameters($0)) }
    default:
      let values = try rounds.values(name, from: 1)
      let areShares = values.allSatisfy { $0 <= 1 }
      guard areShares || rounds.count == 1 || (rounds.isListed(name) && values.allSatisfy { $0 > 1 }) else {
        throw CompressError("in rounds, \(name) is a share up to 1, or a list of numbers all above 1")
      }
      return try (areShares ? rounds.steps(values, name) : values).map { value in
        switch name {
        case "macs": .cost(.macs(value))
        case "params": .cost(.parameters(value))
        default: .measured(.bytes, value)
        }
      }
    }
  }
}
