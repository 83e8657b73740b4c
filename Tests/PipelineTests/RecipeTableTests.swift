import Compression
import Datasets
import Diagnostics
import Formats
import Foundation
import Kernels
import Network
import Tensors
import Testing

@testable import Pipeline
@testable import Runtime

private let isSoak = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] != nil

/// Every recipe on every network: it quantizes, is saved, read again, and runs natively as the reference says, integers
/// and simulated arithmetic alike. A new recipe or network is a row.
@Suite struct RecipeTableTests {
  struct Recipe: Sendable {
    let name: String
    let layer: LayerQuantization
  }

  static let recipes: [Recipe] = {
    func integer(
      _ bits: Int = 8, _ per: WeightFormat.Granularity = .channel, fit: WeightFormat.Fit = .peak,
      powerOfTwo: Bool = false, rounding: WeightFormat.Rounding = .nearest
    ) -> WeightFormat {
      .integer(bits: bits, granularity: per, fit: fit, powerOfTwo: powerOfTwo, rounding: rounding)
    }
    var recipes = [
      Recipe(name: "float16", layer: LayerQuantization(weights: .float16)),
      Recipe(name: "bfloat16", layer: LayerQuantization(weights: .bfloat16)),
      Recipe(name: "dynamic range", layer: LayerQuantization(weights: integer())),
      Recipe(name: "4 bits", layer: LayerQuantization(weights: integer(4, fit: .error))),
      Recipe(
        name: "4 bits, learned",
        layer: LayerQuantization(weights: integer(4, fit: .error, rounding: .learned), correctsBias: true)),
      Recipe(name: "clusters", layer: LayerQuantization(weights: .clusters(16))),
      Recipe(
        name: "int8, bias corrected",
        layer: LayerQuantization(weights: integer(), activations: ActivationFormat(.mse), correctsBias: true)),
      Recipe(
        name: "linear fixed point",
        layer: LayerQuantization(
          weights: integer(6, .tensor, powerOfTwo: true),
          activations: ActivationFormat(bits: 6, symmetric: true, powerOfTwo: true))),
      Recipe(
        name: "12-bit activations",
        layer: LayerQuantization(weights: integer(), activations: ActivationFormat(bits: 12))),
    ]
    for (_, method) in RangeMethod.named {
      recipes.append(
        Recipe(
          name: "int8, \(method)",
          layer: LayerQuantization(weights: integer(), activations: ActivationFormat(method))))
    }
    for spacing in LevelSpacing.allCases {
      recipes.append(
        Recipe(
          name: "\(spacing) levels",
          layer: LayerQuantization(
            weights: .levels(spacing, bits: 5), activations: ActivationFormat(bits: 5, spacing: spacing))))
    }
    return recipes
  }()

  /// All pairs in `make soak`; otherwise each network with two of the recipes, another two for the next.
  static let pairs: [(network: String, recipe: Int)] = Zoo.entries.map(\.name).enumerated().flatMap { index, name in
    recipes.indices.filter { isSoak || ($0 + index * 2) % 9 == 0 }.map { (name, $0) }
  }

  @Test(arguments: pairs) func runsAsWritten(_ pair: (network: String, recipe: Int)) throws {
    let recipe = Self.recipes[pair.recipe], entry = try Zoo.entry(pair.network)
    let options = entry.smallest
    let graph = try entry.graph(options)
    let model = try Model(initializing: graph, entry.initialization, seed: 1)
    let data = Noise(sampleShape: options.input)
    let stage = QuantizeStage(Uniform(choice: recipe.layer), calibration: data)
    let quantized = try stage.run(inputs: [model], context: context(threads: 2)).model
    let native = try NativeFormat.data(quantized)
    let reread = try NativeFormat.read(native)
    #expect(try NativeFormat.data(PackedFormat.read(PackedFormat.data(quantized))) == native)
    let plan = try compile(reread, CompileOptions(maxBatch: 2))
    #expect(
      plan.floatFallbacks.allSatisfy { $0.isSimulated || plan.steps.allSatisfy { $0.outputType == .float32 } })
    let images = try data.batch(0..<1).images
    let scores: [Float] = try Session(plan).run(images).array()
    let expected = try ReferenceInterpreter(quantized).outputs(
      images.reshaped(options.input.dims), of: quantized.graph)
    #expect(scores == expected, "\(recipe.name) on \(pair.network)")
  }
}
