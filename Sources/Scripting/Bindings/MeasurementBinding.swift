import Analysis
import Datasets
import Diagnostics
import LuaHost
import Pipeline

/// Of `compare`.
enum CompareKeys {
  static var on: OptionKey<DataObject> { .required("on", .data, help: "samples that accuracy is measured on") }
  static var images: OptionKey<Int> {
    .init("images", .integer, help: "how many are timed one by one", standard: 1000, minimum: 1, maximum: 1e6)
  }
  static var order: OptionKey<Comparison.Order> {
    .init("order", .choice(of: Comparison.Order.self), help: "which ones", standard: .first)
  }
  static var warmup: OptionKey<Int> {
    .init("warmup", .integer, help: "runs before the first sample", standard: 50, minimum: 0, maximum: 1e6)
  }
  static var cooldown: OptionKey<Double> {
    .init(
      "cooldown", .number, help: "seconds of rest before each variant, shared out over its turns", standard: 0,
      minimum: 0, maximum: 3600)
  }
  static var turns: OptionKey<Int> {
    .init(
      "turns", .integer, help: "in how many processes each variant is timed, in between the others",
      standard: Comparison.standardTurns, minimum: 1, maximum: Double(Comparison.mostTurns))
  }

  static var schema: OptionSchema { OptionSchema("CompareOptions", [on, images, order, warmup, cooldown, turns]) }
}

/// Of `evaluate`.
enum EvaluateKeys {
  static var on: OptionKey<DataObject?> {
    .optional("on", .data, help: "samples; the test half of the script's data set by default")
  }

  static var schema: OptionSchema { OptionSchema("EvaluateOptions", [on, JudgeKeys.by, JudgeKeys.original]) }
}

extension ScriptSession {
  private static let mostVariants = 200
  /// Bytes.
  private static let longestVariantName = 400

  /// `compare { on = data.test, { "name", model }, … }` and `evaluate(model).accuracy`.
  func defineMeasurements() {
    state.define(
      "compare", "(variants: CompareOptions|[string, Model][])",
      "Measures variants side by side when the script has ended; once a script."
    ) { [unowned self] arguments in
      try arguments.atMost(1)
      guard comparison == nil else {
        throw CompressError("a script compares once; put all variants into one compare { … }")
      }
      let table = try arguments.table(0)
      let given = try CompareKeys.schema.read(table, positional: true)
      // Each is a process that is started, and a row of every table.
      guard table.count <= Self.mostVariants else {
        throw CompressError("\(table.count) variants; at most \(Self.mostVariants) are compared")
      }
      let variants = try table.array.enumerated().map { index, value in
        guard let pair = value.table, pair.count == 2, let name = pair[1].string,
          let model = pair[2].object(ModelObject.self)
        else { throw CompressError("variant \(index + 1) is not { \"name\", model }") }
        guard name.utf8.count <= Self.longestVariantName else {
          throw CompressError(
            "the name of variant \(index + 1) has \(name.utf8.count) bytes; at most \(Self.longestVariantName) are taken")
        }
        return Comparison.Variant(name: name, stage: model.stage)
      }
      comparison = try Comparison(
        variants: variants, data: given[CompareKeys.on].data, images: given[CompareKeys.images],
        order: given[CompareKeys.order], warmUp: given[CompareKeys.warmup],
        cooldown: given[CompareKeys.cooldown], turns: given[CompareKeys.turns])
      return []
    }
    state.define(
      "evaluate", "(model: Model, on?: Data|EvaluateOptions): { accuracy: number?, correct: integer?, count: "
        + "integer, cosine: number?, outputs: { name: string, cosine: number, sqnr: number?, max: number, same: number }[]? }",
      "How many samples the model gets right, or how far its outputs are an original's; computes the model."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let alone = arguments[1].object(DataObject.self)
      let given = try alone == nil ? EvaluateKeys.schema.read(try arguments.optionalTable(1)) : nil
      let samples = try (alone ?? given?[EvaluateKeys.on])?.data ?? onlyTestData(), ready = try ready(model)
      // An original says what is meant; without one accuracy tells why it cannot be had.
      if try given.flatMap(judged) == .agreement {
        guard let original = given?[JudgeKeys.original] else {
          throw CompressError("agreement with what?", hint: "original = model")
        }
        let first = try self.ready(original)
        let found = try measuring {
          try Agreement(first, ready, on: samples.unaugmented, context: executor.context.work)
        }
        return [.table(try table(found))]
      }
      let result = try measuring { try Evaluation(ready, on: samples, context: executor.context.work) }
      try result.checkDefined("the model", on: samples)
      return [
        .table(
          try state.makeTable(fields: [
            "accuracy": .number(result.accuracy), "correct": .integer(result.correct), "count": .integer(result.count),
          ]))
      ]
    }
  }

  /// What `evaluate(model)` means when the script works on one data set.
  private func onlyTestData() throws -> any Dataset {
    guard opened.count == 1 else {
      throw CompressError("the script has \(opened.count) data sets; say which: evaluate(model, { on = data.test })")
    }
    return opened[0].test.data
  }
}
