import Compression
import Diagnostics
import Formats
import Foundation
import Kernels
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Pipeline

/// A model written as a TFLite file and read again computes what it did.
@Suite struct TFLiteRoundTripTests {
  private func read(_ bytes: [UInt8]) throws -> Model {
    let path = NSTemporaryDirectory() + "/tflite-round-\(UInt64.random(in: 0...(.max))).tflite"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return try ModelFile.read(path)
  }

  private func outputs(_ model: Model, seed: UInt64 = 2) throws -> [Float] {
    var random = SeededRandom(seed: seed)
    let samples = Tensor(uniform: model.graph.inputShape.batched(3), -1, 1, using: &random)
    let session = Session(
      try compile(model, CompileOptions(maxBatch: 3)), pool: try ThreadPool(threads: 1, smallestWork: 0))
    return try session.run(samples).array(Float.self)
  }

  /// What such files cannot say, and why.
  private static let unsupported: [String: String] = [
    "erf": "the error function", "zeros between pixels": "setting pixels apart",
    "transposed convolution (kernel: 4, stride: 2, padding: 1, output: 0, groups: 2)": "in groups",
    "transposed convolution (kernel: 3, stride: 3, padding: 0, output: 0, groups: 6)": "in groups",
    "resize bilinear 8x10 tf_half_pixel_for_nn floor": "by the coordinates tf_half_pixel_for_nn",
    "resize bilinear 3x7 tf_half_pixel_for_nn floor": "by the coordinates tf_half_pixel_for_nn",
  ]

