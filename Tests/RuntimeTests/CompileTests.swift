import Diagnostics
import Network
import Tensors
import Testing

@testable import Runtime

@Suite struct CompileTests {
  private func annotated(_ net: GraphBuilder, quantized: [String], integerWeights: [String]) throws -> Model {
    var model = try Model(initializing: net.graph(), seed: 0)
    for layer in integerWeights {
      let shape = model[layer, .weight]!.shape
      let integers = try IntegerValues(
        values: Tensor([Int8](repeating: 3, count: shape.count), shape), scales: [0.1], bits: 8)
      try model.set(Parameter(.integer(integers), mask: nil), layer, .weight)
    }
    for layer in quantized { try model.setActivation(ActivationQuantization(scale: 0.1, zeroPoint: 7), of: layer) }
    return model
  }

  private func summary(_ plan: Plan) -> [String] {
    plan.steps.map { "\($0.layer): \($0.operation) (\($0.arithmetic.rawValue))" }
  }

  @Test func theLabNetworkIsThreeSteps() throws {
    let model = try Model(initializing: Zoo.entry("lab_cnn").graph([28, 28, 1], 10), seed: 0)
    let plan = try compile(model)
    #expect(
      summary(plan) == ["conv: conv 3x3, relu (float32)", "pool: max pool 2x2 (float32)", "dense: dense (float32)"])
    #expect(plan.steps.map(\.macs) == [73008, 0, 20280])
    #expect(plan.macs == ModelCost(model).macs)
    #expect(plan.floatFallbacks.isEmpty)
    #expect(plan.outputShape == [10])
  }

  /// What sparse kernels are to be chosen by, behind a batch norm that is folded.
  @Test func theProgramKnowsWhatPruningRemoved() throws {
    var net = GraphBuilder(input: [4])
    net.dense(2, bias: false, name: "dense")
    net.batchNorm(name: "norm")
    var model = try Model(initializing: net.graph(), seed: 0)
    let mask = Tensor([1, 0, 1, 0, 0, 1, 0, 1] as [UInt8], [2, 4])
    try model.prune("dense", by: mask)
    model.adopt(.pattern(keep: 2, of: 4), of: "dense")
    let operation = try #require(Program(model.foldingBatchNorm()).operations.first)
    guard case .node(_, let weights?) = operation.kind else {
      Issue.record("no operation with a weight: \(operation.kind)")
      return
    }
    #expect(weights.structure == .pattern(keep: 2, of: 4))
    #expect(weights.mask?.array(UInt8.self) == mask.array(UInt8.self))
  }

  @Test func batchNormsFoldOrBecomeSteps() throws {
    var net = GraphBuilder(input: [8, 8, 3])
    net.batchNorm(name: "first")
    net.conv2d(filters: 4, kernel: 3, bias: false, name: "conv")
    net.batchNorm(name: "second")
    net.activation(.relu6, name: "relu")
    let plan = try compile(Model(initializing: net.graph(), seed: 0))
    #expect(summary(plan) == ["first: batch norm (float32)", "conv: conv 3x3, relu6 (float32)"])
  }

  @Test func activationsFuseOnlyWhereNothingElseReads() throws {
    var net = GraphBuilder(input: [8, 8, 3])
    let conv = net.conv2d(filters: 3, kernel: 1, name: "conv")
    let relu = net.activation(.relu, name: "relu")
    net.add(conv, relu, name: "sum")
    net.activation(.relu6, name: "clamp")
    net.activation(.relu, name: "again")
    let plan = try compile(Model(initializing: net.graph(), seed: 0))
    #expect(
      summary(plan) == [
        "conv: conv 1x1 (float32)", "relu: relu (float32)", "sum: add, relu6 (float32)", "again: relu (float32)",
      ])
  }

  @Test func whatTheOutputDoesNotNeedIsDropped() throws {
    var net = GraphBuilder(input: [4])
    net.dense(3, name: "unused")
    net.dense(2, from: "input", name: "used")
    let plan = try compile(Model(initializing: net.graph(), seed: 0))
    #expect(plan.steps.map(\.layer) == ["used"])
  }

  @Test func staticInt8QuantizesAtTheBorder() throws {
    var net = GraphBuilder(input: [8, 8, 3])
    net.conv2d(filters: 4, kernel: 3, name: "conv")
    net.activation(.relu, name: "relu")
    net.maxPool(2, name: "pool")
    net.flatten(name: "flatten")
    net.dense(5, name: "fc")
    let model = try annotated(net, quantized: ["input", "relu"], integerWeights: ["conv", "fc"])
    let plan = try compile(model)
    #expect(
      summary(plan) == [
        "input: quantize (float32)", "conv: conv 3x3, relu (int8)", "pool: max pool 2x2 (int8)", "fc: dense (int8)",
      ])
    #expect(plan.steps.map(\.outputType) == [.uint8, .uint8, .uint8, .float32])
    #expect(plan.floatFallbacks.isEmpty)
  }

  @Test func floatFallbacksAreNamedWithTheirReasons() throws {
    var net = GraphBuilder(input: [8, 8, 3])
    net.conv2d(filters: 4, kernel: 3, name: "kept")
    net.activation(.sigmoid, name: "squash")
    net.conv2d(filters: 4, kernel: 3, name: "conv")
    net.averagePool(2, name: "mean")
    net.flatten(name: "flatten")
    net.dense(5, name: "fc")
    net.activation(.softmax, name: "softmax")
    let model = try annotated(net, quantized: ["input", "kept", "squash", "conv"], integerWeights: ["conv", "fc"])
    let plan = try compile(model)
    #expect(
      plan.floatFallbacks == [
        FloatFallback(layer: "kept", reason: "its weight is float32"),
        FloatFallback(layer: "mean", reason: "its output has no quantization"),
        FloatFallback(layer: "fc", reason: "its input \"mean\" has no quantization"),
        FloatFallback(layer: "softmax", reason: "its input \"fc\" has no quantization"),
      ])
    #expect(
      summary(plan) == [
        "input: quantize (float32)", "input: dequantize (float32)", "kept: conv 3x3 (float32)",
        "kept: quantize (float32)", "squash: sigmoid (int8)", "conv: conv 3x3 (int8)", "conv: dequantize (float32)",
        "mean: average pool 2x2 (float32)", "fc: dense (dynamic range)", "softmax: softmax (float32)",
      ])
  }

  @Test func oneConversionServesAllReaders() throws {
    var net = GraphBuilder(input: [4, 4, 2])
    let a = net.activation(.sigmoid, name: "a")
    let b = net.activation(.sigmoid, from: "input", name: "b")
    net.add(a, b)
    let plan = try compile(annotated(net, quantized: ["input"], integerWeights: []))
    #expect(plan.steps.count { $0.operation == "dequantize" } == 1)
  }

  @Test func biasesThatDoNotFitKeepALayerFloat() throws {
    var net = GraphBuilder(input: [4])
    net.dense(2, name: "fc")
    var model = try annotated(net, quantized: ["input", "fc"], integerWeights: ["fc"])
    try model.set(Parameter(Tensor([3e7, 0] as [Float])), "fc", .bias)
    let plan = try compile(model)
    #expect(plan.floatFallbacks == [FloatFallback(layer: "fc", reason: "its bias is too large for 32-bit sums")])
  }

  @Test func absurdOptionsAreRefused() throws {
    var net = GraphBuilder(input: [4])
    net.activation(.relu, name: "act")
    var model = try Model(initializing: net.graph(), seed: 0)
    #expect(throws: CompressError("a batch of 0 is outside 1...65536")) {
      try compile(model, CompileOptions(maxBatch: 0))
    }
    try model.setActivation(ActivationQuantization(scale: 1e30, zeroPoint: 0), of: "act")
    #expect(throws: CompressError("activation scale 1e+30 is out of range", kind: .input).at(layer: "act")) {
      try compile(model)
    }
  }
}

