import Compression
import Formats
import Kernels
import Network
import TestSupport
import Tensors
import Testing

@testable import Pipeline
@testable import Runtime

/// Residual blocks that go as wholes.
@Suite struct BlockPruningTests {
  /// How many blocks each network has: those whose sums have a branch of layers over a shortcut of the same shape.
  static let counts = [
    "resnet8": 1, "resnet20": 7, "resnet32": 13, "resnet56": 25, "resnet18": 5, "resnet18_cifar": 5, "resnet50": 12,
    "mobilenet_v2": 10, "convnext_tiny": 18, "deit_tiny": 24, "vgg16": 0, "densenet121": 0, "unet": 0, "lenet5": 0,
  ]

  @Test func blocksOfTheZoo() throws {
    for (name, count) in Self.counts {
      let entry = try Zoo.entry(name)
      #expect(ResidualBlocks(try entry.graph(entry.defaults)).blocks.count == count, "\(name)")
    }
  }

  /// The network with each of those branches multiplied by zero.
  private func silencing(_ blocks: [ResidualBlocks.Block], of model: Model) throws -> Model {
    let blockOf = Dictionary(uniqueKeysWithValues: blocks.map { ($0.sum, $0) })
    var parameters = model.parametersByLayer
    let nodes = model.graph.nodes.flatMap { node -> [Node] in
      guard let block = blockOf[node.name] else { return [node] }
      let zero = node.name + " zero", product = node.name + " nothing"
      parameters[zero] = [.constant: Parameter(Tensor([0] as [Float]))]
      var sum = node
      sum.inputs = node.inputs.map { $0 == block.branch ? product : $0 }
      return [
        Node(zero, .constant(Constant([1])), []), Node(product, .mul(Mul()), [block.branch, zero]), sum,
      ]
    }
    return try Model(graph: Graph(nodes, outputs: model.graph.outputs), parameters: parameters)
  }

  @Test(arguments: Zoo.entries.map(\.name)) func removedEqualsZeroedThroughAFile(_ name: String) throws {
    let entry = try Zoo.entry(name), options = entry.smallest
    var networks = RandomNetworks(12)
    let model = try networks.model(try entry.graph(options))
    // Any scores do: the first block to go is another one for each share.
    for (round, share) in [0.1, 0.5, 0.9].enumerated() {
      var random = SeededRandom(seed: UInt64(round))
      let selection = BlockSelection(model) { _ in random.uniform() }
      guard selection.count > 0 else {
        #expect(throws: (any Error).self) { try selection.choose(.channels(share)) }
        continue
      }
      let choice = try selection.choose(.channels(share))
      #expect(choice.blocks.count == Int((share * Double(selection.count)).rounded()))
      let removed = try NativeFormat.read(NativeFormat.data(model.removing(choice.blocks)))
      let cost = ModelCost(removed), whole = ModelCost(model)
      #expect((cost.parameters < whole.parameters) == !choice.blocks.isEmpty)
      #expect(abs(Double(cost.macs) / Double(whole.macs) - choice.macs) < 1e-9)
      let sample = Tensor(uniform: model.graph.inputShape.batched(2), -1, 1, using: &random)
      func outputs(_ model: Model) throws -> [Float] {
        try Session(try compile(model, CompileOptions(maxBatch: 2))).run(sample).array()
      }
      let expected = try outputs(silencing(choice.blocks, of: model)), found = try outputs(removed)
      let scale = max(1, expected.map(abs).max() ?? 1)
      for (a, b) in zip(expected, found) { #expect(abs(a - b) <= 1e-4 * scale) }
    }
  }

  @Test func targetsAreReachedInBlocks() throws {
    let entry = try Zoo.entry("deit_tiny")
    let model = try Model(initializing: try entry.graph(entry.smallest), entry.initialization, seed: 1)
    var score = 0.0
    let selection = BlockSelection(model) { block in
      score += 1
      return block.sum.hasSuffix("add2") ? score : nil
    }
    #expect(selection.order.count == 12 && selection.count == 24)
    let half = try selection.choose(.macs(0.6))
    #expect(abs(half.macs - 0.6) < 0.05 && half.blocks.map(\.sum).first == "blocks.0.add2")
    let error = #expect(throws: (any Error).self) { try selection.choose(.macs(0.01)) }
    #expect("\(error!)".contains("cannot be reached by removing blocks"))
  }

  /// What is read elsewhere too, is given, or has another shape, is no block.
  @Test func whatIsNoBlock() throws {
    func blocks(_ build: (inout GraphBuilder, String) -> Void) throws -> [String] {
      var net = GraphBuilder(input: [6, 6, 3])
      let stem = net.conv2d(filters: 4, kernel: 1, name: "stem")
      build(&net, stem)
      net.flatten()
      net.dense(2, name: "head")
      return ResidualBlocks(try net.graph()).blocks.map(\.branch)
    }
    #expect(
      try blocks { net, stem in
        net.add(stem, net.conv2d(filters: 4, kernel: 3, padding: .same, name: "branch"))
      } == ["branch"])
    #expect(
      try blocks { net, stem in
        let branch = net.conv2d(filters: 4, kernel: 3, padding: .same, name: "branch")
        net.add(net.add(stem, branch), branch)
      } == [])
    #expect(
      try blocks { net, stem in
        // Of the input, not of the shortcut.
        net.add(stem, net.conv2d(filters: 4, kernel: 1, from: "input", name: "branch"))
      } == [])
    #expect(
      try blocks { net, stem in
        net.globalAveragePool()
        net.add(stem, net.dense(4, name: "gate"))
      } == [])
    #expect(try blocks { net, stem in net.add(stem, net.activation(.sigmoid)) } == [])
  }
}
