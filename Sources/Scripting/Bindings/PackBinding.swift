import Diagnostics
import LuaHost
import Pipeline

/// Of `pack`.
enum PackKeys {
  static var lambda: OptionKey<Double?> {
    .optional(
      "lambda", .number,
      help: "the squared error of the outputs, relative to theirs, that a bit for every weight is worth; 0.01 is a "
        + "good start, 0 takes as many levels as there are", minimum: 0, maximum: 1e6)
  }
  static var within: OptionKey<Double?> {
    .optional(
      "within", .ratio,
      help: "how much accuracy on the data may be lost, or of the cosine of outputs where it has no labels: 0.001 is a "
        + "tenth of a point")
  }
  static var bytes: OptionKey<Int?> {
    .optional("bytes", .integer, help: "the largest packed file", minimum: 1, maximum: 1e15)
  }
  static var data: OptionKey<DataObject> {
    .required("data", .data, help: "samples to round by, and that accuracy is measured on; of the training")
  }
  static var samples: OptionKey<Int> {
    .init(
      "samples", .integer, help: "how many of them, drawn at random, are looked at by those who round",
      standard: PackStage.standardSamples, minimum: 1, maximum: 65_536)
  }
  static var seed: OptionKey<Int?> { .optional("seed", .integer, help: "of the draw; the run's own by default") }

  static var schema: OptionSchema { OptionSchema("PackOptions", [lambda, within, bytes, data, samples, seed]) }
}

extension ScriptSession {
  /// `pack(model, { data, within })`.
  func definePack() {
    state.define(
      "pack", "(model: Model, options: PackOptions): Model",
      "Rounds weights to the levels that make the packed file smallest for what the outputs err, by a trade, a limit "
        + "of accuracy or one of bytes."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try PackKeys.schema.read(try arguments.table(1))
      let goal: PackStage.Goal
      switch (given[PackKeys.lambda], given[PackKeys.within], given[PackKeys.bytes]) {
      case (let lambda?, nil, nil): goal = .lambda(lambda)
      case (nil, let within?, nil): goal = .within(within)
      case (nil, nil, let bytes?): goal = .bytes(bytes)
      default: throw CompressError("pack takes one goal: within = 0.001, bytes = 100000 or lambda = 0.01")
      }
      let work = try PackStage(
        goal, data: given[PackKeys.data].data.unaugmented, samples: given[PackKeys.samples],
        seed: seed(given[PackKeys.seed]))
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
    }
  }
}
