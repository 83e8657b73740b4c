import Analysis
import Devices
import Diagnostics
import Formats
import LuaHost
import Pipeline
import Reports

/// Of `differences`.
enum DifferencesKeys {
  static var data: OptionKey<DataObject> { .required("data", .data, help: "samples") }
  static var layers: OptionKey<Int> {
    .init(
      "layers", .integer, help: "how many of the first samples layers are compared on; 0 for none", standard: 64,
      minimum: 0, maximum: 1e6)
  }
  static var worst: OptionKey<Int> {
    .init("worst", .integer, help: "how many samples are named", standard: 10, minimum: 0, maximum: 1000)
  }

  static var schema: OptionSchema { OptionSchema("DifferencesOptions", [data, layers, worst, JudgeKeys.by]) }
}

/// Of `agreement`.
enum AgreementKeys {
  static var data: OptionKey<DataObject> { .required("data", .data, help: "samples; their labels are not looked at") }

  static var schema: OptionSchema { OptionSchema("AgreementOptions", [data]) }
}

/// Of `rescue` and `mix`.
enum MixKeys {
  static var within: OptionKey<Double?> {
    .optional("within", .ratio, help: "how much accuracy may be lost: 0.001 is a tenth of a point")
  }
  static var cosine: OptionKey<Double?> {
    .optional(
      "cosine", .ratio,
      help: "how far outputs are to agree with the original's, without labels: the least cosine of any of them")
  }
  static var bytes: OptionKey<Int?> {
    .optional("bytes", .integer, help: "the largest native file", minimum: 1, maximum: 1e15)
  }
  static var latencyMs: OptionKey<Double?> {
    .optional("latency_ms", .number, help: "the longest that it may take by the device's latency table", minimum: 0)
  }
  static var device: OptionKey<BoundPlugin?> {
    .optional(
      "device", .plugin(.device),
      help: "what it is for: with a latency table, layers are weighed by what they take there, not by their bytes")
  }
  static var data: OptionKey<DataObject> { .required("data", .data, help: "what accuracy or agreement is measured on") }
  static var samples: OptionKey<Int> {
    .init(
      "samples", .integer, help: "of these the first so many tell which layers matter", standard: 64, minimum: 1,
      maximum: 65_536)
  }

  static var rescueSchema: OptionSchema { OptionSchema("RescueOptions", [within, cosine, data, samples]) }
  static var mixSchema: OptionSchema {
    OptionSchema("MixOptions", [within, cosine, bytes, latencyMs, device, data, samples])
  }
}

extension ScriptSession {
  /// `differences(a, b, { data })`, `agreement(a, b, { data })`, `rescue(original, quantized, { data, within })`, `mix(original, { … }, { … })`.
  func defineDifferences() {
    let error = "{ sqnr: number?, max: number, cosine: number }"
    state.define(
      "differences",
      "(original: Model, changed: Model, options: DifferencesOptions): { count: integer, accuracy: number[]?, cosine: "
        + "number?, outputs: { name: string, cosine: number, sqnr: number?, max: number, same: number }[]?, flips: "
        + "integer, flips_low: number, flips_high: number, gained: integer, lost: integer, layers: { name: string, "
        + "cumulative: \(error), alone: \(error)? }[], scaled: string[], "
        + "worst: { index: integer, label: integer?, predictions: "
        + "integer[], distance: number }[], text: string }",
      "What a changed model does otherwise, and which layers bring it about; computes both."
    ) { [unowned self] arguments in
      try arguments.atMost(3)
      let models = try (0...1).map { try arguments.object($0, ModelObject.self) }
      let given = try DifferencesKeys.schema.read(try arguments.table(2))
      let first = try ready(models[0]), second = try ready(models[1])
      let found = try measuring {
        try Differences(
          first, second, on: given[DifferencesKeys.data].data.unaugmented, by: given[JudgeKeys.by],
          layerSamples: given[DifferencesKeys.layers],
          worstCount: given[DifferencesKeys.worst], context: executor.context.work)
      }
      return [.table(try table(found))]
    }
    state.define(
      "agreement",
      "(original: Model, changed: Model, options: AgreementOptions): { count: integer, cosine: number, outputs: { name: "
        + "string, cosine: number, sqnr: number?, max: number, same: number }[] }",
      "How far a changed model's outputs are the original's, where there are no labels; computes both."
    ) { [unowned self] arguments in
      try arguments.atMost(3)
      let models = try (0...1).map { try arguments.object($0, ModelObject.self) }
      let given = try AgreementKeys.schema.read(try arguments.table(2))
      let first = try ready(models[0]), second = try ready(models[1])
      let found = try measuring {
        try Agreement(first, second, on: given[AgreementKeys.data].data.unaugmented, context: executor.context.work)
      }
      return [.table(try table(found))]
    }
    state.define(
      "rescue", "(original: Model, quantized: Model, options: RescueOptions): Model",
      "The quantized model with the fewest layers back to the original's that keep its accuracy, or agree with it."
    ) { [unowned self] arguments in
      try arguments.atMost(3)
      let original = try arguments.object(0, ModelObject.self), quantized = try arguments.object(1, ModelObject.self)
      let given = try MixKeys.rescueSchema.read(try arguments.table(2))
      let data = given[MixKeys.data].data.unaugmented, goal: MixStage.Goal
      switch (given[MixKeys.within], given[MixKeys.cosine]) {
      case (let within?, nil): goal = .accuracy(within: within)
      case (nil, let cosine?): goal = .agreement(cosine: cosine)
      case (nil, nil):
        goal =
          switch Measure.standard(for: original.stage.graph, on: data) {
          case .accuracy: .accuracy(within: 0.001)
          case .agreement: .agreement(cosine: 0.99)
          }
      default: throw CompressError("rescue takes one goal: within = 0.001 or cosine = 0.99")
      }
      let work = try MixStage(
        goal, price: .layers, names: ["quantized", "original"], data: data, samples: given[MixKeys.samples])
      let stage = try record(work, [original.stage, quantized.stage, original.stage])
      return [.object(ModelObject(stage, name: original.name))]
    }
    state.define(
      "mix", "(original: Model, candidates: [string, Model][], options: MixOptions): Model",
      "Each layer as one of the candidates has it, listed from cheap to dear: dear where it matters."
    ) { [unowned self] arguments in
      try arguments.atMost(3)
      let original = try arguments.object(0, ModelObject.self)
      let candidates = try arguments.table(1).array.enumerated().map { index, value in
        guard let pair = value.table, pair.count == 2, let name = pair[1].string,
          let model = pair[2].object(ModelObject.self)
        else { throw CompressError("candidate \(index + 1) is not { \"name\", model }") }
        return (name: name, model: model)
      }
      let given = try MixKeys.mixSchema.read(try arguments.table(2))
      let goal: MixStage.Goal
      switch (given[MixKeys.within], given[MixKeys.cosine], given[MixKeys.bytes], given[MixKeys.latencyMs]) {
      case (let within?, nil, nil, nil): goal = .accuracy(within: within)
      case (nil, let cosine?, nil, nil): goal = .agreement(cosine: cosine)
      case (nil, nil, let bytes?, nil): goal = .bytes(bytes)
      case (nil, nil, nil, let milliseconds?): goal = .latency(milliseconds)
      default:
        throw CompressError("mix takes one goal: within = 0.005, cosine = 0.99, bytes = 1000000 or latency_ms = 2")
      }
      let device = try given[MixKeys.device].map { try DeviceDescription($0, self) }
      let isByLatency = if case .latency = goal { true } else { device?.table != nil }
      let work = try MixStage(
        goal, price: isByLatency ? .latency : .bytes, names: candidates.map(\.name),
        data: given[MixKeys.data].data.unaugmented,
        samples: given[MixKeys.samples], device: device)
      let stage = try record(work, [original.stage] + candidates.map(\.model.stage))
      return [.object(ModelObject(stage, name: original.name))]
    }
  }

