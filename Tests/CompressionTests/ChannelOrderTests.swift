import Kernels
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Compression

/// Channels in another order: the same function, and blocks that hold what is alike.
@Suite struct ChannelOrderTests {
  private func outputs(_ model: Model) throws -> [Float] {
    var random = SeededRandom(seed: 4)
    let samples = Tensor(uniform: model.graph.inputShape.batched(2), -1, 1, using: &random)
    return try Session(try compile(model, CompileOptions(maxBatch: 2, isExact: true))).run(samples).array()
  }

  /// With the channels of every group that moves freely turned around, the network says what it said.
  /// To within rounding, which a deep network whose statistics are drawn at random lets grow.
  private func checkReversed(_ graph: Graph, within tolerance: Float = 1e-4) throws -> Int {
    var networks = RandomNetworks(8)
    let model = try networks.model(graph), order = ChannelOrder(model, blocksOf: 2)
    var orders: [Int: [Int]] = [:]
    for (index, group) in order.groups.groups.enumerated() where order.groups.movesFreely(index) {
      orders[index] = Array((0..<group.width).reversed())
    }
    let moved = try order.model(in: orders)
    let expected = try outputs(model), got = try outputs(moved)
    #expect(got.count == expected.count)
    for (a, b) in zip(expected, got) {
      guard abs(a - b) > tolerance * max(1, abs(a)) else { continue }
      Issue.record("\(b) is not \(a)")
      break
    }
    return orders.values.filter { $0.count > 1 }.count
  }

  @Test(arguments: OperatorNetwork.all) func theFunctionStays(_ network: OperatorNetwork) throws {
    _ = try checkReversed(network.graph)
  }

  @Test func theFunctionStaysWhereValuesAreShared() throws {
    #expect(try checkReversed(ValueNetworks.shared()) > 0)
    #expect(try checkReversed(ValueNetworks.gated()) > 0)
    _ = try checkReversed(ValueNetworks.several())
  }

  @Test(arguments: ["lenet5", "resnet20", "shufflenet_v2"]) func zooNetworksStay(_ name: String) throws {
    let entry = try Zoo.entry(name)
    #expect(try checkReversed(entry.graph(entry.defaults), within: 2e-3) > 0)
  }

  /// Two convolutions, every fourth channel between them large: in the new order the large ones are blocks of their own.
  @Test func whatIsAlikeComesTogether() throws {
    var net = GraphBuilder(input: [6, 6, 3])
    net.conv2d(filters: 18, kernel: 3, padding: .same, name: "first")
    net.batchNorm(name: "norm")
    net.activation(.relu, name: "relu")
    net.conv2d(filters: 8, kernel: 3, padding: .same, name: "second")
    net.flatten(name: "flat")
    net.dense(5, name: "scores")
    var networks = RandomNetworks(2)
    var model = try networks.model(net.graph())
    var weights = try #require(model["second", .weight]?.values)
    weights.withMutable(Float.self) { weights in
      for index in weights.indices where index % 18 % 4 != 0 { weights[index] *= 0.01 }
    }
    try model.set(Parameter(weights), "second", .weight)
    let order = ChannelOrder(model, blocksOf: 4)
    let orders = try order.orders(pool: ThreadPool(threads: 1))
    let first = try #require(orders[0])
    #expect(first.sorted() == Array(0..<18))
    // 0, 4, 8, 12 and 16 are large: four of them share a block.
    let blocks = stride(from: 0, to: 16, by: 4).map { first[$0..<$0 + 4].count { $0 % 4 == 0 } }
    #expect(blocks.max() == 4, "\(first)")
    let moved = try order.model(in: orders)
    for (a, b) in zip(try outputs(model), try outputs(moved)) { #expect(abs(a - b) <= 1e-4) }
    #expect(ChannelOrder.held(moved, blocksOf: 4, by: 0.3) > ChannelOrder.held(model, blocksOf: 4, by: 0.3) + 0.1)
    // What stands well already stays.
    let again = ChannelOrder(moved, blocksOf: 4)
    let settled = try again.model(in: again.orders(pool: ThreadPool(threads: 2)))
    #expect(ChannelOrder.held(settled, blocksOf: 4, by: 0.3) >= ChannelOrder.held(moved, blocksOf: 4, by: 0.3) * 0.999)
  }

  @Test func ordersNameEveryChannelOnce() throws {
    let model = try Model(initializing: ValueNetworks.shared(), seed: 9)
    #expect(throws: (any Error).self) { try model.reorderingChannels(["stem": [0, 0, 1, 2]]) }
    #expect(throws: (any Error).self) { try model.reorderingChannels(["nowhere": [0]]) }
  }
}