  private func checkUnsupported(_ model: Model, _ reason: String) {
    do {
      _ = try TFLiteFile.data(model)
      Issue.record("was written")
    } catch { #expect("\(error)".contains(reason)) }
  }

  @Test(arguments: OperatorNetwork.all) func everyOperatorInFloat(_ network: OperatorNetwork) throws {
    var random = RandomNetworks(3)
    let model = try random.model(network.graph)
    if let reason = Self.unsupported[network.name] { return checkUnsupported(model, reason) }
    let bytes = try TFLiteFile.data(model)
    #expect(try TFLiteFile.data(model) == bytes)
    let again = try read(bytes)
    #expect(again.graph.inputShapes == model.graph.inputShapes)
    let expected = try outputs(model), found = try outputs(again)
    let largest = max(expected.map(abs).max() ?? 0, 1e-3)
    #expect(expected.count == found.count)
    for (a, b) in zip(expected, found) { #expect(abs(a - b) <= 2e-6 * largest) }
    // Written once more it is the same file: all that was read is what was written.
    #expect(try outputs(read(TFLiteFile.data(again))) == found)
  }

  /// Everything quantized that can be: the integers that come out are the same.
  @Test(arguments: OperatorNetwork.all) func everyOperatorInIntegers(_ network: OperatorNetwork) throws {
    guard Self.unsupported[network.name] == nil else { return }
    var random = RandomNetworks(3)
    var model = try random.withIntegerWeights(try random.model(network.graph))
    for value in model.graph.values {
      try model.setActivation(ActivationQuantization(low: -1.5, high: 2), of: value)
    }
    let again = try read(try TFLiteFile.data(model))
    let expected = try outputs(model), found = try outputs(again)
    let step: Float = 3.5 / 255
    // What was written as several operators is rounded from other floats now and then.
    let isOne = again.graph.nodes.count <= model.graph.nodes.count + 4
    for (a, b) in zip(expected, found) { #expect(abs(a - b) <= (isOne ? 1.01 : 4.01) * step) }
    let equal = zip(expected, found).count { $0 == $1 }
    // The weights of attention are integers here, and floats in a file.
    #expect(equal * 10 >= expected.count * (network.name.hasPrefix("attention") ? 5 : 8))
  }

  /// Networks of the layers that both sides know on integers, with fewer bits and floats in between.
  @Test func integersBitForBit() throws {
    for seed in 0..<12 {
      var random = RandomNetworks(seed)
      let graph = try random.graph(layers: 6, batchNorm: false)
      var model = try random.withIntegerWeights(try random.model(graph))
      let samples = random.sample(graph.inputShape)
      for (name, value) in try ReferenceInterpreter(model).values(samples) {
        let elements: [Float] = value.decoded.array()
        let bits = random.pick([8, 8, 8, 6])
        guard seed % 3 != 0 || name != graph.output else { continue }
        try model.setActivation(
          ActivationQuantization(low: elements.min()!, high: elements.max()!, bits: bits), of: name)
      }
      if seed % 2 == 0 { model = try random.withIntegerBiases(model) }
      let bytes = try TFLiteFile.data(model)
      let again = try read(bytes)
      let expected = try outputs(model), found = try outputs(again)
      let step = model.activations[graph.output]?.integer?.scale ?? 0
      let largest = expected.map(abs).max() ?? 0
      let off = zip(expected, found).map { abs($0 - $1) }.max() ?? 0
      // Means over windows that are padded unevenly are written as floats times their share: where one lies half way
      // between two steps it may become the other one, and what lies behind makes more of it.
      let isExact = graph.nodes.allSatisfy { node in
        guard case .pool2d(let pool) = node.op, pool.reduction == .average, !pool.countsPadding,
          case .explicit = pool.window.padding
        else { return true }
        return false
      }
      let kinds = "\(graph.nodes.map(\.op.spec.name)) \(again.graph.nodes.map(\.op.spec.name))"
      #expect(off <= (isExact ? 1e-5 * largest : max(8 * step, 0.05 * largest)), "seed \(seed): \(kinds)")
      // Names stay, however often a model goes out and in.
      #expect(try read(try TFLiteFile.data(again)).weightLayers == again.weightLayers)
    }
  }

  /// A file's own interface is written again: names, order of axes, batch and integers.
  @Test func whatInputsAndOutputsWereLikeStays() throws {
    var net = GraphBuilder(input: [4, 5, 3])
    net.conv2d(filters: 2, kernel: 1, name: "image")
    net.flatten(name: "flat")
    net.dense(4, name: "scores")
    var random = RandomNetworks(1)
    var model = try random.withIntegerWeights(random.model(net.graph(outputs: ["scores", "image"])))
    for value in model.graph.values { try model.setActivation(ActivationQuantization(low: -2, high: 2), of: value) }
    let interface = ModelInterface(
      format: "tflite",
      inputs: [ModelInterface.Value("input", name: "serving x", order: [1, 2, 0], element: .int8)],
      outputs: [
        ModelInterface.Value("scores", name: "y", order: [0], hasBatch: false, element: .uint8),
        ModelInterface.Value("image", name: "z", order: [0, 1, 2]),
      ])
    model.adopt(try ModelSignature(classes: nil, preprocessing: nil, interface: interface))
    let again = try read(try TFLiteFile.data(model))
    let found = try #require(again.signature.interface)
    #expect(found.inputs.map(\.name) == ["serving x"] && found.outputs.map(\.name) == ["y", "z"])
    #expect(found.inputs[0].order == [1, 2, 0] && found.inputs[0].element == .int8 && found.inputs[0].hasBatch)
    #expect(found.outputs[0].element == .uint8 && !found.outputs[0].hasBatch)
    #expect(found.outputs[1].element == .float32 && found.outputs[1].hasBatch)
    #expect(try outputs(again) == outputs(model))
  }

  /// What such a file says in several nodes with floats between, and is integers here: batch norms that follow no
  /// convolution, layer norms, attention, bilinear resizing.
  private static let partlyWrittenOut: Set = ["densenet121", "convnext_tiny", "deit_tiny", "unet"]

  /// As floats, and with weights and activations of eight bits.
  @Test(arguments: Zoo.entries.map(\.name)) func everyZooNetwork(_ name: String) throws {
    let entry = try Zoo.entry(name), options = entry.smallest
    let model = try Model(initializing: try entry.graph(options), entry.initialization, seed: 1)
    try check(model, to: 1e-5)
    let layer = LayerQuantization(
      weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat())
    let stage = QuantizeStage(Uniform(choice: layer), calibration: Noise(sampleShape: options.input))
    let integers = try stage.run(inputs: [model], context: context(threads: 1)).model
    // Steps that a file says in several nodes may round another way.
    try check(integers, to: Self.partlyWrittenOut.contains(name) ? 0.15 : 1e-5)
  }

  private func check(_ model: Model, to share: Float) throws {
    let expected = try outputs(model), found = try outputs(read(try TFLiteFile.data(model)))
    let largest = expected.map(abs).max() ?? 0
    #expect(expected.count == found.count)
    let off = zip(expected, found).map { abs($0 - $1) }.max() ?? 0
    #expect(off <= share * largest, "\(off) of \(largest)")
  }

  /// LiteRT refuses bounds that are more steps away than 32 bits count.
  @Test func boundsThatNoIntegerReachesAreLeftOut() throws {
    for (scale, kind) in [(0.1, "relu6"), (1e-10, "relu")] as [(Float, String)] {
      var net = GraphBuilder(input: [3])
      net.dense(2, name: "d")
      net.activation(.relu6, name: "r")
      var random = RandomNetworks(4)
      var model = try random.withIntegerWeights(random.model(net.graph()))
      try model.setActivation(ActivationQuantization(scale: scale, zeroPoint: 9), of: "input")
      try model.setActivation(ActivationQuantization(scale: scale, zeroPoint: 0), of: "r")
      let again = try read(try TFLiteFile.data(model))
      #expect(again.graph.nodes.map(\.op.spec.name) == ["input", "dense", kind])
      #expect(try outputs(again) == outputs(model))
    }
  }

  /// What detects or segments tells no classes apart; its integers are found all the same.
  @Test func calibrationReadsNoLabels() throws {
    var net = GraphBuilder(input: [4, 5, 3])
    net.conv2d(filters: 2, kernel: 1)
    let layer = LayerQuantization(
      weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat())
    let stage = QuantizeStage(Uniform(choice: layer), calibration: Noise(sampleShape: [4, 5, 3]))
    #expect(try stage.graph(inputs: [net.graph()]) == net.graph())
    #expect(throws: CompressError.self) {
      try QuantizeStage(Uniform(choice: layer), calibration: Noise(sampleShape: [4, 5, 1])).graph(inputs: [net.graph()])
    }
  }

  /// The files that come with the developers' data: all are read, and written again they compute the same.
  @Test func filesOfOthers() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    let folders = [ProcessInfo.processInfo.environment["COMPRESS_TEST_DATA"], root + "/../shared/data"]
    guard
      let folder = folders.compactMap({ $0.map { $0 + "/models" } }).first(where: {
        FileManager.default.fileExists(atPath: $0 + "/real")
      })
    else {
      print("SKIPPED: no TFLite files of others were read: COMPRESS_TEST_DATA names no folder of the developers' data")
      return
    }
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    let found = files.filter { $0.hasSuffix(".tflite") }.sorted()
    #expect(found.count >= 7)
    for file in found {
      let model = try ModelFile.read(folder + "/" + file)
      let again = try read(try TFLiteFile.data(model))
      let was = try #require(model.signature.interface), now = try #require(again.signature.interface)
      #expect(now.inputs.map(\.name) == was.inputs.map(\.name), "\(file)")
      #expect(now.outputs.map(\.name) == was.outputs.map(\.name), "\(file)")
      let expected = try outputs(model), same = try outputs(again)
      #expect(zip(expected, same).allSatisfy { $0 == $1 } && expected.count == same.count, "\(file)")
    }
  }
}
