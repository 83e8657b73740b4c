import Compression
import Diagnostics
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@Suite struct ChannelGroupsTests {
  private func groups(_ write: (inout GraphBuilder) -> Void, input: Shape = [8, 8, 3]) throws -> ChannelGroups {
    var net = GraphBuilder(input: input)
    write(&net)
    return ChannelGroups(try net.graph())
  }

  @Test func aChainHasAGroupPerLayerButTheLast() throws {
    let found = try groups { net in
      net.conv2d(filters: 4, kernel: 3, name: "a")
      net.batchNorm()
      net.activation(.relu)
      net.maxPool(2)
      net.flatten()
      net.dense(7, name: "b")
      net.dense(10, name: "c")
    }
    #expect(found.groups.map(\.producers) == [["a"], ["b"]])
    #expect(found.groups.map(\.width) == [4, 7])
  }

  @Test func addsTieProducersAndTheInputStays() throws {
    let found = try groups { net in
      let a = net.conv2d(filters: 6, kernel: 3, padding: .same, name: "a")
      net.conv2d(filters: 2, kernel: 1, name: "b")
      let c = net.conv2d(filters: 6, kernel: 3, padding: .same, name: "c")
      net.add(a, c)
      let d = net.conv2d(filters: 3, kernel: 3, padding: .same, name: "d")
      net.add("input", d)  // shares the input's channels, which nobody can remove
      net.globalAveragePool()
      net.dense(10, name: "e")
    }
    #expect(found.groups.map(\.producers) == [["a", "c"], ["b"]])
  }

  @Test func depthwiseConcatAndGroupsFollow() throws {
    let found = try groups { net in
      let a = net.conv2d(filters: 4, kernel: 1, name: "a")
      let deep = net.conv2d(filters: 8, kernel: 3, padding: .same, groups: 4, name: "depthwise")
      let b = net.conv2d(filters: 4, kernel: 1, from: a, name: "b")
      net.concat([deep, b])
      net.conv2d(filters: 6, kernel: 1, groups: 2, name: "grouped")
      net.globalAveragePool()
      net.dense(2, name: "head")
    }
    // The grouped convolution has 6 inputs a group: channel k of the concat stays with channel 6 + k, so pairs of the
    // depthwise layer's filters (from one channel of a) meet those of b and one another.
    let coupled = try #require(found.groups.first { $0.producers.contains("a") })
    #expect(coupled.producers.contains("depthwise"))
    let grouped = try #require(found.groups.first { $0.producers == ["grouped"] })
    #expect(grouped.width == 3)
    #expect(grouped.filters["grouped"]! == [[0, 3], [1, 4], [2, 5]])
  }

  @Test func sigmoidAndSoftmaxHoldTheirInputs() throws {
    let found = try groups { net in
      net.conv2d(filters: 5, kernel: 1, name: "a")
      net.activation(.sigmoid)
      net.conv2d(filters: 5, kernel: 1, name: "b")
      net.globalAveragePool()
      net.dense(3)
    }
    #expect(found.groups.map(\.producers) == [["b"]])
  }

  /// Over random networks: removing channels gives the same outputs as zeroing them, and the predicted cost.
  @Test(arguments: 0..<60)
  func removedAsIfZeroed(_ seed: Int) throws {
    var networks = RandomNetworks(9000 + seed)
    let graph = try networks.graph(layers: 3 + networks.random.below(10), batchNorm: seed % 2 == 0)
    let model = try networks.model(graph)
    let found = ChannelGroups(graph)
    var removal: ChannelGroups.Removal = [:]
    for (index, group) in found.groups.enumerated() {
      let count = networks.random.below(group.width)
      if count > 0 { removal[index] = Set(networks.random.permutation(group.width).prefix(count)) }
    }
    let smaller = try model.removing(removal, of: found)
    let cost = found.cost(removing: removal)
    #expect(cost.parameters == smaller.allParameters.reduce(0) { $0 + $1.parameter.count })
    #expect(
      cost.macs
        == smaller.graph.nodes.reduce(0) { total, node in
          total + node.op.spec.macs(smaller.graph.inputShapes(of: node), smaller.graph.shape(of: node.name))
        })

    let zeroed = try model.silenced(keeping: found.kept(removing: removal))
    let sample = networks.sample(graph.inputShape)
    let expected: [Float] = try ReferenceInterpreter(zeroed).values(sample)[graph.output]!.decoded.array()
    let actual: [Float] = try ReferenceInterpreter(smaller).values(sample)[graph.output]!.decoded.array()
    let scale = max(1, expected.map(abs).max()!)
    for (a, b) in zip(expected, actual) { #expect(abs(a - b) <= 1e-4 * scale) }
    #expect(expected.count == actual.count)
  }

  @Test func masksAndIntegersAreSlicedAlong() throws {
    var networks = RandomNetworks(5)
    var net = GraphBuilder(input: [6, 6, 2])
    net.conv2d(filters: 4, kernel: 3, name: "a")
    net.conv2d(filters: 3, kernel: 3, name: "b")
    var model = try networks.model(try net.graph())
    let mask = Tensor((0..<4 * 9 * 2).map { UInt8($0 % 3 == 0 ? 1 : 0) }, [4, 3, 3, 2])
    try model.set(
      Parameter(.float(Tensor.select(mask, model["a", .weight]!.values, Tensor(scalar: 0))), mask: mask), "a", .weight)
    model = try networks.withIntegerWeights(model, keep: ["a"])
    let smaller = try model.keepingChannels(["a": [1, 3], "b": [0, 2]])
    #expect(smaller["a", .weight]!.shape == [2, 3, 3, 2])
    #expect(
      smaller["a", .weight]!.mask!.array(UInt8.self)
        == Array(mask.array(UInt8.self)[18..<36] + mask.array(UInt8.self)[54..<72]))
    #expect(smaller["b", .weight]!.shape == [2, 3, 3, 2])
    let old = model["b", .weight]!.values, new = smaller["b", .weight]!.values
    #expect(try new.array(Float.self) == old.gathered(axis: 0, [0, 2]).gathered(axis: 3, [1, 3]).array(Float.self))
  }

  @Test func impossibleListsAreRefused() throws {
    var networks = RandomNetworks(6)
    var net = GraphBuilder(input: [6, 6, 2])
    let a = net.conv2d(filters: 4, kernel: 3, padding: .same, name: "a")
    let b = net.conv2d(filters: 4, kernel: 3, padding: .same, name: "b")
    net.add(a, b)
    let model = try networks.model(try net.graph())
    func message(_ kept: [String: [Int]]) -> String? {
      do { _ = try model.keepingChannels(kept) } catch { return "\(error)" }
      return nil
    }
    #expect(message(["a": []])?.contains("layer \"a\": none of its 4 channels") == true)
    #expect(message(["a": [0, 4]])?.contains("0...3") == true)
    #expect(message(["a": [1, 0]])?.contains("ascend") == true)
    #expect(message(["x": [0]])?.contains("layer \"x\"") == true)
    #expect(message(["a": [0]])?.contains("cannot add shapes") == true)
  }
}
