import Diagnostics
import Kernels
import Network
import TestSupport
import Tensors
import Testing

@testable import Runtime

/// Plans of networks with several inputs and outputs, constants and shared parameters compute what the reference says.
@Suite struct ValueSessionTests {
  private func model(_ graph: Graph) throws -> Model {
    var model = try Model(initializing: graph, seed: 11)
    var random = SeededRandom(seed: 5)
    for (layer, role, parameter) in model.allParameters where role == .constant || role == .bias {
      try model.set(Parameter(Tensor(uniform: parameter.shape, -1, 1, using: &random)), layer, role)
    }
    return model
  }

  private func check(_ model: Model, batch: Int = 3, sourceLocation: SourceLocation = #_sourceLocation) throws {
    var random = SeededRandom(seed: 2)
    let samples = Tensor(uniform: model.graph.inputShape.batched(batch), -1, 1, using: &random)
    for threads in [1, 2] {
      let session = Session(
        try compile(model, CompileOptions(maxBatch: 2)), pool: try ThreadPool(threads: threads, smallestWork: 0))
      let results = try session.run(samples).array(Float.self), width = results.count / batch
      #expect(width == model.graph.outputShapes.reduce(0) { $0 + $1.count }, sourceLocation: sourceLocation)
      for sample in 0..<batch {
        let given = try samples.sliced(axis: 0, sample..<sample + 1).reshaped(model.graph.inputShape.dims)
        let expected = try ReferenceInterpreter(model).outputs(given).flatMap { $0.array(Float.self) }
        #expect(Array(results[sample * width..<(sample + 1) * width]) == expected, sourceLocation: sourceLocation)
      }
    }
  }

  /// The model with int8 weights and every value quantized that is not an output.
  private func quantized(_ model: Model) throws -> Model {
    var quantized = model
    for layer in model.weightLayers {
      let weight = model[layer, .weight]!.values.array(Float.self)
      let scale = max(weight.map(abs).max() ?? 0, 1e-3) / 127
      let integers = Tensor(weight.map { Int8(($0 / scale).rounded()) }, model[layer, .weight]!.shape)
      try quantized.set(Parameter(.integer(IntegerValues(values: integers, scales: [scale], bits: 8))), layer, .weight)
    }
    for value in model.graph.values where !model.graph.isOutput(value) {
      try quantized.setActivation(ActivationQuantization(low: -4, high: 3), of: value)
    }
    return quantized
  }

  @Test func severalInputsAndOutputs() throws {
    let model = try model(ValueNetworks.several())
    try check(model)
    try check(quantized(model))
  }

  @Test func oneConvolutionAtTwoPlaces() throws {
    let model = try model(ValueNetworks.shared())
    try check(model)
    try check(quantized(model))
  }

  @Test(
    arguments: [
      ([4, 5, 3], [3]), ([4, 5, 3], [1]), ([4, 5, 3], [4, 1, 3]), ([4, 5, 1], [4, 5, 3]), ([1, 3], [5, 1]),
      ([2, 3], []),
      ([3], [4, 5, 3]), ([4, 5, 3], [5, 1]),
    ] as [([Int], [Int])])
  func sumsAreBroadcast(_ a: [Int], _ b: [Int]) throws {
    var net = GraphBuilder(input: Shape(a))
    let other = net.constant(Shape(b), name: "other")
    net.add("input", other, name: "sum")
    net.activation(.relu6, name: "clamped")
    net.flatten(name: "flat")
    let model = try model(net.graph())
    try check(model)
    var integers = model
    for value in ["input", "other", "clamped"] {
      try integers.setActivation(ActivationQuantization(low: -1, high: 2), of: value)
    }
    try check(integers)
    #expect(try compile(integers).steps.contains { $0.operation == "add, relu6" && $0.arithmetic == .int8 })
  }

  @Test(arguments: [0, 1, 2]) func valuesAreJoinedAlongAnyAxis(_ axis: Int) throws {
    var net = GraphBuilder(input: [3, 4, 5])
    var shape = [3, 4, 5]
    shape[axis] = 2
    let other = net.constant(Shape(shape), name: "other")
    net.concat(["input", other, "input"], axis: axis, name: "joined")
    net.dense(2, name: "each")
    let model = try model(net.graph())
    try check(model)
    try check(quantized(model))
  }

