import Compression
import Diagnostics
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@Suite struct LowRankTests {
  private func model(seed: Int = 3) throws -> Model {
    var networks = RandomNetworks(seed)
    var net = GraphBuilder(input: [9, 7, 3])
    net.conv2d(filters: 24, kernel: 3, stride: 2, padding: .same, name: "a")
    net.batchNorm()
    net.activation(.relu)
    net.conv2d(filters: 24, kernel: 3, padding: .same, groups: 24, name: "depthwise")
    net.conv2d(filters: 30, kernel: 1, bias: false, name: "b")
    net.activation(.relu)
    net.flatten()
    net.dense(40, name: "c")
    net.activation(.relu)
    net.dense(5, name: "d")
    return try networks.model(net.graph())
  }

  private func outputs(_ model: Model, _ sample: Tensor) throws -> [Float] {
    try ReferenceInterpreter(model).values(sample)[model.graph.output]!.decoded.array()
  }

  @Test func costsAreThoseOfTheModel() throws {
    let model = try model(), lowRank = try LowRank(model, skips: { _ in false })
    let targets: [LowRank.Target] = [
      .energy(0.5), .energy(0.9), .ratio(0.3), .cost(.macs(0.5)), .cost(.parameters(0.3)), .cost(.parameters(9000)),
    ]
    for target in targets {
      let choice = try lowRank.choose(target)
      let smaller = try lowRank.model(choice.ranks), cost = ModelCost(smaller)
      #expect(!choice.ranks.isEmpty && choice.ranks["depthwise"] == nil)
      #expect(cost.parameters == choice.parameters && cost.macs == choice.macs)
      #expect(smaller.graph.outputShape == model.graph.outputShape)
      for (layer, rank) in choice.ranks {
        #expect(smaller[Graph.factorName(layer), .weight]!.shape[0] == rank)
        #expect(smaller[layer, .bias]?.values.array(Float.self) == model[layer, .bias]?.values.array(Float.self))
      }
    }
    let whole = ModelCost(model)
    #expect(try abs(Double(lowRank.choose(.cost(.macs(0.5))).macs) / Double(whole.macs) - 0.5) < 0.02)
    #expect(try abs(lowRank.choose(.cost(.parameters(9000))).parameters - 9000) < whole.parameters / 50)
  }

  /// A weight that is a product already is found again, and outputs stay.
  @Test func exactWhereTheRankIsLow() throws {
    var model = try model(), random = SeededRandom(seed: 8)
    for (layer, rank) in [("a", 2), ("b", 4), ("c", 3)] {
      let shape = model[layer, .weight]!.shape
      let left = Tensor(normal: [shape[0], rank], deviation: 0.3, using: &random)
      let right = Tensor(normal: [rank, shape.count / shape[0]], deviation: 0.3, using: &random)
      try model.set(Parameter(left.matmul(right).reshaped(shape.dims)), layer, .weight)
    }
    let lowRank = try LowRank(model, skips: { $0 == "d" })
    let choice = try lowRank.choose(.energy(1 - 1e-9))
    #expect(choice.ranks == ["a": 2, "b": 4, "c": 3])
    let smaller = try lowRank.model(choice.ranks)
    var networks = RandomNetworks(1)
    let sample = networks.sample(model.graph.inputShape)
    let expected = try outputs(model, sample), actual = try outputs(smaller, sample)
    let scale = max(1, expected.map(abs).max()!)
    for (a, b) in zip(expected, actual) { #expect(abs(a - b) <= 1e-4 * scale) }
  }

  @Test func moreEnergyIsNearer() throws {
    let model = try model(seed: 9), lowRank = try LowRank(model, skips: { _ in false })
    var before = Float.infinity
    for energy in [0.3, 0.6, 0.9, 0.99] {
      let smaller = try lowRank.model(lowRank.choose(.energy(energy)).ranks)
      guard let low = smaller[Graph.factorName("c"), .weight], let high = smaller["c", .weight] else { break }
      let product = try high.values.matmul(low.values).array(Float.self), whole = model["c", .weight]!.values
      let error = zip(product, whole.array(Float.self)).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let total = Float(try whole.value(.l2)) * Float(try whole.value(.l2))
      #expect(error < before && error <= Float(1 - energy) * total * 1.001)
      before = error
    }
    #expect(before < .infinity)
  }

  @Test func mistakesAreNamed() throws {
    let model = try model()
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return ""
    }
    let lowRank = try LowRank(model, skips: { _ in false })
    #expect(message { _ = try lowRank.choose(.cost(.parameters(0.001))) }.contains("at rank 1"))
    #expect(message { _ = try lowRank.choose(.energy(0)) }.contains("energy = 0.0 is not above 0"))
    #expect(message { _ = try lowRank.choose(.cost(.channels(0.5))) }.contains("removes no filters"))
    #expect(message { _ = try LowRank(model, skips: { _ in true }) }.contains("all 5 layers with weights are protected"))
    var pruned = model
    try pruned.prune("c", by: Tensor(zeros: model["c", .weight]!.shape, dtype: .uint8))
    let error = #expect(throws: CompressError.self) { try LowRank(pruned, skips: { _ in false }) }
    #expect(error?.layer == "c" && error?.message.contains("factorize first") == true)
  }
}
