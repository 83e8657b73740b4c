import Diagnostics
import LuaHost
import Pipeline

extension ScriptSession {
  /// `train(model, { … })`, `quantize(model, recipe)`.
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
