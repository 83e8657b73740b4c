import Diagnostics
import LuaHost
import Pipeline
import Training

extension ScriptSession {
  static var trainSchema: OptionSchema {
    OptionSchema(
      "TrainOptions",
      [
        .init(name: "data", type: .data, help: "samples to learn from", isRequired: true),
        .init(
          name: "epochs", type: .integer, help: "times that every sample is seen", standard: .integer(1), minimum: 1,
          maximum: 1e6),
        .init(
          name: "batch", type: .integer, help: "samples to a step", standard: .integer(32), minimum: 1, maximum: 65_536),
        .init(name: "optimizer", type: .choice(["adam", "sgd"]), standard: .string("adam")),
        .init(
          name: "learning_rate", type: .either(.number, .schedule),
          help: "constant, or a schedule; the optimizer's own by default"),
        .init(name: "momentum", type: .number, help: "of sgd", standard: .number(0), minimum: 0, maximum: 1),
        .init(name: "shuffle", type: .boolean, help: "another order each epoch", standard: .bool(true)),
        .init(name: "seed", type: .integer, help: "of the order; the run's own by default"),
      ])
  }

  static var pruneSchema: OptionSchema {
    OptionSchema(
      "PruneOptions",
      [
        .init(name: "sparsity", type: .ratio, help: "share of zeros among the weights of the layers pruned"),
        .init(name: "schedule", type: .schedule, help: "sparsity over the course of the training"),
        .init(name: "train", type: .table(trainSchema), help: "training during and after the removal"),
        .init(
          name: "every", type: .integer, help: "steps between two removals", standard: .integer(50), minimum: 1,
          maximum: 1e9),
        .init(
          name: "ramp", type: .ratio, help: "share of the training over which the schedule runs; the rest recovers",
          standard: .number(0.75)),
      ])
  }

  /// `train(model, { … })`, `prune(model, strategy, { … })`, `quantize(model, recipe)`.
  func defineStages() {
    state.define("train", "(model: Model, options: TrainOptions): Model", "Trains a model on labelled samples.") {
      [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let training = try training(try Self.trainSchema.read(try arguments.table(1)))
      return [.object(ModelObject(try record(TrainStage(training, name: model.name), [model.stage]), name: model.name))]
    }
    state.define(
      "prune", "(model: Model, strategy: Plugin|BoundPlugin, options: PruneOptions): Model",
      "Removes weights by a strategy, at once or along a schedule while training."
    ) { [unowned self] arguments in
      try arguments.atMost(3)
      let model = try arguments.object(0, ModelObject.self)
      guard let strategy = try BoundPlugin.from(arguments[1], kind: .pruning) else {
        throw arguments.mismatch(1, expected: "a pruning plugin, such as use \"global_magnitude\" {}")
      }
      let given = try Self.pruneSchema.read(try arguments.table(2))
      let target: PruneStage.Target
      switch (given.number("sparsity"), try given["schedule"].map { try schedule($0) }) {
      case (let sparsity?, nil): target = .sparsity(sparsity)
      case (nil, let schedule?): target = .schedule(schedule)
      case (nil, nil): throw CompressError("prune needs a target: sparsity = 0.8, or a schedule")
      case (.some, .some): throw CompressError("prune takes a sparsity or a schedule, not both")
      }
      let work = try PruneStage(
        try LuaPruningPolicy(strategy, self), target: target, training: try given.options("train").map(training),
        interval: given.integer("every")!, ramp: given.number("ramp")!)
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
    }
    state.define(
      "quantize", "(model: Model, recipe: Plugin|BoundPlugin): Model",
      "Stores weights, and perhaps activations, in fewer bits."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      guard let recipe = try BoundPlugin.from(arguments[1], kind: .quantization) else {
        throw arguments.mismatch(1, expected: "a quantization plugin, such as use \"float16\" {}")
      }
      let work = QuantizeStage(
        LuaQuantizationPolicy(recipe, self), calibration: recipe.options.data("calibration")?.data)
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
    }
  }

  private func training(_ given: OptionValues) throws -> TrainingRecipe {
    let rate: TrainingRecipe.Rate =
      switch given["learning_rate"] {
      case nil: .standard
      case .number(let rate): .constant(rate)
      case .some(let value): .schedule(try schedule(value))
      }
    let momentum = given.number("momentum")!
    let optimizer: Optimizer = given.string("optimizer") == "sgd" ? .sgd(momentum: momentum) : .adam()
    guard momentum == 0 || given.string("optimizer") == "sgd" else {
      throw CompressError("momentum is sgd's; adam has its own")
    }
    return TrainingRecipe(
      data: given.data("data")!.data, epochs: given.integer("epochs")!, batchSize: given.integer("batch")!,
      optimizer: optimizer, learningRate: rate,
      seed: given.integer("seed").map { UInt64(bitPattern: Int64($0)) } ?? options.seed,
      shuffles: given.bool("shuffle")!)
  }

  private func schedule(_ value: OptionValue) throws -> any Schedule {
    switch value {
    case .plugin(let plugin): LuaSchedule(plugin, self)
    case .function(let function): FunctionSchedule(function)
    default: throw CompressError("a schedule is a plugin or a function of t")
    }
  }
}
