import Diagnostics
import Network
import Tensors
import TestSupport
import Testing

@testable import Runtime

@Suite struct SessionObservingTests {
  @Test(arguments: 0..<10) func everyValueThatIsFormedIsSeen(seed: Int) throws {
    var networks = RandomNetworks(8000 + seed)
    let model = try networks.model(networks.graph(layers: 8, batchNorm: false))
    let samples = (0..<3).map { _ in networks.sample(model.graph.inputShape) }
    let batch = try Tensor.concatenated(samples.map { try $0.reshaped([1] + $0.shape.dims) }, axis: 0)
    var seen: [String: [Float]] = [:]
    try Session(compile(model, CompileOptions(maxBatch: 3))).run(batch) { layer, values in
      #expect(seen[layer] == nil, "\(layer) twice")
      seen[layer] = Array(values)
    }
    let expected = try samples.map { try ReferenceInterpreter(model).values($0) }
    for (layer, values) in seen {
      #expect(values == expected.flatMap { $0[layer]!.decoded.array(Float.self) }, "\(layer)")
    }
    // Reshapes and dropout are no steps, and what the output does not need is not computed.
    for node in model.graph.nodes where seen[node.name] == nil && expected[0][node.name] != nil {
      let keepsValues =
        switch node.op {
        case .flatten, .reshape, .dropout: true;
        default: false
        }
      #expect(keepsValues || !model.graph.isNeeded(node.name), "\(node.name) is not seen")
    }
  }

  @Test func largerBatchesThanPlannedAreRefused() throws {
    var net = GraphBuilder(input: [2])
    net.activation(.relu)
    let session = Session(try compile(Model(initializing: net.graph(), seed: 0)))
    #expect(throws: CompressError("2 samples at once for a plan of at most 1")) {
      try session.run(Tensor(zeros: [2, 2])) { _, _ in }
    }
  }
}

extension Graph {
  /// Whether the output depends on a node.
  fileprivate func isNeeded(_ name: String) -> Bool {
    name == output || (consumers[name] ?? []).contains(where: isNeeded)
  }
}
