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
    // Nothing becomes float that is not named in docs/integer-arithmetic.md.
    let named = ["exp", "log", "log_softmax", "reciprocal", "div", "pow", "prelu", "reduce", "arg_max"]
    let isNamed = named.contains { network.name == $0 || network.name.hasPrefix($0 + " ") }
    #expect(try compile(quantized).floatFallbacks.filter { quantized[$0.layer, .weight] == nil }.isEmpty == !isNamed)
  }

  /// Sums that could exceed their bits, and scales that multiply to more than a float: in float, named, and the same
  /// there as in the reference.
  @Test func whatExceedsIntegersIsFloat() throws {
    var random = RandomNetworks(3)
    func fallbacks(_ model: Model) throws -> [FloatFallback] {
      try check(model)
      return try compile(model).floatFallbacks
    }
    var long = GraphBuilder(input: [2, 16_385])
    let from = long.last
    long.add(.matmul(MatMul(transposesSecond: true)), [from, from], name: "product")
    long.flatten()
    long.dense(2, name: "last")
    var model = try random.model(try long.graph())
    for value in [from, "product"] { try model.setActivation(ActivationQuantization(low: -1, high: 1), of: value) }
    let sums = "sums of 16385 products of its integers can exceed 32 bits"
    #expect(try fallbacks(model).filter { $0.layer == "product" } == [FloatFallback(layer: "product", reason: sums)])

    for op in [Operator.mul(Mul()), .matmul(MatMul())] {
      var net = GraphBuilder(input: [3, 3])
      let from = net.last
      net.add(op, [from, from], name: "product")
      net.flatten()
      net.dense(2, name: "last")
      var model = try random.model(try net.graph())
      try model.setActivation(ActivationQuantization(scale: 0x1p50, zeroPoint: 3), of: from)
      try model.setActivation(ActivationQuantization(scale: 0x1p-50, zeroPoint: 7), of: "product")
      #expect(try fallbacks(model).contains { $0.layer == "product" && $0.reason.contains("multiply to") })
    }
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
