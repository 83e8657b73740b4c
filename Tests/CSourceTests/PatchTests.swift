import Diagnostics
import Network
import TestSupport
import Tensors
import Testing

@testable import CSource

/// First layers that are computed patch by patch give what they give as a whole.
@Suite struct PatchTests {
  /// Patches wherever they are possible, whatever they save.
  private func always(_ mostWork: Double) -> PatchOptions {
    var options = PatchOptions(mostWork: mostWork)
    options.leastSaving = -1000
    return options
  }

  private func check(_ models: [(name: String, model: Model, patches: PatchOptions)]) throws {
    guard CompiledNetworks.compiler != nil else { return }
    let compiled = try CompiledNetworks()
    defer { compiled.remove() }
    var random = RandomNetworks(7)
    let tried = models.map { item in
      (model: item.model, samples: [random.sample(item.model.graph.inputShape)], patches: item.patches)
    }
    let found = try compiled.outputs(tried, optimization: "-O0")
    for (index, item) in models.enumerated() {
      let expected = try item.model.sessionOutputs(tried[index].samples)
      let same =
        found[index].count == expected.count
        && zip(found[index], expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
      #expect(same, "\(item.name), work \(item.patches.mostWork)")
    }
  }

  /// Convolutions of every kind, pooling, functions of an element and sums, with windows that reach over the edges by
  /// every amount, of images whose sides are prime; behind them an image so small that they are worth patches.
  private func chain(_ seed: Int) throws -> Graph {
    var random = SeededRandom(seed: UInt64(seed))
    func below(_ count: Int) -> Int { random.below(count) }
    var net = GraphBuilder(input: [17 + 2 * below(3), 11 + 2 * below(3), 1 + below(3)])
    var channels = 4
    net.conv2d(filters: channels, kernel: 1 + below(4), stride: 1 + below(2), padding: .same, name: "first")
    for layer in 0..<(3 + below(4)) {
      let from = net.last
      switch below(7) {
      case 0:
        channels = 4 + 2 * below(3)
        net.conv2d(filters: channels, kernel: 1 + below(3), stride: 1 + below(2), padding: .same, name: "conv\(layer)")
      case 1:
        net.conv2d(filters: channels, kernel: 3, padding: .same, groups: channels, name: "depthwise\(layer)")
      case 2:
        let window = Window(Size2D(3, 2), stride: Size2D(1, 2), padding: .same, dilation: Size2D(2, 1))
        net.add(.conv2d(Conv2D(filters: channels, window: window, groups: 2)), [from], name: "grouped\(layer)")
      case 3:
        let reduction: Pool2D.Reduction = below(2) == 0 ? .max : .average
        let window = Window(Size2D(3, 2), stride: Size2D(2, 1), padding: .same)
        net.add(
          .pool2d(Pool2D(reduction, window: window, countsPadding: reduction == .average && below(2) == 0)), [from],
          name: "pool\(layer)")
      case 4: net.activation([.tanh, .hardSwish, .relu][below(3)], from: from, name: "function\(layer)")
      case 5: net.add(.prelu(PReLU()), [from], name: "slopes\(layer)")
      default:
        let branch = net.conv2d(filters: channels, kernel: 3, padding: .same, from: from, name: "branch\(layer)")
        net.add(from, branch)
      }
    }
    net.globalAveragePool()
    net.dense(3, name: "scores")
    return try net.graph()
  }

  @Test func chainsOfEveryKind() throws {
    var models: [(String, Model, PatchOptions)] = [], patched = 0
    for seed in 0..<40 {
      var networks = RandomNetworks(seed)
      let model = try networks.model(chain(seed)), patches = always([1.5, 2.5, 100][seed % 3])
      for (kind, model) in [("float", model), ("int8", try model.quantizedAsIs(outputs: true))] {
        models.append(("\(kind) \(seed)", model, patches))
        patched += try CSourceFile(model, name: "net", patches: patches).patchedLayers > 0 ? 1 : 0
      }
    }
    #expect(patched > 60, "\(patched) of \(models.count)")
    try check(models)
  }

  /// Operators that have to see all of an image are behind the stage, others in it.
  @Test func everyOperator() throws {
    var random = RandomNetworks(3), models: [(String, Model, PatchOptions)] = []
    for network in OperatorNetwork.all {
      let model = try random.model(network.graph)
      models.append((network.name, model, always(100)))
      models.append((network.name + ", int8", try model.quantizedAsIs(outputs: true), always(100)))
    }
    try check(models)
  }

  /// What is told is what holds: less memory, no more work than was allowed, and none again where patches are off.
  @Test func patchesSaveWhatIsTold() throws {
    let entry = try Zoo.entry("mobilenet_v1")
    let model = try Model(initializing: entry.graph(entry.defaults), seed: 1).quantizedAsIs(outputs: true)
    let whole = try CSourceFile(model, name: "net", patches: PatchOptions(isOn: false))
    #expect(whole.patchedLayers == 0 && whole.macsAgain == 0 && whole.arenaBytes == whole.bytesWhole)
    let patched = try CSourceFile(model, name: "net")
    #expect(patched.bytesWhole == whole.arenaBytes && patched.arenaBytes <= whole.arenaBytes * 95 / 100)
    #expect(patched.patchedLayers > 1 && patched.macs == whole.macs + patched.macsAgain)
    let network = try CNetwork(model)
    let stage = try #require(try Layout(network).stage)
    #expect(Double(stage.macs) <= 1.5 * Double(stage.chain.macs))
    #expect(patched.summary.contains { $0.contains("patch by patch") })
  }
}
