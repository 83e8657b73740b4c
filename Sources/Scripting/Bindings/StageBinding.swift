import Diagnostics
import LuaHost
import Pipeline

extension ScriptSession {
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
      let (training, others) = try training(try Self.trainSchema.read(try arguments.table(1)))
      let work = TrainStage(training, name: model.name)
      return [.object(ModelObject(try record(work, [model.stage] + others), name: model.name))]
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
      let tuning = try given.options("train").map(training)
      let work = try PruneStage(
        try LuaPruningPolicy(strategy, self), target: target, training: tuning?.recipe,
        interval: given.integer("every")!, ramp: given.number("ramp")!)
      return [.object(ModelObject(try record(work, [model.stage] + (tuning?.inputs ?? [])), name: model.name))]
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
}
