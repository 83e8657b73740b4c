import Compression
import Diagnostics
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Compression

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

  /// Over random networks: keeping only the other channels gives the same outputs as zeroing those, and the predicted
  /// cost.
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
    let smaller = try model.keepingChannels(found.kept(removing: removal))
    let cost = found.cost(removing: removal)
    #expect(cost.parameters == smaller.allParameters.reduce(0) { $0 + $1.parameter.count })
    #expect(
      cost.macs
        == smaller.graph.nodes.reduce(0) { total, node in
          total + node.op.spec.macs(smaller.graph.inputShapes(of: node), smaller.graph.outputShapes(of: node))
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
    #expect(message(["a": [0, 1]])?.contains("cannot add shapes") == true)
  }
}

/// Removed channels that were always the same, whatever the input.
@Suite struct RemovedConstantsTests {
  /// What is found to be constant is: over random networks in which filters and batch norms say nothing.
  @Test(arguments: 0..<80)
  func constantsAreConstant(_ seed: Int) throws {
    var networks = RandomNetworks(30_000 + seed)
    var model = try networks.model(networks.graph(layers: 6, batchNorm: true))
    for (layer, role, parameter) in model.allParameters where role == .weight || role == .gamma {
      let rows = parameter.shape[0], width = parameter.count / rows
      var values: [Float] = parameter.values.array()
      for row in 0..<rows where networks.random.below(2) == 0 {
        for i in row * width..<(row + 1) * width { values[i] = 0 }
      }
      try model.set(Parameter(Tensor(values, parameter.shape)), layer, role)
    }
    let constants = model.channelConstants(), reference = ReferenceInterpreter(model)
    var found = 0
    for _ in 0..<2 {
      let values = try reference.values(networks.sample(model.graph.inputShape))
      for node in model.graph.nodes {
        guard let value = values[node.name]?.decoded else { continue }
        let elements: [Float] = value.array(), known = constants[node.name]!
        #expect(known.count == value.shape.dims.last!)
        for (i, element) in elements.enumerated() {
          guard let constant = known[i % known.count], constant.isExact else { continue }
          found += 1
          let isNear = abs(Double(element) - constant.value) <= 1e-4 * max(1, abs(constant.value))
          #expect(isNear, "\(node.name), channel \(i % known.count): \(element), said \(constant.value)")
        }
      }
    }
    #expect(found > 0)
  }