  private func table(_ outputs: [Agreement.Output], of count: Int) throws -> LuaTable {
    try state.makeTable(
      outputs.map { output -> LuaValue in
        .table(
          try state.makeTable(fields: [
            "name": .string(output.name), "cosine": .number(output.error.cosine),
            "sqnr": output.error.decibels.map { .number($0) } ?? .nil, "max": .number(output.error.maximum),
            "same": .number(Double(output.same) / Double(count)),
          ]))
      })
  }

  func table(_ found: Agreement) throws -> LuaTable {
    try state.makeTable(fields: [
      "count": .integer(found.count), "cosine": .number(found.cosine),
      "outputs": .table(try table(found.outputs, of: found.count)),
    ])
  }

  private func table(_ found: Differences) throws -> LuaTable {
    func error(_ error: Differences.Error) throws -> LuaValue {
      .table(
        try state.makeTable(fields: [
          "sqnr": error.decibels.map { .number($0) } ?? .nil, "max": .number(error.maximum),
          "cosine": .number(error.cosine),
        ]))
    }
    let layers = try found.layers.map { layer -> LuaValue in
      .table(
        try state.makeTable(fields: [
          "name": .string(layer.name), "cumulative": try error(layer.cumulative),
          "alone": try layer.alone.map(error) ?? .nil,
        ]))
    }
    let worst = try found.worst.map { sample -> LuaValue in
      .table(
        try state.makeTable(fields: [
          "index": .integer(sample.index + 1), "label": sample.label.map { .integer($0 + 1) } ?? .nil,
          "predictions": .table(try state.list(sample.predictions.map { $0 + 1 })),
          "distance": .number(sample.distance),
        ]))
    }
    let interval = Interval.wilson(found.flips, of: found.count)
    let terminal = Terminal(.output, isInteractive: false, hasColor: false)
    return try state.makeTable(fields: [
      "count": .integer(found.count),
      "accuracy": try found.correct.map {
        .table(try state.makeTable($0.map { .number(Double($0) / Double(found.count)) }))
      } ?? .nil,
      "cosine": found.outputs?.map(\.error.cosine).min().map { .number($0) } ?? .nil,
      "outputs": try found.outputs.map { .table(try table($0, of: found.count)) } ?? .nil,
      "flips": .integer(found.flips), "flips_low": .number(interval.low), "flips_high": .number(interval.high),
      "gained": .integer(found.gained), "lost": .integer(found.lost), "layers": .table(try state.makeTable(layers)),
      "scaled": .table(try state.makeTable(found.scaled.map { .string($0) })),
      "worst": .table(try state.makeTable(worst)),
      "text": .string(DifferencesTable(found).rendered(for: terminal)),
    ])
  }
}
