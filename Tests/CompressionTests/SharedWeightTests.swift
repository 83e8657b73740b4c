import Formats
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Compression

/// Layers that share a weight lose the same channels, and keep one weight.
@Suite struct SharedWeightTests {
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
}
