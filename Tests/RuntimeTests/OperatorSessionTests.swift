import Kernels
import Network
import TestSupport
import Tensors
import Testing

@testable import Runtime

/// Every operator's plan computes what the reference says, to the bit, in float and with everything quantized that can be.
@Suite struct OperatorSessionTests {
  @Test(arguments: OperatorNetwork.all) func planEqualsReference(_ network: OperatorNetwork) throws {
    var random = RandomNetworks(3)
    let model = try random.model(network.graph)
    try check(model)
    var quantized = model
    for value in model.graph.values where !model.graph.isOutput(value) {
      try quantized.setActivation(ActivationQuantization(low: -1.5, high: 2), of: value)
    }
    try check(quantized)
  }

  private func check(_ model: Model, batch: Int = 3) throws {
    var random = SeededRandom(seed: 2)
    let samples = Tensor(uniform: model.graph.inputShape.batched(batch), -1, 1, using: &random)
    let expected = try (0..<batch).flatMap { sample in
      let given = try samples.sliced(axis: 0, sample..<sample + 1).reshaped(model.graph.inputShape.dims)
      return try ReferenceInterpreter(model).outputs(given).flatMap { $0.array(Float.self) }
    }
    for threads in [1, 2] {
      let session = Session(
        try compile(model, CompileOptions(maxBatch: 2)), pool: try ThreadPool(threads: threads, smallestWork: 0))
      let results = try session.run(samples).array(Float.self)
      #expect(results.map(\.bitPattern) == expected.map(\.bitPattern), "\(threads) threads")
    }
  }
}
