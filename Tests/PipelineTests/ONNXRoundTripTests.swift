import Analysis
import Compression
import Diagnostics
import Files
import Foundation
import Kernels
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Formats
@testable import Pipeline

/// Networks written as ONNX files and read back here.
@Suite struct ONNXRoundTripTests {
  // MARK: Files

  private func inFolder<T>(_ body: (String) throws -> T) throws -> T {
    let folder = NSTemporaryDirectory() + "/onnx-round-trip-\(UInt64.random(in: 0...(.max)))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  private func readBack(_ model: Model, _ version: Int = 17) throws -> Model {
    try inFolder { folder in
      var options = ONNXFile.WriteOptions()
      options.version = version
      try ONNXFile.write(model, to: folder + "/net.onnx", options)
      return try ONNXFile.read(folder + "/net.onnx")
    }
  }

  private func outputs(_ model: Model, _ samples: Tensor) throws -> [Float] {
    try Session(try compile(model, CompileOptions(maxBatch: 2)), pool: try ThreadPool(threads: 1)).run(samples).array()
  }

  /// How far two models are apart on drawn samples, as a share of the largest output; nil where they agree to the bit.
  private func deviation(_ a: Model, _ b: Model) throws -> Float? {
    #expect(a.graph.inputShapes == b.graph.inputShapes)
    #expect(a.graph.outputShapes == b.graph.outputShapes)
    var random = SeededRandom(seed: 5)
    let samples = Tensor(uniform: a.graph.inputShape.batched(2), -1, 1, using: &random)
    let x = try outputs(a, samples), y = try outputs(b, samples)
    guard x.count == y.count else { return .infinity }
    if zip(x, y).allSatisfy({ $0.bitPattern == $1.bitPattern || $0 == $1 }) { return nil }
    let largest = x.map(abs).max() ?? 0
    return zip(x, y).map { abs($0 - $1) }.max()! / max(largest, .leastNormalMagnitude)
  }

  // MARK: Networks

  /// What is read back as other operators, or with sums in another order.
  private func isWrittenOut(_ network: String, _ version: Int) -> Bool {
    let always = [
      "gelu_tanh", "rms norm", "length", "group norm", "attention", "attention to others", "layer norm", "transpose",
      "resize",
    ]
    return always.contains { network.hasPrefix($0) }
  }

  @Test(arguments: OperatorNetwork.all, [13, 17, 18, 21])
  func operatorsComputeTheSame(_ network: OperatorNetwork, version: Int) throws {
    var random = RandomNetworks(3)
    let model = try random.model(network.graph)
    let off = try deviation(model, try readBack(model, version))
    if isWrittenOut(network.name, version) {
      #expect(off ?? 0 <= 1e-5)
    } else {
      #expect(off == nil)
    }
  }

  @Test(arguments: Zoo.entries.map(\.name)) func zooNetworksComputeTheSame(_ name: String) throws {
    let entry = try Zoo.entry(name)
    var random = RandomNetworks(4)
    let model = try random.model(try entry.graph(entry.smallest))
    let off = try deviation(model, try readBack(model))
    #expect(off ?? 0 <= 1e-5)
  }

  @Test func severalInputsOutputsAndConstants() throws {
    var random = RandomNetworks(6)
    let model = try random.model(try ValueNetworks.several())
    let back = try readBack(model)
    #expect(try deviation(model, back) == nil)
    #expect(back.graph.inputs == model.graph.inputs)
    #expect(back.graph.outputs == model.graph.outputs)
  }

  @Test func sharedWeightsAreThereOnce() throws {
    var random = RandomNetworks(6)
    let model = try random.model(try ValueNetworks.shared())
    #expect(try deviation(model, try readBack(model)) == nil)
    var exporter = try ONNXExporter(model, ONNXFile.WriteOptions())
    let weights = try exporter.written().initializers.map(\.name).filter { $0.hasSuffix(".weight") }
    #expect(weights == ["stem.weight", "once.weight", "scores.weight"])
  }

  @Test(arguments: 0..<40) func drawnNetworksComputeTheSame(_ seed: Int) throws {
    var random = RandomNetworks(seed)
    let model = try random.model(try random.graph(layers: 6, batchNorm: true))
    #expect(try deviation(model, try readBack(model, [13, 17, 18, 21][seed % 4])) ?? 0 <= 1e-5)
  }

  // MARK: Integers

  /// Everything rounded that can be: integer weights, biases in the scales of the sums, values between layers.
  @Test(arguments: OperatorNetwork.all, [17, 21])
  func quantizedOperatorsComputeTheSame(_ network: OperatorNetwork, version: Int) throws {
    var random = RandomNetworks(3)
    var model = try random.model(network.graph)
    for value in model.graph.values where !model.graph.isOutput(value) {
      let wide = ActivationQuantization.self
      try model.setActivation(try wide.init(low: -1.5, high: 2, bits: version == 21 ? 7 : 8), of: value)
    }
    model = try random.withIntegerBiases(try random.withIntegerWeights(model))
    let off = try deviation(model, try readBack(model, version))
    if isWrittenOut(network.name, version) {
      // A step here and there where sums lie between two.
      #expect(off ?? 0 <= 0.03)
    } else {
      #expect(off == nil)
    }
  }

  static let recipes: [(name: String, layer: LayerQuantization, version: Int)] = {
    func integer(_ bits: Int, _ per: WeightFormat.Granularity) -> WeightFormat {
      .integer(bits: bits, granularity: per)
    }
    return [
      ("int8", LayerQuantization(weights: integer(8, .channel), activations: ActivationFormat()), 17),
      (
        "tensor", LayerQuantization(weights: integer(8, .tensor), activations: ActivationFormat(symmetric: true)), 13
      ),
      ("few bits", LayerQuantization(weights: integer(4, .channel), activations: ActivationFormat(bits: 6)), 21),
      ("16 bits", LayerQuantization(weights: integer(8, .channel), activations: ActivationFormat(bits: 12)), 21),
      ("dynamic range", LayerQuantization(weights: integer(8, .channel)), 17),
    ]
  }()

  /// Networks with parts that become others on the way: layer norms, and attention, whose weights are integers here
  /// and floats in a file.
  private static let partlyWrittenOut: Set = ["deit_tiny", "unet"]

  @Test(arguments: Zoo.entries.map(\.name), recipes.indices)
  func quantizedNetworksComputeTheSame(_ name: String, _ recipe: Int) throws {
    let entry = try Zoo.entry(name), (_, layer, version) = Self.recipes[recipe]
    var random = RandomNetworks(4)
    let model = try random.model(try entry.graph(entry.smallest))
    let assignment = try QuantizationAssignment(model) { _, _ in layer }
    let pool = try ThreadPool(threads: 1)
    var calibration = try Calibration(assignment, pool: pool)
    try calibration.observe(Tensor(uniform: model.graph.inputShape.batched(4), -1, 1, using: &random.random))
    let quantized = try assignment.quantized(try calibration.ranges())
    let off = try deviation(quantized, try readBack(quantized, version))
    // Of few bits a step is four times as wide.
    let most: Float = layer.activations.map { $0.bits < 8 } == true ? 0.5 : 0.15
    if Self.partlyWrittenOut.contains(name) { #expect(off ?? 0 <= most) } else { #expect(off == nil) }
  }
}
