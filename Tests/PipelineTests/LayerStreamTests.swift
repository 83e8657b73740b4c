import Compression
import Datasets
import Kernels
import Network
import Tensors
import Testing

@testable import Analysis
@testable import Pipeline

/// What reaches a layer is the same whether it is computed from the network's beginning or goes on from what was kept.
@Suite struct LayerStreamTests {
  private let pool = ThreadPool.serial

  private func check(_ name: String, _ model: Model, layers: [String]? = nil) throws {
    let graph = model.graph, layers = layers ?? model.weightLayers
    var random = SeededRandom(seed: 5)
    let images = Tensor(normal: graph.inputShape.batched(3), using: &random)
    for limit in [LayerStream.mostBytes, 4 * graph.inputShape.count, 0] {
      var stream = LayerStream(graph, through: layers, on: images, limit: limit, pool: pool)
      for layer in layers {
        try stream.advance(to: layer, in: model)
        let whole = try LayerInputs(of: layer, in: model, pool: pool)
        for range in [0..<2, 2..<3] {
          let expected = try whole.values(images.sliced(axis: 0, range))
          #expect(try stream.values(range) == expected, "\(name), \(layer), \(limit) bytes")
        }
      }
    }
  }

  @Test(arguments: ["resnet8", "shufflenet_v2", "unet", "deit_tiny"])
  func networks(name: String) throws {
    let entry = try Zoo.entry(name)
    let model = try Model(initializing: entry.graph(entry.smallest), entry.initialization, seed: 1)
    try check(name, model.foldingBatchNorm())
  }

  /// Only some of the layers, so that more lies in between.
  @Test func fewLayers() throws {
    let entry = try Zoo.entry("resnet8")
    let model = try Model(initializing: entry.graph(entry.smallest), seed: 1)
    try check("resnet8", model, layers: model.weightLayers.enumerated().filter { $0.offset % 3 == 2 }.map(\.element))
  }

  /// Values that are rounded are gone on with as they are read.
  @Test func integers() throws {
    let entry = try Zoo.entry("resnet8"), options = entry.smallest
    let start = try Stage(
      InitializeStage(name: "net", network: entry.graph(options), initialization: entry.initialization, seed: 1))
    let noise = Noise(sampleShape: options.input)
    let stage = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: noise), inputs: [start])
    try check("int8", Executor(context: context(), store: nil).model(of: stage))
  }

  /// Two inputs, and a layer that computes with the parameters of one that lies further back.
  @Test func inputsAndSharedLayers() throws {
    let dense = Operator.dense(Dense(units: 6))
    let graph = try Graph(
      [
        Node("a", .input(Input([5]))), Node("b", .input(Input([6]))), Node("first", dense, ["a"]),
        Node("both", .add(Add()), ["first", "b"]), Node("twin", dense, ["b"]),
        Node("again", dense, ["both"], sharing: "twin"), Node("end", .add(Add()), ["again", "twin"]),
        Node("last", dense, ["end"]),
      ], output: "last")
    try check("two inputs", Model(initializing: graph, seed: 2))
  }
}
