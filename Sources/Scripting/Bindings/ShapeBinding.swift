import Compression
import Diagnostics
import LuaHost
import Network
import Pipeline

extension ScriptSession {
  static var factorizeSchema: OptionSchema {
    OptionSchema(
      "FactorizeOptions",
      [
        .init(name: "energy", type: .ratio, help: "share of the sum of squares of each weight that stays"),
        .init(name: "ratio", type: .ratio, help: "share of each layer's weights that stays"),
        .init(
          name: "macs", type: .number, help: "multiply-accumulates that stay, a share up to 1 or a number", minimum: 0),
        .init(name: "params", type: .number, help: "parameters that stay, a share up to 1 or a number", minimum: 0),
        .init(
          name: "protect", type: .patterns, help: "layers left whole; \"first\" and \"last\" are those with weights",
          standard: .strings([])),
      ])
  }

  static var reinitializeSchema: OptionSchema {
    let names = WeightInitializer.allCases.map(\.rawValue)
    return OptionSchema(
      "ReinitializeOptions",
      [
        .init(name: "convolution", type: .choice(names), help: "how weights are drawn; as in the beginning by default"),
        .init(name: "dense", type: .choice(names), help: "likewise"),
        .init(name: "seed", type: .integer, help: "of the draw; the run's own by default"),
      ])
  }

  /// `factorize(model, { … })`, `rewind(model, earlier)`, `reinitialize(model, { … })`.
  func defineShapes() {
    state.define(
      "factorize", "(model: Model, options: FactorizeOptions): Model",
      "Replaces dense layers and convolutions by two thinner ones each, where that makes them smaller."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try Self.factorizeSchema.read(try arguments.table(1))
      let names = ["energy", "ratio", "macs", "params"].filter { given[$0] != nil }
      guard names.count == 1 else {
        throw CompressError(
          names.isEmpty
            ? "factorize needs a target: energy = 0.9, ratio = 0.5, macs = 0.5 or params = 0.5"
            : "factorize takes one target, not \(names.joined(separator: " and "))")
      }
      let value = given.number(names[0])!
      let target: LowRank.Target =
        switch names[0] {
        case "energy": .energy(value)
        case "ratio": .ratio(value)
        case "macs": .cost(.macs(value))
        default: .cost(.parameters(value))
        }
      let work = try FactorizeStage(target, protected: ProtectedLayers(given.strings("protect")!))
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
      let given = try Self.reinitializeSchema.read(try arguments.optionalTable(1))
      let known = Self.initialization(of: model.stage)
      let drawn = Initialization(
        convolution: given.string("convolution").flatMap(WeightInitializer.init) ?? known.convolution,
        dense: given.string("dense").flatMap(WeightInitializer.init) ?? known.dense)
      let seed = given.integer("seed").map { UInt64(bitPattern: Int64($0)) } ?? options.seed
      let work = ReinitializeStage(drawn, seed: seed)
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