@Suite struct IntegerSumsTests {
  private func weights(_ shape: Shape, _ scales: [Float] = [0.5]) throws -> IntegerValues {
    try IntegerValues(values: Tensor([Int8](repeating: 1, count: shape.count), shape), scales: scales, bits: 8)
  }

  @Test func biasesRoundToNearestEven() throws {
    let bias = Encoding.float(Tensor([0.125, 0.375, -0.125, 0.5] as [Float]))  // steps of 0.25
    #expect(try weights([4, 2]).bias(bias, inputScale: 0.5) == [0, 2, 0, 2])
    #expect(try weights([4, 2]).bias(nil, inputScale: 0.5) == [0, 0, 0, 0])
  }

  @Test func storedIntegersComeBack() throws {
    let scales: [Float] = [0.1, 0.003, 7e-5]
    let integers: [Int32] = [2_000_000_001, -2_000_000_003, 12345]
    let weight = try weights([3, 1], scales)
    let bias = try IntegerValues(values: Tensor(integers), scales: weight.sumScales(inputScale: 0.037), bits: 32)
    #expect(weight.bias(.integer(bias), inputScale: 0.037) == integers)
  }

  @Test func sumsThatMayOverflowAreRefused() throws {
    #expect(try weights([1, 65793]).sumsFit)
    #expect(try !weights([1, 65794]).sumsFit)
    #expect(try weights([1, 2]).bias(.float(Tensor([2e9] as [Float])), inputScale: 1) == nil)
    #expect(try weights([1, 2]).bias(.float(Tensor([1e9] as [Float])), inputScale: 1) == [2_000_000_000])
  }
}
