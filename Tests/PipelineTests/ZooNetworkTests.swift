import Compression
import Datasets
import Kernels
import Network
import Tensors
import Testing
import Training

@testable import Pipeline
@testable import Runtime

@Suite struct ZooNetworkTests {
  /// Every network as small as it can be made, trained for a step and compiled as float and as integers.
  @Test(arguments: Zoo.entries.map(\.name)) func trainsAndCompiles(name: String) throws {
    let entry = try Zoo.entry(name)
    var options = entry.defaults
    if options.input[0] > 75 { options.input = name.hasPrefix("inception") ? [75, 75, 3] : [32, 32, 3] }
    options.classes = 4
    if entry.options.contains(.width) { options.width = 0.0625 }
    let graph = try entry.graph(options)
    let model = try Model(initializing: graph, entry.initialization, seed: 1)
    let pool = try ThreadPool(threads: 2)
    let data = Noise(sampleShape: options.input)
    // Batch norms of one pixel learn next to nothing from two samples.
    let training = TrainingOptions(epochs: 1, batchSize: 4, learningRate: .constant(1e-4), seed: 1)
    let trained = try Trainer(model: model, options: training, data: data, pool: pool).run().model
    for layer in model.weightLayers {
      let change = try trained[layer, .weight]!.values.applying(.sub, model[layer, .weight]!.values)
      #expect(try change.value(.nonzero) > 0, "\(layer)")
    }

    let assignment = try QuantizationAssignment(trained) { _, _ in
      LayerQuantization(weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat())
    }
    var calibration = try Calibration(assignment, pool: pool)
    let images = try data.batch(0..<4).images
    try calibration.observe(images)
    let quantized = try assignment.quantized(try calibration.ranges())
    for variant in [trained, quantized] {
      let plan = try compile(variant, CompileOptions(maxBatch: 2))
      #expect(plan.floatFallbacks.isEmpty, "\(plan.floatFallbacks)")
      let sample = try images.sliced(axis: 0, 0..<1)
      let scores: [Float] = try Session(plan, pool: pool).run(sample).array()
      let expected: [Float] = try ReferenceInterpreter(variant.foldingBatchNorm())
        .run(sample.reshaped(options.input.dims)).array()
      #expect(scores == expected)
    }
  }
}
