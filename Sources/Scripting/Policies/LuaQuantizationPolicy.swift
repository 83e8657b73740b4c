import Compression
import Diagnostics
import LuaHost
import Pipeline

/// A quantization plugin with its options.
struct LuaQuantizationPolicy: QuantizationPolicy {
  private let bound: BoundPlugin
  private let session: ScriptSession
  private let skipped: LayerPatterns

  init(_ bound: BoundPlugin, _ session: ScriptSession) {
    self.bound = bound
    self.session = session
    skipped = LayerPatterns(bound.options.strings("skip") ?? [])
  }

  var name: String { bound.plugin.name }
  var recipe: Recipe { bound.recipe }

  func check(layers: [String]) throws { try skipped.check("skip", among: layers) }

  func assign(_ layer: LayerView) throws -> LayerQuantization? {
    guard !skipped.match(layer.name) else { return nil }
    let value = try session.call(
      bound.plugin, [.object(LayerObject(layer)), .table(try bound.options.lua(session.state))])
    if value.isNil { return nil }
    do {
      guard let table = value.table else { throw CompressError("must return a table or nil, not \(value.typeName)") }
      return try LayerQuantization(Self.schema.read(table))
    } catch let error as CompressError {
      throw CompressError("assign of plugin \"\(name)\": \(error.message)", hint: error.hint)
        .at(script: bound.plugin.path, line: bound.plugin.function.location?.lines.lowerBound).at(layer: layer.name)
    }
  }

  static var schema: OptionSchema {
    OptionSchema(
      "LayerQuantization",
      [
        .init(name: "weights", type: .table(weightSchema), isRequired: true),
        .init(name: "activations", type: .table(activationSchema)),
        .init(
          name: "correct_bias", type: .boolean,
          help: "whether the bias takes back what quantization adds to the mean of the output",
          standard: .bool(false)),
        .init(
          name: "norm", type: .table(normSchema), help: "of the batch norm folded into the layer; float32 without it"),
      ])
  }

  private static var normSchema: OptionSchema {
    OptionSchema(
      "NormQuantization",
      [
        .init(name: "bits", type: .integer, standard: .integer(8), minimum: 2, maximum: 8),
        .init(
          name: "spacing", type: .choice(LevelSpacing.allCases.map(\.rawValue)), standard: .string("linear")),
      ])
  }

  private static var weightSchema: OptionSchema {
    OptionSchema(
      "WeightQuantization",
      [
        .init(
          name: "type", type: .choice(["integer", "float16", "bfloat16", "levels", "clusters"]),
          standard: .string("integer")),
        .init(
          name: "bits", type: .integer, help: "of integers and levels", standard: .integer(8), minimum: 2, maximum: 8),
        .init(name: "symmetric", type: .boolean, standard: .bool(true)),
        .init(
          name: "per", type: .choice(WeightFormat.Granularity.allCases.map(\.rawValue)), help: "scale of integers",
          standard: .string("channel")),
        .init(
          name: "fit", type: .choice(WeightFormat.Fit.allCases.map(\.rawValue)), help: "of integers",
          standard: .string("minmax")),
        .init(name: "power_of_two", type: .boolean, help: "scales of integers", standard: .bool(false)),
        .init(
          name: "rounding", type: .choice(WeightFormat.Rounding.allCases.map(\.rawValue)), help: "of integers",
          standard: .string("nearest")),
        .init(
          name: "spacing", type: .choice(LevelSpacing.allCases.map(\.rawValue)), help: "of levels",
          standard: .string("linear")),
        .init(name: "clusters", type: .integer, help: "how many", standard: .integer(16), minimum: 2, maximum: 256),
      ])
  }

  private static var activationSchema: OptionSchema {
    OptionSchema(
      "ActivationQuantization",
      [
        .init(
          name: "bits", type: .integer, help: "up to 8 of logarithms and tanh", standard: .integer(8), minimum: 2,
          maximum: 16),
        .init(name: "observer", type: .choice(RangeMethod.named.map(\.name)), standard: .string("minmax")),
        .init(
          name: "percentile", type: .number, help: "of that observer", standard: .number(99.99), minimum: 50,
          maximum: 100),
        .init(name: "momentum", type: .ratio, help: "of the moving average", standard: .number(0.9)),
        .init(
          name: "spacing", type: .choice(LevelSpacing.allCases.map(\.rawValue)), standard: .string("linear")),
        .init(name: "symmetric", type: .boolean, standard: .bool(false)),
        .init(name: "power_of_two", type: .boolean, standard: .bool(false)),
      ])
  }
}

extension LayerQuantization {
  fileprivate init(_ given: OptionValues) throws {
    let activations = try given.options("activations").map(ActivationFormat.init)
    self.init(
      weights: try WeightFormat(given.options("weights")!), activations: activations,
      correctsBias: given.bool("correct_bias")!,
      norm: given.options("norm").map {
        NormFormat(LevelSpacing(rawValue: $0.string("spacing")!)!, bits: $0.integer("bits")!)
      })
    switch weights {
    case .float16, .bfloat16:
      if activations != nil { throw CompressError("\(weights) weights have float activations") }
    case .integer, .levels, .clusters: break
    }
  }
}

extension WeightFormat {
  fileprivate init(_ given: OptionValues) throws {
    switch given.string("type")! {
    case "float16": self = .float16
    case "bfloat16": self = .bfloat16
    case "levels":
      self = .levels(LevelSpacing(rawValue: given.string("spacing")!)!, bits: given.integer("bits")!)
    case "clusters": self = .clusters(given.integer("clusters")!)
    default:
      guard given.bool("symmetric") == true else {
        throw CompressError("integer weights are symmetric, so that zero stays zero", hint: "type = \"levels\"")
      }
      self = .integer(
        bits: given.integer("bits")!, granularity: Granularity(rawValue: given.string("per")!)!,
        fit: Fit(rawValue: given.string("fit")!)!, powerOfTwo: given.bool("power_of_two")!,
        rounding: Rounding(rawValue: given.string("rounding")!)!)
    }
  }
}

extension ActivationFormat {
  fileprivate init(_ given: OptionValues) throws {
    let observer = given.string("observer")!
    var method = RangeMethod.named.first { $0.name == observer }!.method
    switch method {
    case .percentile: method = .percentile(given.number("percentile")!)
    case .movingAverage: method = .movingAverage(momentum: given.number("momentum")!)
    case .minmax, .entropy, .mse: break
    }
    self.init(
      method, bits: given.integer("bits")!, spacing: LevelSpacing(rawValue: given.string("spacing")!)!,
      symmetric: given.bool("symmetric")!, powerOfTwo: given.bool("power_of_two")!)
    _ = try Observer(self)
  }
}
