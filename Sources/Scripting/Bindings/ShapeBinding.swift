import Compression
import Diagnostics
import LuaHost
import Network
import Pipeline

/// Of `factorize`.
enum FactorizeKeys {
  static var energy: OptionKey<Double?> {
    .optional("energy", .ratio, help: "share of the sum of squares of each weight that stays")
  }
  static var ratio: OptionKey<Double?> { .optional("ratio", .ratio, help: "share of each layer's weights that stays") }
  static var macs: OptionKey<Double?> {
    .optional("macs", .number, help: "multiply-accumulates that stay, a share up to 1 or a number", minimum: 0)
  }
  static var params: OptionKey<Double?> {
    .optional("params", .number, help: "parameters that stay, a share up to 1 or a number", minimum: 0)
  }
  static var protect: OptionKey<[String]> {
    .init("protect", .patterns, help: "layers left whole; \"first\" and \"last\" are those with weights", standard: [])
  }

  static var schema: OptionSchema { OptionSchema("FactorizeOptions", [energy, ratio, macs, params, protect]) }
}

/// Of `reinitialize`.
enum ReinitializeKeys {
  static var convolution: OptionKey<WeightInitializer?> {
    .optional(
      "convolution", .choice(of: WeightInitializer.self), help: "how weights are drawn; as in the beginning by default")
  }
  static var dense: OptionKey<WeightInitializer?> {
    .optional("dense", .choice(of: WeightInitializer.self), help: "likewise")
  }
  static var seed: OptionKey<Int?> { .optional("seed", .integer, help: "of the draw; the run's own by default") }

  static var schema: OptionSchema { OptionSchema("ReinitializeOptions", [convolution, dense, seed]) }
}

extension ScriptSession {
  /// `factorize(model, { … })`, `rewind(model, earlier)`, `reinitialize(model, { … })`.
  func defineShapes() {
    state.define(
      "factorize", "(model: Model, options: FactorizeOptions): Model",
      "Replaces dense layers and convolutions by two thinner ones each, where that makes them smaller."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try FactorizeKeys.schema.read(try arguments.table(1))
      let targets: [(key: OptionKey<Double?>, target: (Double) -> LowRank.Target)] = [
        (FactorizeKeys.energy, { .energy($0) }), (FactorizeKeys.ratio, { .ratio($0) }),
        (FactorizeKeys.macs, { .cost(.macs($0)) }), (FactorizeKeys.params, { .cost(.parameters($0)) }),
      ]
      let chosen = targets.compactMap { key, target in given[key].map { (name: key.name, target: target($0)) } }
      guard chosen.count == 1 else {
        throw CompressError(
          chosen.isEmpty
            ? "factorize needs a target: energy = 0.9, ratio = 0.5, macs = 0.5 or params = 0.5"
            : "factorize takes one target, not \(chosen.map(\.name).joined(separator: " and "))")
      }
      let work = try FactorizeStage(chosen[0].target, protected: ProtectedLayers(given[FactorizeKeys.protect]))
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
    }
    state.define(
      "rewind", "(model: Model, earlier: Model): Model",
      "The earlier model's values, as far as the weights have not been pruned."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self), earlier = try arguments.object(1, ModelObject.self)
      return [.object(ModelObject(try record(RewindStage(), [model.stage, earlier.stage]), name: model.name))]
    }
    state.define(
      "reinitialize", "(model: Model, options?: ReinitializeOptions): Model",
      "A network of the same shape, zeros that masks hold included, with weights drawn anew."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try ReinitializeKeys.schema.read(try arguments.optionalTable(1))
      let known = Self.initialization(of: model.stage)
      let drawn = Initialization(
        convolution: given[ReinitializeKeys.convolution] ?? known.convolution,
        dense: given[ReinitializeKeys.dense] ?? known.dense)
      let work = ReinitializeStage(drawn, seed: seed(given[ReinitializeKeys.seed]))
      return [.object(ModelObject(try record(work, [model.stage]), name: model.name))]
    }
  }

  /// How the network was drawn that a stage began with; of one from a file nobody knows.
  private static func initialization(of stage: Stage) -> Initialization {
    var stage = stage
    while let first = stage.inputs.first { stage = first }
    return (stage.work as? InitializeStage)?.initialization
      ?? Initialization(convolution: .heNormal, dense: .glorotUniform)
  }
}
