import Analysis
import Compression
import Diagnostics
import LuaHost
import Network
import Pipeline
import Reports

/// What a scan of sensitivity found, as scripts hold it.
final class SensitivityObject: NamedForScripts {
  static let scriptName = "Sensitivity"
  let sensitivity: Sensitivity
  /// The network that was measured.
  let graph: Graph

  init(_ sensitivity: Sensitivity, _ graph: Graph) {
    self.sensitivity = sensitivity
    self.graph = graph
  }
}

/// Of `sensitivity`.
enum SensitivityKeys {
  static var strategy: OptionKey<BoundPlugin> {
    .required("strategy", .plugin(.pruning), help: "what is pruned, and by what scores")
  }
  static var data: OptionKey<DataObject> { .required("data", .data, help: "what accuracy or agreement is measured on") }
  static var shares: OptionKey<[Double]> {
    .init(
      "shares", .numbers, help: "what goes of each part, ascending",
      standard: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
  }
  static var protect: OptionKey<[String]> {
    .init("protect", .patterns, help: "layers left whole; \"first\" and \"last\" are those with weights", standard: [])
  }
  static var samples: OptionKey<DataObject?> {
    .optional("samples", .data, help: "for strategies that need gradients or activations: what these are taken on")
  }

  static var schema: OptionSchema {
    OptionSchema("SensitivityOptions", [strategy, data, shares, protect, samples, JudgeKeys.by, JudgeKeys.original])
  }
}

/// By what a changed model is judged.
enum JudgeKeys {
  static var by: OptionKey<Measure?> {
    .optional(
      "by", .choice(of: Measure.self),
      help: "accuracy, or agreement with an original's outputs (the least cosine of any); by default accuracy where "
        + "there are labels, and scores of classes")
  }
  static var original: OptionKey<ModelObject?> {
    .optional("original", .model, help: "whose outputs agreement is with; the model given by default")
  }
}

/// Of `scan:ratios`.
enum RatioTargetKeys {
  static var macs: OptionKey<Double?> {
    .optional("macs", .number, help: "multiply-accumulates that stay, a share up to 1 or a number", minimum: 0)
  }
  static var params: OptionKey<Double?> {
    .optional("params", .number, help: "parameters that stay, a share up to 1 or a number", minimum: 0)
  }
  static var filters: OptionKey<Double?> { .optional("filters", .ratio, help: "share of the filters that go") }
  static var multipleOf: OptionKey<Int?> {
    .optional(
      "multiple_of", .integer,
      help: "groups give in steps that leave them a multiple of so many channels, always the group that loses least for "
        + "what it saves; all give at the same loss without", minimum: 1, maximum: 65_536)
  }

  static var schema: OptionSchema { OptionSchema("RatioTarget", [macs, params, filters, multipleOf]) }
}

extension ScriptSession {
  /// What a script says that models are judged by: an original asks for agreement.
  func judged(_ given: OptionValues) throws -> Measure? {
    let by = given[JudgeKeys.by]
    guard given[JudgeKeys.original] != nil else { return by }
    guard by != .accuracy else {
      throw CompressError("accuracy goes by labels, not by an original", hint: "by = \"agreement\", or no original")
    }
    return .agreement
  }

  /// `sensitivity(model, { strategy, data, … })`.
  func defineSensitivity() {
    let result = LuaClass<SensitivityObject>("Sensitivity")
    result.property("by", "string", "what was measured: \"accuracy\" or \"agreement\"") {
      .string($0.sensitivity.measure.rawValue)
    }
    result.property("baseline", "number", "accuracy, or cosine, with nothing gone") { .number($0.sensitivity.baseline) }
    result.property("shares", "number[]", "what went of each part") { [unowned self] in
      .table(try state.makeTable($0.sensitivity.shares.map { .number($0) }))
    }
    result.property(
      "parts", "{ name: string, layers: string[], accuracy: number[]?, cosine: number[]?, importance: number }[]",
      "layers or groups of them, with the accuracy or cosine for each share and what is lost in the mean"
    ) { [unowned self] object in
      .table(
        try state.makeTable(
          object.sensitivity.parts.map { part in
            .table(
              try state.makeTable(fields: [
                "name": .string(part.name), "layers": .table(try state.makeTable(part.layers.map { .string($0) })),
                object.sensitivity.measure == .accuracy ? "accuracy" : "cosine":
                  .table(try state.makeTable(part.scores.map { .number($0) })),
                "importance": .number(object.sensitivity.importance(of: part)),
              ]))
          }))
    }
    result.method(
      "ratios", "(target: RatioTarget): number[]",
      "A share for each group of channels, at the same loss or least for what it saves, that together meet a target."
    ) { [unowned self] object, arguments in
      try arguments.atMost(1)
      let given = try RatioTargetKeys.schema.read(try arguments.table(0))
      let target: CostTarget
      switch (given[RatioTargetKeys.macs], given[RatioTargetKeys.params], given[RatioTargetKeys.filters]) {
      case (let value?, nil, nil): target = .macs(value)
      case (nil, let value?, nil): target = .parameters(value)
      case (nil, nil, let value?): target = .channels(value)
      default: throw CompressError("ratios takes one target: macs = 0.5, params = 0.5 or filters = 0.3")
      }
      let scan = object.sensitivity
      let ratios =
        try given[RatioTargetKeys.multipleOf].map { try scan.ratios(for: target, of: object.graph, multiple: $0) }
        ?? scan.ratios(for: target, of: object.graph)
      return [.table(try state.makeTable(ratios.map { .number($0) }))]
    }
    result.method(
      "spread", "(ratios: number[]): number[]",
      "A ratio for each part, out of fewer: the first for the parts that matter most."
    ) { [unowned self] object, arguments in
      try arguments.atMost(1)
      guard let ratios = try arguments.table(0).numbers else {
        throw arguments.mismatch(0, expected: "a list of numbers")
      }
      return [.table(try state.makeTable(try object.sensitivity.spread(ratios).map { .number($0) }))]
    }
    result.method("summary", "(): string", "A table of the parts.") { object, arguments in
      try arguments.atMost(0)
      let plain = Terminal(.output, isInteractive: false, hasColor: false)
      return [.string(SensitivityTable(object.sensitivity).rendered(for: plain))]
    }
    state.define(result)
    state.define(
      "sensitivity", "(model: Model, options: SensitivityOptions): Sensitivity",
      "Accuracy, or agreement, after pruning each layer, or group of channels, alone; computes the model."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try SensitivityKeys.schema.read(try arguments.table(1))
      let work = try SensitivityStage(
        LuaPruningPolicy(given[SensitivityKeys.strategy], self)
          .protecting(ProtectedLayers(given[SensitivityKeys.protect])), shares: given[SensitivityKeys.shares],
        by: try judged(given), data: given[SensitivityKeys.data].data.unaugmented,
        samples: given[SensitivityKeys.samples]?.data.unaugmented)
      let stage = try record(work, [model.stage] + (given[JudgeKeys.original].map { [$0.stage] } ?? []))
      // The channels of the network as it was measured: earlier prunings have changed its structure.
      let graph = try ready(model).graph
      let found = try measuring { try executor.record(of: stage).sensitivity! }
      return [.object(SensitivityObject(found, graph))]
    }
  }
}
