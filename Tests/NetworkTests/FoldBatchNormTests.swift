import Network
import Tensors
import Testing

@Suite struct FoldBatchNormTests {
  /// The model with every parameter drawn, variances positive.
  private func drawn(_ graph: Graph) throws -> Model {
    var random = SeededRandom(seed: 7)
    var model = try Model(initializing: graph, seed: 7)
    for (layer, role, parameter) in model.allParameters where role != .weight {
      let low: Float = role == .variance || role == .gamma ? 0.5 : -1
      try model.set(Parameter(Tensor(uniform: parameter.shape, low, 1.5, using: &random)), layer, role)
    }
    return model
  }

  private func expectSameFunction(_ a: Model, _ b: Model) throws {
    var random = SeededRandom(seed: 9)
    for _ in 0..<3 {
      let input = (0..<a.graph.inputShape.count).map { _ in random.normal() }
      for (x, y) in zip(try evaluate(a, input), try evaluate(b, input)) { #expect(abs(x - y) < 1e-4 * max(1, abs(x))) }
    }
  }

  @Test func theFunctionStays() throws {
    var net = GraphBuilder(input: [6, 5, 4])
    net.conv2d(filters: 8, kernel: 3, stride: 2, padding: .same, groups: 2, bias: false, name: "conv")
    net.batchNorm(name: "norm")
    let shortcut = net.activation(.relu)
    net.conv2d(filters: 8, kernel: 3, padding: .same, name: "conv2")
    net.batchNorm(BatchNorm(epsilon: 0.1), name: "norm2")
    net.add(net.last, shortcut)
    net.flatten()
    net.dense(5, name: "dense")
    net.batchNorm(name: "norm3")
    var model = try drawn(try net.graph())
    let quantization = try ActivationQuantization(scale: 0.1, zeroPoint: 7)
    try model.setActivation(quantization, of: "norm")
    let folded = try model.foldingBatchNorm()
    #expect(folded.graph.nodes.map(\.name) == ["input", "conv", "relu_1", "conv2", "add_1", "flatten_1", "dense"])
    #expect(folded.graph.output == "dense" && folded["conv", .bias] != nil)
    #expect(folded.activations == ["conv": .affine(quantization)])
    try expectSameFunction(model, folded)
  }

  @Test func masksStay() throws {
    var net = GraphBuilder(input: [3])
    net.dense(2, name: "d")
    net.batchNorm()
    var model = try drawn(try net.graph())
    let mask = Tensor([1, 0, 1, 1, 1, 0] as [UInt8], [2, 3])
    let weight = try model["d", .weight]!.values.applying(.mul, mask)
    try model.set(Parameter(.float(weight), mask: mask), "d", .weight)
    let folded = try model.foldingBatchNorm()["d", .weight]!
    #expect(folded.mask?.array() == mask.array(UInt8.self) && folded.nonzeroCount == 4)
  }

  @Test func whatCannotBeFoldedStays() throws {
    var net = GraphBuilder(input: [4, 4, 2])
    let conv = net.conv2d(filters: 2, kernel: 1, name: "shared")
    let norm = net.batchNorm(name: "norm_of_shared")
    net.add(conv, norm)
    net.batchNorm(name: "norm_of_add")
    net.conv2d(filters: 2, kernel: 1, name: "annotated")
    net.batchNorm(name: "norm_of_annotated")
    net.conv2d(filters: 2, kernel: 1, name: "integers")
    net.batchNorm(name: "norm_of_integers")
    var model = try drawn(try net.graph())
    try model.setActivation(ActivationQuantization(scale: 1, zeroPoint: 0), of: "annotated")
    let integers = try IntegerValues(values: Tensor([1, 2, 3, 4] as [Int8], [2, 1, 1, 2]), scales: [0.5], bits: 8)
    try model.set(Parameter(.integer(integers)), "integers", .weight)
    #expect(try model.foldingBatchNorm().graph == model.graph)
    try expectSameFunction(model, try model.foldingBatchNorm())
  }

  @Test func aNormAfterAFoldedNorm() throws {
    var net = GraphBuilder(input: [3])
    net.dense(2, name: "d")
    net.batchNorm(name: "n1")
    net.batchNorm(name: "n2")
    let model = try drawn(try net.graph())
    let once = try model.foldingBatchNorm()
    #expect(once.graph.nodes.map(\.name) == ["input", "d", "n2"])
    let twice = try once.foldingBatchNorm()
    #expect(twice.graph.nodes.map(\.name) == ["input", "d"])
    try expectSameFunction(model, twice)
  }
}
