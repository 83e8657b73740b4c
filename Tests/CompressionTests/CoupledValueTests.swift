import Formats
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Compression

/// What goes with a channel where weights are shared, and behind gates.
@Suite struct CoupledValueTests {
  private func outputs(_ model: Model) throws -> [Float] {
    var random = SeededRandom(seed: 4)
    let samples = Tensor(uniform: model.graph.inputShape.batched(2), -1, 1, using: &random)
    return try Session(try compile(model, CompileOptions(maxBatch: 2))).run(samples).array()
  }

  @Test func removedEqualsZeroedThroughAFile() throws {
    let model = try Model(initializing: ValueNetworks.shared(), seed: 9)
    let groups = ChannelGroups(model.graph)
    // What goes into the shared convolution comes from the stem and from itself.
    #expect(groups.groups.map(\.producers) == [["stem", "once"]] && groups.groups[0].width == 4)
    let removal: ChannelGroups.Removal = [0: [1, 3]]
    var zeroed = model
    for layer in ["stem", "once"] {
      let shape = model[layer, .weight]!.shape, width = shape.count / 4
      let mask = Tensor((0..<shape.count).map { UInt8([1, 3].contains($0 / width) ? 0 : 1) }, shape)
      try zeroed.prune(layer, by: mask)
    }
    let removed = try NativeFormat.read(NativeFormat.data(model.removing(removal, of: groups)))
    #expect(removed["again", .weight]?.shape == [2, 3, 3, 2] && removed.weightLayers == ["stem", "once", "scores"])
    let cost = groups.cost(removing: removal), counted = ModelCost(removed)
    #expect(cost.parameters == counted.parameters && cost.macs == counted.macs)
    for (a, b) in zip(try outputs(removed), try outputs(zeroed)) { #expect(abs(a - b) <= 1e-5) }
  }

  @Test func staticIntegersKeepASharedBiasInFloat() throws {
    let model = try Model(initializing: ValueNetworks.shared(), seed: 9)
    let assignment = try QuantizationAssignment(model) { _, _ in
      LayerQuantization(
        weights: .integer(bits: 8, granularity: .channel),
        activations: ActivationFormat())
    }
    let range = ActivationEncoding.affine(try ActivationQuantization(low: -4, high: 4))
    let quantized: Model = try assignment.quantized(assignment.observed.mapValues { _ in range })
    guard case .integer? = quantized["once", .weight]?.encoding, case .float? = quantized["once", .bias]?.encoding else {
      Issue.record("the shared weight is not integers, or its bias is")
      return
    }
    let plan = try compile(quantized)
    #expect(plan.steps.filter { $0.layer == "once" || $0.layer == "again" }.allSatisfy { $0.arithmetic == .int8 })
    var random = SeededRandom(seed: 4)
    let sample = Tensor(uniform: model.graph.inputShape, -1, 1, using: &random)
    let expected: [Float] = try ReferenceInterpreter(quantized).run(sample).array()
    let batch: Tensor = try sample.reshaped([1] + model.graph.inputShape.dims)
    let got: [Float] = try Session(plan).run(batch).array()
    #expect(got == expected)
  }

  /// A gate's filters go with those of the image it scales; what the gate of a removed channel would be is multiplied by
  /// zero.
  @Test func gatesGoWithTheirImages() throws {
    var model = try Model(initializing: ValueNetworks.gated(), seed: 3)
    for norm in ["norm0", "norm1"] {
      let count = model[norm, .beta]!.count
      try model.set(Parameter(Tensor((0..<count).map { 0.1 * Float($0) - 0.2 })), norm, .beta)
    }
    let groups = ChannelGroups(model.graph)
    #expect(groups.groups.map(\.producers) == [["conv0", "expand0"], ["reduce0"], ["conv1", "expand1"], ["reduce1"]])
    var removal: ChannelGroups.Removal = [:], zeroed = model
    for (index, group) in groups.groups.enumerated() {
      removal[index] = [0, 2]
      for layer in group.producers {
        let shape = model[layer, .weight]!.shape, width = shape.count / shape[0]
        try zeroed.prune(layer, by: Tensor((0..<shape.count).map { UInt8([0, 2].contains($0 / width) ? 0 : 1) }, shape))
        for (owner, role) in [(layer, ParameterRole.bias), ("norm" + layer.suffix(1), .beta), ("norm" + layer.suffix(1), .mean)]
        where zeroed[owner, role] != nil && (role == .bias || layer.hasPrefix("conv")) {
          var values: [Float] = zeroed[owner, role]!.values.array()
          for channel in [0, 2] { values[channel] = 0 }
          try zeroed.set(Parameter(Tensor(values)), owner, role)
        }
      }
    }
    let removed = try NativeFormat.read(NativeFormat.data(zeroed.removing(removal, of: groups)))
    #expect(removed["expand1", .weight]?.shape == [6, 1] && removed["conv1", .weight]?.shape == [6, 3, 3, 4])
    for (a, b) in zip(try outputs(removed), try outputs(zeroed)) { #expect(abs(a - b) <= 1e-5) }
  }

  @Test func aSigmoidThatIsNoGateKeepsItsChannels() throws {
    var net = GraphBuilder(input: [4])
    net.dense(6, name: "a")
    net.activation(.sigmoid)
    net.dense(3, name: "b")
    #expect(ChannelGroups(try net.graph()).groups.isEmpty)
  }
}
