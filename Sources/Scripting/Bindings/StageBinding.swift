import Diagnostics
import LuaHost
import Pipeline

/// Of `recalibrate`.
enum RecalibrateKeys {
  static var data: OptionKey<DataObject> { .required("data", .data, help: "samples to measure on") }
  static var batches: OptionKey<Int> {
    .init("batches", .integer, help: "how many batches", standard: 100, minimum: 1, maximum: 1e6)
  }
  static var batch: OptionKey<Int> {
    .init("batch", .integer, help: "samples to a batch", standard: 32, minimum: 1, maximum: 65_536)
  }
  static var seed: OptionKey<Int?> { .optional("seed", .integer, help: "of the order; the run's own by default") }

  static var schema: OptionSchema { OptionSchema("RecalibrateOptions", [data, batches, batch, seed]) }
}

/// Of `equalize`.
enum EqualizeKeys {
  static var data: OptionKey<DataObject?> {
    .optional("data", .data, help: "samples by whose values channels are made alike; by weights alone without")
  }

  static var schema: OptionSchema { OptionSchema("EqualizeOptions", [data]) }
}

/// Of `permute`.
enum PermuteKeys {
  static var columns: OptionKey<Int> {
    .init("columns", .integer, help: "channels to a block", standard: 4, minimum: 2, maximum: 64)
  }

  static var schema: OptionSchema { OptionSchema("PermuteOptions", [columns]) }
}

/// Of `quantize`.
enum QuantizeKeys {
  static var train: OptionKey<OptionValues?> {
    .optional("train", .table(TrainKeys.schema), help: "training with rounded weights and activations")
  }
  static var learnScales: OptionKey<Bool> {
    .init("learn_scales", .boolean, help: "whether that training moves the scales, too", standard: true)
  }

  static var schema: OptionSchema { OptionSchema("QuantizeOptions", [train, learnScales]) }
}

extension ScriptSession {
  /// `train(model, { … })`, `recalibrate(model, { … })`, `quantize(model, recipe)`.
  func defineStages() {
    state.define("train", "(model: Model, options: TrainOptions): Model", "Trains a model on labelled samples.") {
      [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let (training, others) = try training(try TrainKeys.schema.read(try arguments.table(1)))
      let work = TrainStage(training, name: model.name)
      return [.object(ModelObject(try record(work, [model.stage] + others), name: model.name))]
    }
    state.define(
      "recalibrate", "(model: Model, options: RecalibrateOptions): Model",
      "Measures the statistics of batch norms anew, without training."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try RecalibrateKeys.schema.read(try arguments.table(1))
      let work = RecalibrateStage(
        data: given[RecalibrateKeys.data].data, batches: given[RecalibrateKeys.batches],
        batchSize: given[RecalibrateKeys.batch],
        seed: seed(given[RecalibrateKeys.seed]))
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
    }
    state.define(
      "equalize", "(model: Model, options?: EqualizeOptions): Model",
      "The same function with channels of more alike ranges, for quantization with one scale a tensor."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try EqualizeKeys.schema.read(try arguments.optionalTable(1))
      let work = EqualizeStage(data: given[EqualizeKeys.data]?.data.unaugmented)
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
    }
    state.define(
      "permute", "(model: Model, options?: PermuteOptions): Model",
      "The same function with channels that are alike side by side, so that weights pruned in blocks of inputs lose less."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try PermuteKeys.schema.read(try arguments.optionalTable(1))
      let work = try PermuteStage(columns: given[PermuteKeys.columns])
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
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
      let given = try QuantizeKeys.schema.read(try arguments.optionalTable(2))
      let training = try given[QuantizeKeys.train].map(training)
      let work = QuantizeStage(
        LuaQuantizationPolicy(recipe, self), calibration: recipe.calibration?.unaugmented,
        training: training?.recipe, learnsScales: given[QuantizeKeys.learnScales])
      return [.object(ModelObject(try record(work, [model.stage] + (training?.inputs ?? [])), name: model.name))]
    }
  }

}
