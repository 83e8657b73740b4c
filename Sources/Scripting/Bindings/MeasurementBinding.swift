import Datasets
import Diagnostics
import LuaHost
import Pipeline

extension ScriptSession {
  static var compareSchema: OptionSchema {
    OptionSchema(
      "CompareOptions",
      [
        .init(name: "on", type: .data, help: "samples that accuracy is measured on", isRequired: true),
        .init(
          name: "images", type: .integer, help: "how many are timed one by one", standard: .integer(1000), minimum: 1,
          maximum: 1e6),
        .init(name: "order", type: .choice(["first", "random"]), help: "which ones", standard: .string("first")),
        .init(
          name: "warmup", type: .integer, help: "runs before the first sample", standard: .integer(50), minimum: 0,
          maximum: 1e6),
        .init(
          name: "cooldown", type: .number, help: "seconds of rest before each variant, shared out over its turns",
          standard: .number(0), minimum: 0, maximum: 3600),
        .init(
          name: "turns", type: .integer, help: "in how many processes each variant is timed, in between the others",
          standard: .integer(Comparison.standardTurns), minimum: 1, maximum: Double(Comparison.mostTurns)),
      ])
  }

  static var evaluateSchema: OptionSchema {
    OptionSchema(
      "EvaluateOptions",
      [
        .init(name: "on", type: .data, help: "samples; the test half of the script's data set by default")
      ])
  }

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
      let given = try Self.compareSchema.read(table, positional: true)
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
        variants: variants, data: given.data("on")!.data, images: given.integer("images")!,
        order: Comparison.Order(rawValue: given.string("order")!)!, warmUp: given.integer("warmup")!,
        cooldown: given.number("cooldown")!, turns: given.integer("turns")!)
      return []
    }
    state.define(
      "evaluate", "(model: Model, on?: Data|EvaluateOptions): { accuracy: number, correct: integer, count: integer }",
      "How many samples the model gets right; computes the model."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let data =
        try arguments[1].object(DataObject.self) ?? Self.evaluateSchema.read(try arguments.optionalTable(1)).data("on")
      let samples = try data?.data ?? onlyTestData(), ready = try ready(model)
      let result = try measuring { try Evaluation(ready, on: samples, context: executor.context) }
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
