import Diagnostics
import LuaHost
import Pipeline

extension ScriptSession {
  static var recalibrateSchema: OptionSchema {
    OptionSchema(
      "RecalibrateOptions",
      [
        .init(name: "data", type: .data, help: "samples to measure on", isRequired: true),
        .init(
          name: "batches", type: .integer, help: "how many batches", standard: .integer(100), minimum: 1, maximum: 1e6),
        .init(
          name: "batch", type: .integer, help: "samples to a batch", standard: .integer(32), minimum: 1, maximum: 65_536
        ),
        .init(name: "seed", type: .integer, help: "of the order; the run's own by default"),
      ])
  }

  /// `train(model, { … })`, `recalibrate(model, { … })`, `quantize(model, recipe)`.
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
      "recalibrate", "(model: Model, options: RecalibrateOptions): Model",
      "Measures the statistics of batch norms anew, without training."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try Self.recalibrateSchema.read(try arguments.table(1))
      let work = RecalibrateStage(
        data: given.data("data")!.data, batches: given.integer("batches")!, batchSize: given.integer("batch")!,
        seed: given.integer("seed").map { UInt64(bitPattern: Int64($0)) } ?? options.seed)
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
    }
    state.define(
      "equalize", "(model: Model): Model",
      "The same function with channels of more alike ranges, for quantization with one scale a tensor."
    ) { [unowned self] arguments in
      try arguments.atMost(1)
      let model = try arguments.object(0, ModelObject.self)
      return [.object(ModelObject(try record(EqualizeStage(), [model.stage]), name: model.name))]
    }
    state.define(
      "fit_last_layer", "(model: Model, data: Data): Model",
      "Fits the last dense layer to labelled samples; for networks drawn at random, whose predictions mean nothing."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let work = FitLastLayerStage(data: try arguments.object(1, DataObject.self).data.unaugmented)
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
    }
    state.define(
      "quantize", "(model: Model, recipe: Plugin|BoundPlugin, options?: QuantizeOptions): Model",
      "Stores weights, and perhaps activations, in fewer bits; with training, weights learn to bear it."
    ) { [unowned self] arguments in
      try arguments.atMost(3)
      let model = try arguments.object(0, ModelObject.self)
      guard let recipe = try BoundPlugin.from(arguments[1], kind: .quantization) else {
        throw arguments.mismatch(1, expected: "a quantization plugin, such as use \"float16\" {}")
      }
      let given = try Self.quantizeSchema.read(try arguments.optionalTable(2))
      let training = try given.options("train").map(training)
      let work = QuantizeStage(
        LuaQuantizationPolicy(recipe, self), calibration: recipe.options.data("calibration")?.data.unaugmented,
        training: training?.recipe, learnsScales: given.bool("learn_scales")!)
      return [.object(ModelObject(try record(work, [model.stage] + (training?.inputs ?? [])), name: model.name))]
    }
  }

  static var quantizeSchema: OptionSchema {
    OptionSchema(
      "QuantizeOptions",
      [
        .init(name: "train", type: .table(trainSchema), help: "training with rounded weights and activations"),
        .init(
          name: "learn_scales", type: .boolean, help: "whether that training moves the scales, too",
          standard: .bool(true)),
      ])
  }
}
