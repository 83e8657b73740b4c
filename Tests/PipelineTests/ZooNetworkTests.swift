import Analysis
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
    try check(name, Zoo.entry(name).smallest)
  }

  /// As they are changed for small images.
  @Test(arguments: Zoo.entries.filter { $0.options.contains(.stem) }.map(\.name), [[28, 28, 1], [32, 32, 3]])
  func trainsAndCompilesForSmallImages(name: String, size: [Int]) throws {
    var options = try Zoo.entry(name).smallest
    options.stem = .cifar
    options.input = Shape(size)
    try check(name, options)
  }

  @Test func upsamplingAndDepth() throws {
    var options = try Zoo.entry("unet").smallest
    (options.depth, options.upsampling, options.input) = (2, .nearest, [21, 30, 1])
    try check("unet", options)
  }

  private func check(_ name: String, _ options: ZooOptions) throws {
    let entry = try Zoo.entry(name)
    let graph = try entry.graph(options)
    let model = try Model(initializing: graph, entry.initialization, seed: 1)
    let pool = try ThreadPool(threads: 2)
    let data = Noise(sampleShape: options.input)
    // Batch norms of one pixel learn next to nothing from two samples.
    var training = TrainingOptions(epochs: 1, batchSize: 4, learningRate: .constant(1e-4), seed: 1)
    var teacher: ModelTeacher?
    // What tells no classes apart learns to do as another does.
    if entry.task != .classification {
      let other = try Model(initializing: graph, entry.initialization, seed: 2)
      training.matching = Matching()
      teacher = try ModelTeacher(other, matching: training.matching, pool: pool)
    }
    let trained = try Trainer(model: model, options: training, data: data, teacher: teacher, pool: pool).run().model
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
    for (variant, isQuantized) in [(trained, false), (quantized, true)] {
      let plan = try compile(variant, CompileOptions(maxBatch: 2))
      #expect(plan.floatFallbacks.isEmpty, "\(plan.floatFallbacks)")
      // Every multiply-accumulate is of integers, those of attention included.
      #expect(plan.integerMACs == (isQuantized ? plan.macs : 0))
      let sample = try images.sliced(axis: 0, 0..<1)
      let scores: [Float] = try Session(plan, pool: pool).run(sample).array()
      let folded = try variant.foldingBatchNorm()
      let expected = try ReferenceInterpreter(folded).outputs(sample.reshaped(options.input.dims), of: folded.graph)
      #expect(scores == expected)
    }
  }
}
