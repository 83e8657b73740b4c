import Compression
import Diagnostics
import LuaHost
import Pipeline

/// Of what `assign` returns.
enum LayerQuantizationKeys {
  static var weights: OptionKey<OptionValues> { .required("weights", .table(WeightQuantizationKeys.schema)) }
  static var activations: OptionKey<OptionValues?> {
    .optional("activations", .table(ActivationQuantizationKeys.schema))
  }
  static var correctBias: OptionKey<Bool> {
    .init(
      "correct_bias", .boolean, help: "whether the bias takes back what quantization adds to the mean of the output",
      standard: false)
  }
  static var norm: OptionKey<OptionValues?> {
    .optional(
      "norm", .table(NormQuantizationKeys.schema),
      help: "of the batch norm folded into the layer; float32 without it")
  }

  static var schema: OptionSchema { OptionSchema("LayerQuantization", [weights, activations, correctBias, norm]) }
}

/// Of `norm` in it.
enum NormQuantizationKeys {
  static var bits: OptionKey<Int> { .init("bits", .integer, standard: 8, minimum: 2, maximum: 8) }
  static var spacing: OptionKey<LevelSpacing> { .init("spacing", .choice(of: LevelSpacing.self), standard: .linear) }

  static var schema: OptionSchema { OptionSchema("NormQuantization", [bits, spacing]) }
}

/// Of `weights` in it.
enum WeightQuantizationKeys {
  static var type: OptionKey<String> {
    .init("type", .choice(["integer", "float16", "bfloat16", "levels", "clusters"]), standard: "integer")
  }
  static var bits: OptionKey<Int> {
    .init("bits", .integer, help: "of integers and levels", standard: 8, minimum: 2, maximum: 8)
  }
  static var symmetric: OptionKey<Bool> { .init("symmetric", .boolean, standard: true) }
  static var per: OptionKey<WeightFormat.Granularity> {
    .init("per", .choice(of: WeightFormat.Granularity.self), help: "scale of integers", standard: .channel)
  }
  static var fit: OptionKey<WeightFormat.Fit> {
    .init("fit", .choice(of: WeightFormat.Fit.self), help: "of integers", standard: .peak)
  }
  static var powerOfTwo: OptionKey<Bool> {
    .init("power_of_two", .boolean, help: "scales of integers", standard: false)
  }
  static var rounding: OptionKey<WeightFormat.Rounding> {
    .init("rounding", .choice(of: WeightFormat.Rounding.self), help: "of integers", standard: .nearest)
  }
  static var spacing: OptionKey<LevelSpacing> {
    .init("spacing", .choice(of: LevelSpacing.self), help: "of levels", standard: .linear)
  }
  static var clusters: OptionKey<Int> {
    .init("clusters", .integer, help: "how many", standard: 16, minimum: 2, maximum: 256)
  }

  static var schema: OptionSchema {
    OptionSchema(
      "WeightQuantization",
      [
        type, bits, symmetric, per, fit, powerOfTwo, rounding, spacing, clusters,
      ])
  }
}

/// Of `activations` in it.
enum ActivationQuantizationKeys {
  static var bits: OptionKey<Int> {
    .init("bits", .integer, help: "up to 8 of logarithms and tanh", standard: 8, minimum: 2, maximum: 16)
  }
  static var observer: OptionKey<String> {
    .init("observer", .choice(RangeMethod.named.map(\.name)), standard: "minmax")
  }
  static var percentile: OptionKey<Double> {
    .init("percentile", .number, help: "of that observer", standard: 99.99, minimum: 50, maximum: 100)
  }
  static var momentum: OptionKey<Double> { .init("momentum", .ratio, help: "of the moving average", standard: 0.9) }
  static var spacing: OptionKey<LevelSpacing> { .init("spacing", .choice(of: LevelSpacing.self), standard: .linear) }
  static var symmetric: OptionKey<Bool> { .init("symmetric", .boolean, standard: false) }
  static var powerOfTwo: OptionKey<Bool> { .init("power_of_two", .boolean, standard: false) }

  static var schema: OptionSchema {
    OptionSchema(
      "ActivationQuantization",
      [
        bits, observer, percentile, momentum, spacing, symmetric, powerOfTwo,
      ])
  }
}

/// A quantization plugin with its options.
struct LuaQuantizationPolicy: QuantizationPolicy {
  private let bound: BoundPlugin
  private let session: ScriptSession
  private let skipped: LayerPatterns

  init(_ bound: BoundPlugin, _ session: ScriptSession) {
    self.bound = bound
    self.session = session
    skipped = LayerPatterns(bound.skipped)
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
      return try LayerQuantization(LayerQuantizationKeys.schema.read(table))
    } catch let error as CompressError {
      throw CompressError("assign of plugin \"\(name)\": \(error.message)", hint: error.hint)
        .at(script: bound.plugin.path, line: bound.plugin.function.location?.lines.lowerBound).at(layer: layer.name)
    }
  }

}

extension LayerQuantization {
  fileprivate init(_ given: OptionValues) throws {
    let activations = try given[LayerQuantizationKeys.activations].map(ActivationFormat.init)
    self.init(
      weights: try WeightFormat(given[LayerQuantizationKeys.weights]), activations: activations,
      correctsBias: given[LayerQuantizationKeys.correctBias],
      norm: given[LayerQuantizationKeys.norm].map {
        NormFormat($0[NormQuantizationKeys.spacing], bits: $0[NormQuantizationKeys.bits])
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
    switch given[WeightQuantizationKeys.type] {
    case "float16": self = .float16
    case "bfloat16": self = .bfloat16
    case "levels":
      self = .levels(given[WeightQuantizationKeys.spacing], bits: given[WeightQuantizationKeys.bits])
    case "clusters": self = .clusters(given[WeightQuantizationKeys.clusters])
    default:
      guard given[WeightQuantizationKeys.symmetric] else {
        throw CompressError("integer weights are symmetric, so that zero stays zero", hint: "type = \"levels\"")
      }
      self = .integer(
        bits: given[WeightQuantizationKeys.bits], granularity: given[WeightQuantizationKeys.per],
        fit: given[WeightQuantizationKeys.fit], powerOfTwo: given[WeightQuantizationKeys.powerOfTwo],
        rounding: given[WeightQuantizationKeys.rounding])
    }
  }
}

extension ActivationFormat {
  fileprivate init(_ given: OptionValues) throws {
    let observer = given[ActivationQuantizationKeys.observer]
    guard var method = RangeMethod.named.first(where: { $0.name == observer })?.method else {
      throw CompressError("there is no observer \"\(observer)\"")
    }
    switch method {
    case .percentile: method = .percentile(given[ActivationQuantizationKeys.percentile])
    case .movingAverage: method = .movingAverage(momentum: given[ActivationQuantizationKeys.momentum])
    case .minmax, .entropy, .mse: break
    }
    self.init(
      method, bits: given[ActivationQuantizationKeys.bits], spacing: given[ActivationQuantizationKeys.spacing],
      symmetric: given[ActivationQuantizationKeys.symmetric], powerOfTwo: given[ActivationQuantizationKeys.powerOfTwo])
    _ = try Observer(self)
  }
}