  private func outputs(_ model: Model) throws -> [Float] {
    var random = SeededRandom(seed: 8)
    let samples = Tensor(normal: model.graph.inputShape.batched(5), using: &random)
    return try Session(compile(model, CompileOptions(maxBatch: 5))).run(samples).array()
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } }

  /// Filters 1 and 2 of "a" are told nothing by their batch norm: gamma 0, beta 0.8 and 0.5.
  private func network(_ write: (inout GraphBuilder) -> Void) throws -> Model {
    var net = GraphBuilder(input: [9, 9, 2])
    net.conv2d(filters: 4, kernel: 3, bias: false, name: "a")
    net.batchNorm(name: "norm")
    net.activation(.relu)
    write(&net)
    var networks = RandomNetworks(3)
    var model = try networks.model(net.graph())
    var gamma: [Float] = model["norm", .gamma]!.values.array(), beta: [Float] = model["norm", .beta]!.values.array()
    (gamma[1], beta[1], gamma[2], beta[2]) = (0, 0.8, 0, 0.5)
    try model.set(Parameter(Tensor(gamma)), "norm", .gamma)
    try model.set(Parameter(Tensor(beta)), "norm", .beta)
    return model
  }

  private func removed(_ model: Model) throws -> (exact: Model, dropped: Model, carried: CarriedConstants) {
    let groups = ChannelGroups(model.graph)
    let group = try #require(groups.groups.firstIndex { $0.producers.contains("a") })
    let removal: ChannelGroups.Removal = [group: [1, 2]]
    return (
      try model.removing(removal, of: groups), try model.keepingChannels(groups.kept(removing: removal)),
      try model.carryingConstants(of: removal, in: groups)
    )
  }

  @Test func carriedWithoutPadding() throws {
    let nets: [(String, (inout GraphBuilder) -> Void)] = [
      (
        "a bias",
        { net in
          net.conv2d(filters: 3, kernel: 3, name: "b")
          net.globalAveragePool()
          net.dense(3)
        }
      ),
      (
        "a batch norm behind",
        { net in
          net.conv2d(filters: 3, kernel: 3, bias: false, name: "b")
          net.batchNorm(name: "norm2")
          net.activation(.relu)
          net.globalAveragePool()
          net.dense(3)
        }
      ),
      (
        "neither",
        { net in
          net.conv2d(filters: 3, kernel: 1, padding: .same, bias: false, name: "b")
          net.activation(.relu)
          net.globalAveragePool()
          net.dense(3)
        }
      ),
      (
        "a flattened image",
        { net in
          net.maxPool(2)
          net.flatten()
          net.dense(3, bias: false, name: "b")
        }
      ),
      (
        "a depthwise layer between",
        { net in
          net.conv2d(filters: 4, kernel: 3, groups: 4, name: "deep")
          net.averagePool(2)
          net.dropout(0.5)
          net.conv2d(filters: 3, kernel: 2, name: "b")
          net.globalAveragePool()
          net.dense(3)
        }
      ),
      (
        "two readers and a sum",
        { net in
          let from = net.last
          let b = net.conv2d(filters: 3, kernel: 3, name: "b")
          net.add(b, net.conv2d(filters: 3, kernel: 3, bias: false, from: from, name: "c"))
          net.globalAveragePool()
          net.dense(3)
        }
      ),
    ]
    for (name, write) in nets {
      let model = try network(write), (exact, dropped, carried) = try removed(model)
      let expected = try outputs(model)
      #expect(exact["a", .weight]!.shape[0] == 2)
      #expect(distance(expected, try outputs(exact)) < 1e-4, "\(name)")
      #expect(distance(expected, try outputs(dropped)) > 0.05, "\(name): nothing to carry")
      #expect(carried.bordered.isEmpty && carried.layers.contains("b"), "\(name)")
      #expect(carried.note != nil && carried.warning == nil)
    }
    // A batch norm takes it up where there is one: no layer gains a bias.
    let (kept, _, _) = try removed(network(nets[1].1))
    #expect(kept["b", .bias] == nil)
  }

  /// Zeros around an image are not the constant: inside the outputs are the same, and the border is told.
  @Test func paddingIsTold() throws {
    let model = try network { net in net.conv2d(filters: 3, kernel: 3, padding: .same, name: "b") }
    let (exact, dropped, carried) = try removed(model)
    #expect(carried.layers == ["b"] && carried.bordered == ["b"])
    #expect(carried.warning?.hasSuffix("of \"b\": outputs change at the borders") == true)
    func inside(_ values: [Float]) -> [Float] {
      // [5, 7, 7, 3]
      values.enumerated().filter { i, _ in
        let x = i / 3 % 7, y = i / 21 % 7
        return (1...5).contains(x) && (1...5).contains(y)
      }.map(\.1)
    }
    let expected = try outputs(model), found = try outputs(exact)
    #expect(distance(inside(expected), inside(found)) < 1e-4)
    #expect(distance(expected, found) > 0.05)
    #expect(distance(inside(expected), inside(try outputs(dropped))) > 0.05)
  }

  /// A filter of zeros gives its bias.
  @Test func filtersOfZeros() throws {
    var net = GraphBuilder(input: [4])
    net.dense(3, name: "a")
    net.activation(.relu)
    net.dense(2, name: "b")
    var model = try RandomNetworks(5).copyModel(net.graph())
    var weight: [Float] = model["a", .weight]!.values.array()
    for i in 4..<8 { weight[i] = 0 }
    try model.set(Parameter(Tensor(weight, [3, 4])), "a", .weight)
    try model.set(Parameter(Tensor([0.1, 0.7, 0.2] as [Float])), "a", .bias)
    let groups = ChannelGroups(model.graph)
    let smaller = try model.removing([0: [1]], of: groups)
    #expect(distance(try outputs(model), try outputs(smaller)) < 1e-5)
    #expect(distance(try outputs(model), try outputs(model.keepingChannels(groups.kept(removing: [0: [1]])))) > 0.01)
  }
}

extension RandomNetworks {
  fileprivate func copyModel(_ graph: Graph) throws -> Model {
    var copy = self
    return try copy.model(graph)
  }
}
