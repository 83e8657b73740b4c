import Compression
import Datasets
import Devices
import Diagnostics
import LuaHost
import Pipeline

/// Of `prune`.
enum PruneKeys {
  static var sparsity: OptionKey<PerRound<Double>?> {
    .optional(
      "sparsity", .perRound(.ratio),
      help: "share of zeros among the weights of the layers pruned; a list: after each round", minimum: 0, maximum: 1)
  }
  static var schedule: OptionKey<OptionValue?> {
    .optional("schedule", .any(.schedule), help: "sparsity over the course of the training, or over the rounds")
  }
  static var macs: OptionKey<PerRound<Double>?> {
    .optional(
      "macs", .perRound(.number),
      help: "filters and blocks: multiply-accumulates that stay, a share up to 1 or a number", minimum: 0)
  }
  static var params: OptionKey<PerRound<Double>?> {
    .optional(
      "params", .perRound(.number), help: "filters and blocks: parameters that stay, a share up to 1 or a number",
      minimum: 0)
  }
  static var bytes: OptionKey<PerRound<Double>?> {
    .optional(
      "bytes", .perRound(.number),
      help: "filters: bytes of the saved file that stay, a share up to 1 or a number", minimum: 0)
  }
  static var latencyMs: OptionKey<PerRound<Double>?> {
    .optional(
      "latency_ms", .perRound(.number), help: "filters and weights: milliseconds for one sample, as measured here",
      minimum: 0)
  }
  static var ram: OptionKey<PerRound<Double>?> {
    .optional(
      "ram", .perRound(.number),
      help: "filters: bytes of memory that it takes in int8 as C source, a share up to 1 or a number", minimum: 0)
  }
  static var flash: OptionKey<PerRound<Double>?> {
    .optional(
      "flash", .perRound(.number),
      help: "filters: bytes of weights and tables that it takes in int8 as C source, likewise", minimum: 0)
  }
  static var device: OptionKey<BoundPlugin?> {
    .optional(
      "device", .plugin(.device),
      help:
        "filters: alone, they go until the network in int8 fits its memory and flash; with latency_ms, that is what "
        + "its table says, not what is measured here")
  }
  static var filters: OptionKey<PerRound<Double>?> {
    .optional(
      "filters", .perRound(.ratio), help: "filters: share of the filters that go", minimum: 0,
      maximum: 1)
  }
  static var blocks: OptionKey<PerRound<Double>?> {
    .optional(
      "blocks", .perRound(.ratio), help: "residual blocks: share of the blocks that go", minimum: 0, maximum: 1)
  }
  static var ratios: OptionKey<PerRound<[Double]>?> {
    .optional(
      "ratios", .listPerRound,
      help: "share that goes of each layer, or group of channels, in network order; or such a list for each round",
      minimum: 0, maximum: 1)
  }
  static var rounds: OptionKey<Int> {
    .init(
      "rounds", .integer, help: "remove in so many rounds, each followed by the training", standard: 1, minimum: 1,
      maximum: 1000)
  }
  static var rewind: OptionKey<ModelObject?> {
    .optional(
      "rewind", .model, help: "weights: after each removal, what is left gets this earlier model's values again")
  }
  static var protect: OptionKey<[String]> {
    .init("protect", .patterns, help: "layers left whole; \"first\" and \"last\" are those with weights", standard: [])
  }
  static var keepAtLeast: OptionKey<Int> {
    .init(
      "keep_at_least", .integer, help: "filters: channels that each group keeps", standard: 1, minimum: 1,
      maximum: 65_536)
  }
  static var multipleOf: OptionKey<Int> {
    .init(
      "multiple_of", .integer,
      help: "filters: each group that loses channels keeps a multiple of so many, which kernels make the most of",
      standard: 1, minimum: 1, maximum: 65_536)
  }
  static var train: OptionKey<OptionValues?> {
    .optional("train", .table(TrainKeys.schema), help: "training during and after the removal")
  }
  static var samples: OptionKey<DataObject?> {
    .optional(
      "samples", .data,
      help:
        "for strategies that need gradients or activations: what these are taken on; the first "
        + "\(standardSamples) of train.data by default")
  }
  static var reconstruct: OptionKey<DataObject?> {
    .optional(
      "reconstruct", .data,
      help: "filters: samples, with or without labels, on which the weights that are left are fitted, layer by layer, "
        + "to give what they gave before, by least squares; before any training")
  }
  static var every: OptionKey<Int> {
    .init("every", .integer, help: "weights: steps between two removals", standard: 50, minimum: 1, maximum: 1e9)
  }
  static var ramp: OptionKey<Double> {
    .init(
      "ramp", .ratio, help: "weights: share of the training over which the schedule runs; the rest recovers",
      standard: 0.75)
  }