  @Test func gatesOfOneNumberForEachChannel() throws {
    let model = try model(ValueNetworks.gated()).foldingBatchNorm()
    try check(model)
    let integers = try quantized(model)
    try check(integers)
    let plan = try compile(integers)
    #expect(plan.steps.filter { ["mul", "sigmoid", "hard_swish"].contains($0.operation) }.count == 6)
    #expect(plan.floatFallbacks.isEmpty)
  }

  @Test(
    arguments: [
      ([4, 5, 3], [4, 5, 3]), ([4, 5, 3], [3]), ([4, 5, 3], [4, 5, 1]), ([5, 1], [1, 3]), ([2, 3], []),
    ] as [([Int], [Int])])
  func productsAreBroadcast(_ a: [Int], _ b: [Int]) throws {
    var net = GraphBuilder(input: Shape(a))
    let other = net.constant(Shape(b), name: "other")
    net.mul("input", other, name: "product")
    net.activation(.relu, name: "clamped")
    net.flatten(name: "flat")
    let model = try model(net.graph())
    try check(model)
    var integers = model
    for value in ["input", "other", "clamped"] {
      try integers.setActivation(ActivationQuantization(low: -1, high: 1), of: value)
    }
    try check(integers)
  }

  /// What does not depend on the input is computed when a session begins, and lasts.
  @Test func constantsAreComputedOnce() throws {
    var net = GraphBuilder(input: [3, 4])
    let gate = net.constant([3, 1], name: "gate")
    let open = net.activation(.sigmoid, from: gate, name: "open")
    net.mul(open, net.constant([4], name: "each"), name: "table")
    net.mul("input", "table", name: "gated")
    net.add("gated", "table", name: "sum")
    net.flatten(name: "flat")
    let model = try model(net.graph())
    try check(model)
    try check(quantized(model))

    let plan = try compile(model, CompileOptions(maxBatch: 2))
    let once = plan.steps.filter(\.isConstant).map(\.layer)
    #expect(once == ["gate", "open", "each", "table"])
    let session = Session(plan)
    session.isTimingSteps = true
    var random = SeededRandom(seed: 3)
    let samples = Tensor(uniform: [2, 3, 4], -1, 1, using: &random)
    let first: [Float] = try session.run(samples).array()
    for _ in 0..<3 { #expect(try session.run(samples).array() == first) }
    for (step, time) in zip(plan.steps, session.stepNanoseconds) { #expect((time == 0) == step.isConstant) }

    var seen: [String: [Float]] = [:]
    try session.run(samples) { layer, values in seen[layer] = Array(values) }
    let values = try ReferenceInterpreter(model).values(samples.selected(axis: 0, 1))
    let table = try #require(values["table"]).decoded.array(Float.self)
    #expect(seen["table"] == table + table)
    #expect(seen["open"]?.count == 6 && seen["gated"]?.count == 24)
  }

  /// A constant that is an output, and one that is read by a convolution after others have died.
  @Test func constantsMayBeOutputs() throws {
    var net = GraphBuilder(input: [2, 2, 3])
    let fixed = net.constant([2, 2, 3], name: "fixed")
    net.conv2d(filters: 4, kernel: 1, from: "input", name: "first")
    net.conv2d(filters: 3, kernel: 1, name: "second")
    net.add("second", fixed, name: "sum")
    let model = try model(net.graph(outputs: ["fixed", "sum"]))
    try check(model)
    #expect(try compile(model).steps.allSatisfy { !$0.isConstant })
  }

  @Test func aSessionThatWasAskedToStopWritesNothing() throws {
    var net = GraphBuilder(input: [4])
    net.dense(3, name: "scores")
    let session = Session(try compile(model(net.graph())))
    let cancellation = Cancellation()
    cancellation.request()
    let stopped = Cancellation.$current.withValue(cancellation) {
      [Float](unsafeUninitializedCapacity: 3) { output, count in
        output.initialize(repeating: 7)
        count = 3
        ([1, 2, 3, 4] as [Float]).withUnsafeBufferPointer { session.run(input: $0, output: output) }
      }
    }
    #expect(stopped == [7, 7, 7])
    #expect(try session.run(Tensor([1, 2, 3, 4] as [Float], [1, 4])).array(Float.self) != [7, 7, 7])
  }

  @Test func anInputMayBeAnOutput() throws {
    var net = GraphBuilder(input: [4])
    net.dense(3, name: "scores")
    try check(model(net.graph(outputs: ["input", "scores"])))
  }
}
