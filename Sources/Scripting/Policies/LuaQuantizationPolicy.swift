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
        .init(
          name: "weights",
          type: .table(
            OptionSchema(
              "WeightQuantization",
              [
                .init(name: "type", type: .choice(["integer", "float16"]), standard: .string("integer")),
                .init(name: "bits", type: .integer, standard: .integer(8), minimum: 2, maximum: 8),
                .init(name: "symmetric", type: .boolean, standard: .bool(true)),
                .init(
                  name: "per", type: .choice(WeightFormat.Granularity.allCases.map(\.rawValue)),
                  standard: .string("channel")),
              ])), isRequired: true),
        .init(
          name: "activations",
          type: .table(
            OptionSchema(
              "ActivationQuantization",
              [
                .init(name: "bits", type: .integer, standard: .integer(8), minimum: 8, maximum: 8),
                .init(
                  name: "observer", type: .choice(ObserverKind.allCases.map(\.rawValue)), standard: .string("minmax")),
              ]))),
      ])
  }
}

extension LayerQuantization {
  fileprivate init(_ given: OptionValues) throws {
    let weights = given.options("weights")!
    if weights.string("type") == "float16" {
      self.init(weights: .float16)
    } else {
      guard weights.bool("symmetric") == true else {
        throw CompressError("weights are quantized symmetrically, so that zero stays zero")
      }
      self.init(
        weights: .integer(
          bits: weights.integer("bits")!, granularity: WeightFormat.Granularity(rawValue: weights.string("per")!)!))
    }
    if let activations = given.options("activations") {
      self.activations = ObserverKind(rawValue: activations.string("observer")!)
    }
    if case .float16 = self.weights, self.activations != nil {
      throw CompressError("float16 weights have float activations")
    }
  }
}