  static let standardSamples = 512
  /// The targets that are numbers.
  static var numbers: [OptionKey<PerRound<Double>?>] {
    [sparsity, macs, params, bytes, latencyMs, ram, flash, filters, blocks]
  }

  static var schema: OptionSchema {
    OptionSchema(
      "PruneOptions",
      [
        sparsity, schedule, macs, params, bytes, latencyMs, ram, flash, device, filters, blocks, ratios, rounds, rewind,
        protect, keepAtLeast, multipleOf, train, samples, reconstruct, every, ramp,
      ])
  }
}

extension ScriptSession {
  /// What a policy's needs are worked out on; nil when it has none, or nobody said.
  private func samples(_ policy: any PruningPolicy, _ given: OptionValues) throws -> (any Dataset)? {
    guard !policy.needs.isEmpty else { return nil }
    if let data = given[PruneKeys.samples]?.data { return data.unaugmented }
    guard let data = given[PruneKeys.train]?[TrainKeys.data].data.unaugmented else { return nil }
    return try data.taking(min(PruneKeys.standardSamples, data.count))
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
      let given = try PruneKeys.schema.read(try arguments.table(2))
      let policy = try LuaPruningPolicy(strategy, self)
        .protecting(ProtectedLayers(given[PruneKeys.protect]))
      let stage =
        switch policy.unit {
        case .weight, .block, .pattern: try pruneWeights(model, policy, given)
        case .filter: try pruneFilters(model, policy, given)
        case .residualBlock: try pruneBlocks(model, policy, given)
        }
      return [.object(ModelObject(stage, name: model.name))]
    }
  }

  private func pruneWeights(_ model: ModelObject, _ policy: any PruningPolicy, _ given: OptionValues) throws -> Stage {
    let ofFilters = [
      PruneKeys.macs, PruneKeys.params, PruneKeys.bytes, PruneKeys.ram, PruneKeys.flash, PruneKeys.filters,
      PruneKeys.blocks,
    ]
    for key in ofFilters where given[key] != nil {
      throw CompressError(
        "\"\(policy.name)\" prunes single weights: its target is a sparsity, a schedule, ratios or latency_ms, not \(key.name)"
      )
    }
    guard given[PruneKeys.device] == nil else {
      throw CompressError(
        "\"\(policy.name)\" prunes single weights: what zeros save depends on where they lie, which no device's table knows"
      )
    }
    guard given[PruneKeys.reconstruct] == nil else {
      throw CompressError("\"\(policy.name)\" prunes single weights; what is left is fitted where filters go")
    }
    let rounds = try PruningRounds(given), targets = try weightTargets(policy, given, rounds)
    let training = try given[PruneKeys.train].map(training), samples = try samples(policy, given)
    guard rounds.count > 1 || given[PruneKeys.rewind] != nil else {
      let work = try PruneStage(
        policy, target: targets[0], training: training?.recipe, interval: given[PruneKeys.every],
        ramp: given[PruneKeys.ramp], samples: samples)
      return try record(work, [model.stage] + (training?.inputs ?? []))
    }
    // Rounds remove at once and then train: the schedule runs from round to round.
    var stage = model.stage
    for target in targets {
      stage = try record(PruneStage(policy, target: target, samples: samples), [stage])
      if let earlier = given[PruneKeys.rewind] { stage = try record(RewindStage(), [stage, earlier.stage]) }
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
    let keys: [any DeclaredOption] = [PruneKeys.sparsity, PruneKeys.schedule, PruneKeys.ratios, PruneKeys.latencyMs]
    let names = keys.filter(given.has).map(\.option.name)
    if case .pattern(let keep, let of) = policy.unit, names != [PruneKeys.schedule.name] {
      guard names.isEmpty else {
        throw CompressError(
          "\"\(policy.name)\" keeps \(keep) of \(of) weights: it takes no sparsity, ratios or latency_ms, only a schedule that ends there"
        )
      }
      return [PruneStage.Target](repeating: .sparsity(1 - Double(keep) / Double(of)), count: rounds.count)
    }
    guard names.count == 1 else {
      throw CompressError(
        names.isEmpty
          ? "prune needs a target: sparsity = 0.8, a schedule, ratios = {…} or latency_ms = 2"
          : "prune takes one target, not \(names.joined(separator: " and "))")
    }
    if let schedule = given[PruneKeys.schedule] {
      let target = PruneStage.Target.schedule(try self.schedule(schedule))
      guard rounds.count > 1 || given[PruneKeys.rewind] != nil else { return [target] }
      return try (1...rounds.count).map { round in
        let t = Double(round) / Double(rounds.count)
        guard let share = try target.share(at: t) else { throw CompressError("the schedule has no share at \(t)") }
        return .sparsity(share)
      }
    }
    if let ratios = given[PruneKeys.ratios] {
      // Each round takes its share of what the one before has left.
      var left: [Double] = []
      return try (1...rounds.count).map { round in
        let ratios = rounds.ratios(ratios, round)
        if round == 1 { left = ratios.map { _ in 1 } }
        guard ratios.count == left.count else {
          throw CompressError("\(ratios.count) ratios in round \(round), \(left.count) in the first")
        }
        left = zip(left, ratios).map { $0 * (1 - $1) }
        return .shares(left.map { 1 - $0 })
      }
    }
    if let latency = given[PruneKeys.latencyMs] {
      if case .together = latency, rounds.count > 1 {
        throw CompressError("in rounds, latency_ms is a list with the milliseconds after each of them")
      }
      return try rounds.values(latency, PruneKeys.latencyMs.name, from: 0).map { .latency($0) }
    }
    guard let sparsity = given[PruneKeys.sparsity] else { throw CompressError("prune needs a target") }
    return try rounds.values(sparsity, PruneKeys.sparsity.name, from: 0).map { .sparsity($0) }
  }

  private func pruneFilters(_ model: ModelObject, _ policy: any PruningPolicy, _ given: OptionValues) throws -> Stage {
    let keys: [any DeclaredOption] = [
      PruneKeys.macs, PruneKeys.params, PruneKeys.bytes, PruneKeys.latencyMs, PruneKeys.ram, PruneKeys.flash,
      PruneKeys.filters, PruneKeys.ratios, PruneKeys.sparsity,
    ]
    let targets = keys.filter(given.has).map(\.option.name)
    let device = try given[PruneKeys.device].map { try DeviceDescription($0, self) }
    if let device, let target = targets.first, target != PruneKeys.latencyMs.name {
      throw CompressError(
        "\(target) says how far to go, and so does device = \"\(device.name)\", which is for latency_ms or stands alone"
      )
    }
    guard targets.count == 1 || (targets.isEmpty && device != nil) else {
      throw CompressError(
        targets.isEmpty
          ? "pruning filters needs a target: macs = 0.5, params = 0.5, bytes = 0.5, latency_ms = 2, ram = 32768, "
            + "flash = 65536, filters = 0.3, sparsity = 0.5 or ratios = {…}"
          : "prune takes one target, not \(targets.joined(separator: " and "))")
    }
    guard given[PruneKeys.schedule] == nil else {
      throw CompressError("filters go in rounds, not along a schedule", hint: "rounds = 4, train = {…}")
    }
    guard given[PruneKeys.rewind] == nil else {
      throw CompressError(
        "single weights can be rewound; where filters go there is another network", hint: "reinitialize(model)")
    }
    guard given[PruneKeys.blocks] == nil else {
      throw CompressError("\"\(policy.name)\" prunes filters: its target is not a share of the blocks")
    }
    let rounds = try PruningRounds(given)
    let goals = try targets.isEmpty ? limits(of: device, rounds) : filterTargets(given, rounds)
    let training = try given[PruneKeys.train].map(training), samples = try samples(policy, given)
    var stage = model.stage
    for (number, goal) in goals.enumerated() {
      stage = try record(
        PruneChannelsStage(
          policy, target: goal, minimum: given[PruneKeys.keepAtLeast], multiple: given[PruneKeys.multipleOf],
          samples: samples, reconstruction: given[PruneKeys.reconstruct]?.data.unaugmented, device: device), [stage])
      // What fits one limit and then the other has been pruned once.
      if let training, !targets.isEmpty || number == goals.count - 1 {
        stage = try record(TrainStage(training.recipe, name: model.name), [stage] + training.inputs)
      }
    }
    return stage
  }

  /// What a device has room for, one limit after the other.
  private func limits(
    of device: DeviceDescription?, _ rounds: PruningRounds
  ) throws -> [PruneChannelsStage.Target] {
    guard let device else { return [] }
    guard rounds.count == 1 else { throw CompressError("what fits \"\(device.name)\" is pruned in one round") }
    let limits: [(ModelMeasure, Int?)] = [(.ram, device.ram), (.flash, device.flash)]
    let goals = limits.compactMap { measure, most in most.map { PruneChannelsStage.Target.atMost(measure, $0) } }
    guard !goals.isEmpty else {
      throw CompressError(
        "\"\(device.name)\" says neither how much ram nor how much flash it has", hint: "latency_ms = 2, by its table")
    }
    return goals
  }

  private func pruneBlocks(_ model: ModelObject, _ policy: any PruningPolicy, _ given: OptionValues) throws -> Stage {
    let keys: [any DeclaredOption] = [PruneKeys.macs, PruneKeys.params, PruneKeys.blocks]
    let others: [any DeclaredOption] = [
      PruneKeys.bytes, PruneKeys.latencyMs, PruneKeys.ram, PruneKeys.flash, PruneKeys.filters, PruneKeys.ratios,
      PruneKeys.sparsity, PruneKeys.schedule, PruneKeys.rewind, PruneKeys.device,
    ]
    if let other = others.first(where: given.has) {
      throw CompressError(
        "\"\(policy.name)\" prunes blocks: its target is macs, params or blocks, not \(other.option.name)")
    }
    let targets = keys.filter(given.has).map(\.option.name)
    guard targets.count == 1 else {
      throw CompressError(
        targets.isEmpty
          ? "pruning blocks needs a target: macs = 0.5, params = 0.5 or blocks = 0.25"
          : "prune takes one target, not \(targets.joined(separator: " and "))")
    }
    let rounds = try PruningRounds(given), training = try given[PruneKeys.train].map(training)
    let samples = try samples(policy, given)
    var stage = model.stage
    for goal in try blockTargets(given, rounds) {
      stage = try record(PruneBlocksStage(policy, target: goal, samples: samples), [stage])
      if let training {
        stage = try record(TrainStage(training.recipe, name: model.name), [stage] + training.inputs)
      }
    }
    return stage
  }

  private func blockTargets(_ given: OptionValues, _ rounds: PruningRounds) throws -> [CostTarget] {
    if let blocks = given[PruneKeys.blocks] {
      let left = try rounds.values(blocks, PruneKeys.blocks.name, from: 0).map { 1 - $0 }
      return try rounds.steps(left, PruneKeys.blocks.name).map { .channels(1 - $0) }
    }
    return try filterTargets(given, rounds).map { target in
      guard case .cost(let cost) = target else { preconditionFailure("macs and params are costs") }
      return cost
    }
  }

  /// What each round is to leave of what the one before has left.
  private func filterTargets(_ given: OptionValues, _ rounds: PruningRounds) throws -> [PruneChannelsStage.Target] {
    if let ratios = given[PruneKeys.ratios] { return (1...rounds.count).map { .shares(rounds.ratios(ratios, $0)) } }
    if let latency = given[PruneKeys.latencyMs] {
      if case .together = latency, rounds.count > 1 {
        throw CompressError("in rounds, latency_ms is a list with the milliseconds after each of them")
      }
      return try rounds.values(latency, PruneKeys.latencyMs.name, from: 0).map { .measured(.latency, $0) }
    }
    func steps(_ share: PerRound<Double>, _ name: String) throws -> [Double] {
      try rounds.steps(rounds.values(share, name, from: 0).map { 1 - $0 }, name)
    }
    if let filters = given[PruneKeys.filters] {
      return try steps(filters, PruneKeys.filters.name).map { .cost(.channels(1 - $0)) }
    }
    if let sparsity = given[PruneKeys.sparsity] {
      return try steps(sparsity, PruneKeys.sparsity.name).map { .cost(.parameters($0)) }
    }
    let costs: [(key: OptionKey<PerRound<Double>?>, target: (Double) -> PruneChannelsStage.Target)] = [
      (PruneKeys.macs, { .cost(.macs($0)) }), (PruneKeys.params, { .cost(.parameters($0)) }),
      (PruneKeys.bytes, { .measured(.bytes, $0) }), (PruneKeys.ram, { .measured(.ram, $0) }),
      (PruneKeys.flash, { .measured(.flash, $0) }),
    ]
    for (key, target) in costs {
      guard let cost = given[key] else { continue }
      let values = try rounds.values(cost, key.name, from: 1), areShares = values.allSatisfy { $0 <= 1 }
      let isListed = if case .each = cost { true } else { false }
      guard areShares || rounds.count == 1 || (isListed && values.allSatisfy { $0 > 1 }) else {
        throw CompressError("in rounds, \(key.name) is a share up to 1, or a list of numbers all above 1")
      }
      return try (areShares ? rounds.steps(values, key.name) : values).map(target)
    }
    throw CompressError("prune needs a target")
  }
}
