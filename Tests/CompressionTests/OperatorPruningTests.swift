import Formats
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Compression

/// Channels that go with what every operator makes of them.
@Suite struct OperatorPruningTests {
  /// Filters of zeros give their biases, which are carried along but where zeros or other channels lie between the pixels.
  @Test(arguments: OperatorNetwork.all) func removedEqualsZeroedThroughAFile(_ network: OperatorNetwork) throws {
    var networks = RandomNetworks(5)
    let model = try networks.model(network.graph)
    let groups = ChannelGroups(network.graph)
    var removal: ChannelGroups.Removal = [:], zeroed = model
    var filters: [String: Set<Int>] = [:]
    for (index, group) in groups.groups.enumerated() where group.width > 1 {
      removal[index] = group.width > 3 ? [0, group.width - 1] : [0]
      for (layer, channels) in group.filters {
        for channel in removal[index]! { filters[layer, default: []].formUnion(channels[channel]) }
      }
    }
    for (layer, gone) in filters {
      let shape = model[layer, .weight]!.shape, width = shape.count / shape[0]
      try zeroed.prune(layer, by: Tensor((0..<shape.count).map { gone.contains($0 / width) ? 0 : UInt8(1) }, shape))
      guard ["transposed", "zeros", "depth"].contains(where: network.name.hasPrefix) else { continue }
      let bias: [Float] = model[layer, .bias]!.values.array()
      try zeroed.set(Parameter(Tensor(bias.indices.map { gone.contains($0) ? 0 : bias[$0] })), layer, .bias)
    }
    let removed = try NativeFormat.read(NativeFormat.data(zeroed.removing(removal, of: groups)))
    if !removal.isEmpty { #expect(ModelCost(removed).parameters < ModelCost(model).parameters) }
    let expected = try outputs(zeroed), found = try outputs(removed)
    let scale = max(1, expected.map(abs).max() ?? 1)
    for (a, b) in zip(expected, found) { #expect(abs(a - b) <= 1e-4 * scale) }
  }

  /// Where channels must stay, it is for a reason; elsewhere some can go.
  @Test func channelsThatCanGo() {
    let fixed: Set<String> = [
      // Every channel has a part in every other.
      "softmax", "log_softmax", "layer norm", "layer norm, plain", "rms norm", "length", "transpose of channels",
      "reduce mean [2]", "reduce sum [2]", "reduce max [2]", "reduce min [2]", "arg_max beside what is trained",
      "matmul of matrices", "matmul, transposed", "matmul by one matrix", "matmul of one matrix, transposed",
    ]
    for network in OperatorNetwork.all {
      let groups = ChannelGroups(network.graph).groups
      if fixed.contains(network.name) { #expect(groups.isEmpty, "\(network.name)") }
    }
    let names = Set(OperatorNetwork.all.map(\.name))
    #expect(fixed.isSubset(of: names))
    let heads = OperatorNetwork.all.first { $0.name == "attention" }!
    #expect(ChannelGroups(heads.graph).groups.map(\.width) == [2])
    let shuffled = OperatorNetwork.all.first { $0.name == "channel shuffle" }!
    #expect(ChannelGroups(shuffled.graph).groups.map(\.width) == [6])
  }

  private func outputs(_ model: Model) throws -> [Float] {
    var random = SeededRandom(seed: 4)
    let samples = Tensor(uniform: model.graph.inputShape.batched(2), -1, 1, using: &random)
    return try Session(try compile(model, CompileOptions(maxBatch: 2))).run(samples).array()
  }
}
