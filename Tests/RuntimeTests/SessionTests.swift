import Diagnostics
import Kernels
import Network
import Tensors
import TestSupport
import Testing

@testable import Runtime

/// Sessions against the reference interpreter, bit for bit (zeros of either sign are equal).
@Suite struct SessionTests {
  /// The difference between a session and the reference over a few samples of every batch size; nil when
  /// there is none.
  static func difference(_ model: Model, samples: Int = 3, seed: Int, threads: Int = 1) throws -> String? {
    var networks = RandomNetworks(seed)
    let plan = try compile(model, CompileOptions(maxBatch: samples))
    let session = Session(plan, pool: threads == 1 ? .serial : try ThreadPool(threads: threads, smallestWork: 0))
    let reference = ReferenceInterpreter(try model.foldingBatchNorm())
    let inputs = (0..<samples).map { _ in networks.sample(model.graph.inputShape) }
    let together = try session.run(Tensor.concatenated(inputs.map { try $0.reshaped([1] + $0.shape.dims) }, axis: 0))
    for (index, input) in inputs.enumerated() {
      let expected = try reference.run(input).array(Float.self)
      let alone = try session.run(input.reshaped([1] + input.shape.dims)).array(Float.self)
      let batched = try together.selected(axis: 0, index).array(Float.self)
      guard alone == batched else { return "sample \(index) alone \(alone), in a batch \(batched)" }
      guard alone == expected else { return "sample \(index): \(alone), expected \(expected)" }
    }
    return nil
  }

  @Test(arguments: 0..<60) func float32(seed: Int) throws {
    var networks = RandomNetworks(seed)
    let model = try networks.model(networks.graph(layers: 7, batchNorm: true))
    let difference = try Self.difference(model, seed: seed)
    #expect(difference == nil)
  }

  /// Convolutions by Winograd's method, of both sizes, over images that tiles do not fill; `isExact` keeps the
  /// definition's order, and both agree but for their last digits.
  @Test(arguments: [1, 3]) func convolutionsByTiles(_ threads: Int) throws {
    var net = GraphBuilder(input: [9, 14, 32])
    net.conv2d(filters: 40, kernel: 3, padding: .same, name: "four")
    net.activation(.relu)
    net.maxPool(2)
    net.conv2d(filters: 256, kernel: 1)
    net.conv2d(filters: 256, kernel: 3, padding: .same, bias: false, name: "two")
    var networks = RandomNetworks(threads)
    let model = try networks.model(net.graph())
    let names = try compile(model).steps.compactMap { $0.choice?.algorithm }
    #expect(names == [.winograd4, .pixels, .winograd2])
    #expect(try Self.difference(model, seed: threads, threads: threads) == nil)
    let sample = try networks.sample(model.graph.inputShape).reshaped([1, 9, 14, 32])
    let tiled: [Float] = try Session(compile(model)).run(sample).array()
    let direct: [Float] = try Session(compile(model, CompileOptions(isExact: true))).run(sample).array()
    let off = zip(tiled, direct).map { abs($0 - $1) }.max()!, largest = direct.map(abs).max()!
    #expect(off > 0 && off < 1e-5 * largest, "off by \(off) of \(largest)")
  }

  /// Reshapes are dropped; what reads a value as something else than it was made as sees it so all the same.
  @Test(arguments: 0..<10, [0, 1, 2])
  func reshapedValuesAreSeenAsTheirReadersSeeThem(_ form: Int, _ arithmetic: Int) throws {
    var net = GraphBuilder(input: [2, 4, 3])
    switch form {
    case 0: net.concat([net.flatten(from: "input"), net.flatten(from: "input")])
    case 1: net.concat([net.flatten(from: "input"), net.globalAveragePool(from: "input")])
    case 2:
      net.flatten()
      net.activation(.softmax)
    case 3:
      net.flatten()
      net.batchNorm()
    case 4:
      net.flatten()
      net.pad(before: [1], after: [2])
    case 5:
      net.reshape([4, 2, 3])
      net.conv2d(filters: 5, kernel: 2)
      net.flatten()
    case 6:
      net.reshape([4, 3, 2])
      net.maxPool(2)
      net.flatten()
    case 7:
      let image = net.reshape([8, 1, 3])
      net.concat([image, net.reshape([8, 1, 3], from: "input")])
      net.globalAveragePool()
    case 8:
      let vector = net.flatten()
      net.add(net.activation(.relu, from: vector), vector)
      net.reshape([3, 8])
      net.activation(.softmax)
      net.flatten()
    default:
      net.flatten()
      net.dense(24)
      net.reshape([2, 4, 3])
      net.pad(before: [1, 0, 0], after: [0, 1, 2])
      net.globalAveragePool()
    }
    net.dense(4)
    var networks = RandomNetworks(form)
    var model = try networks.model(net.graph())
    if arithmetic > 0 { model = try networks.withIntegerWeights(model) }
    if arithmetic > 1 { model = try networks.withActivations(model.foldingBatchNorm(), leaveOut: 0) }
    let difference = try Self.difference(model, seed: form)
    #expect(difference == nil)
  }

  @Test(arguments: 0..<20) func foldingChangesRoundingOnly(seed: Int) throws {
    var networks = RandomNetworks(1000 + seed)
    let model = try networks.model(networks.graph(layers: 6, batchNorm: true))
    let sample = networks.sample(model.graph.inputShape)
    let expected: [Float] = try ReferenceInterpreter(model).run(sample).array()
    let session = Session(try compile(model))
    let actual: [Float] = try session.run(sample.reshaped([1] + sample.shape.dims)).array()
    let largest = expected.map(abs).max()!
    for (a, e) in zip(actual, expected) { #expect(abs(a - e) <= 1e-4 * max(largest, 1e-3)) }
  }

  @Test(arguments: 0..<20) func float16WeightsAreRoundedWeights(seed: Int) throws {
    var networks = RandomNetworks(2000 + seed)
    var half = try networks.model(networks.graph(layers: 6, batchNorm: false))
    var rounded = half
    for layer in half.weightLayers {
      let weight = half[layer, .weight]!.values.converted(to: .float16)
      try half.set(Parameter(weight), layer, .weight)
      try rounded.set(Parameter(weight.converted(to: .float32)), layer, .weight)
    }
    let difference = try Self.difference(half, seed: seed)
    #expect(difference == nil)
    let sample = networks.sample(half.graph.inputShape)
    let batch = try sample.reshaped([1] + sample.shape.dims)
    let a: [Float] = try Session(compile(half)).run(batch).array()
    let b: [Float] = try Session(compile(rounded)).run(batch).array()
    #expect(a == b)
    #expect(try compile(half).steps.contains { $0.arithmetic == .float16Weights })
  }

  @Test(arguments: 0..<40) func dynamicRange(seed: Int) throws {
    var networks = RandomNetworks(3000 + seed)
    let plain = try networks.model(networks.graph(layers: 6, batchNorm: false))
    let model = try networks.withIntegerWeights(plain, bits: networks.pick([8, 8, 4]))
    let difference = try Self.difference(model, seed: seed)
    #expect(difference == nil)
    #expect(try compile(model).steps.contains { $0.arithmetic == .dynamicRange })
  }

  @Test(arguments: 0..<100) func staticInt8(seed: Int) throws {
    var networks = RandomNetworks(4000 + seed)
    let plain = try networks.model(networks.graph(layers: 8, batchNorm: seed % 3 == 0)).foldingBatchNorm()
    let calibrated = try networks.withActivations(plain, leaveOut: seed % 2 == 0 ? 0 : 6)
    let keep = Set(plain.weightLayers.filter { _ in seed % 5 == 0 && networks.random.below(4) == 0 })
    var model = try networks.withIntegerWeights(calibrated, bits: networks.pick([8, 8, 8, 4, 2]), keep: keep)
    if seed % 4 == 0 { model = try networks.withIntegerBiases(model) }
    let difference = try Self.difference(model, seed: seed)
    #expect(difference == nil)
  }

  @Test(arguments: 0..<60) func simulated(seed: Int) throws {
    var networks = RandomNetworks(4500 + seed)
    let plain = try networks.model(networks.graph(layers: 8, batchNorm: false))
    let calibrated = seed % 2 == 0 ? plain : try networks.withActivations(plain, leaveOut: 3)
    let some = try networks.withSimulation(calibrated)
    let tables = Set(some.weightLayers.filter { if case .codes = some[$0, .weight]!.encoding { true } else { false } })
    let model = seed % 3 == 0 ? some : try networks.withIntegerWeights(some, keep: tables)
    let difference = try Self.difference(model, seed: seed)
    #expect(difference == nil)
    let plan = try compile(model)
    for layer in tables where plan.steps.contains(where: { $0.layer == layer }) {
      #expect(plan.floatFallbacks.contains { $0.layer == layer && $0.isSimulated })
    }
  }

  @Test(arguments: 0..<15) func threadsDoNotMatter(seed: Int) throws {
    var networks = RandomNetworks(5000 + seed)
    let plain = try networks.model(networks.graph(layers: 8, batchNorm: false))
    let model = seed % 2 == 0 ? plain : try networks.withIntegerWeights(networks.withActivations(plain, leaveOut: 8))
    let difference = try Self.difference(model, samples: 5, seed: seed, threads: 3)
    #expect(difference == nil)
  }

  @Test func inputsThatSaturate() throws {
    var networks = RandomNetworks(6000)
    let plain = try networks.model(networks.graph(layers: 8, batchNorm: false))
    let model = try networks.withIntegerWeights(networks.withActivations(plain, leaveOut: 0))
    let session = Session(try compile(model))
    for scale: Float in [0, 1e3, -1e3, 1e30, -1e30, .infinity, -.infinity] {
      let sample = Tensor(repeating: scale, plain.graph.inputShape)
      let expected: [Float] = try ReferenceInterpreter(model).run(sample).array()
      #expect(try session.run(sample.reshaped([1] + sample.shape.dims)).array(Float.self) == expected)
    }
  }

  @Test func extremeIntegersSaturateNothing() throws {
    // Every product is 255 * 127 of one sign: pairs of them do not fit 16 bits.
    for sign: Int8 in [127, -127] {
      var net = GraphBuilder(input: [6, 6, 16])
      net.conv2d(filters: 20, kernel: 3, padding: .same, name: "conv")
      net.globalAveragePool(name: "mean")
      net.dense(3, name: "fc")
      var model = try Model(initializing: net.graph(), seed: 1)
      for layer in ["conv", "fc"] {
        let shape = model[layer, .weight]!.shape
        let integers = Tensor([Int8](repeating: sign, count: shape.count), shape)
        let encoding = try IntegerValues(values: integers, scales: [0.01], bits: 8)
        try model.set(Parameter(.integer(encoding), mask: nil), layer, .weight)
      }
      try model.setActivation(ActivationQuantization(scale: 1, zeroPoint: 0), of: "input")
      try model.setActivation(ActivationQuantization(scale: 3, zeroPoint: sign < 0 ? 255 : 0), of: "conv")
      try model.setActivation(ActivationQuantization(scale: 2, zeroPoint: sign < 0 ? 255 : 0), of: "mean")
      let sample = Tensor(repeating: 255, [6, 6, 16])
      let expected: [Float] = try ReferenceInterpreter(model).run(sample).array()
      #expect(try Session(compile(model)).run(sample.reshaped([1, 6, 6, 16])).array(Float.self) == expected)
      #expect(expected.allSatisfy { abs($0) > 1000 })
    }
  }

  @Test func aNetworkOfReshapesCopiesItsInput() throws {
    var net = GraphBuilder(input: [2, 3, 1])
    net.flatten()
    let session = Session(try compile(Model(initializing: net.graph(), seed: 0)))
    let out = try session.run(Tensor([1, 2, 3, 4, 5, 6] as [Float], [1, 2, 3, 1]))
    #expect(out.shape == [1, 6])
    #expect(out.array() == [1, 2, 3, 4, 5, 6] as [Float])
  }

  @Test func samplesOfOtherShapesAreRefused() throws {
    var net = GraphBuilder(input: [2, 3, 1])
    net.flatten()
    let session = Session(try compile(Model(initializing: net.graph(), seed: 0)))
    #expect(throws: CompressError("float32 samples of shape [1, 6] for a network that takes float32 [n] + [2, 3, 1]")) {
      try session.run(Tensor(zeros: [1, 6]))
    }
  }

  @Test func predictionsAreTheFirstOfTheGreatest() throws {
    var net = GraphBuilder(input: [3])
    net.activation(.relu)
    let session = Session(try compile(Model(initializing: net.graph(), seed: 0), CompileOptions(maxBatch: 2)))
    let samples: [[Float]] = [[0, 1, 2], [5, 1, 5], [-1, -2, -3], [0, 3, 1], [1, 2, 3]]
    var ranges: [Range<Int>] = []
    let classes = session.predictions(count: 5) { range, batch in
      ranges.append(range)
      _ = batch.update(fromContentsOf: samples[range].flatMap { $0 })
    }
    #expect(classes == [2, 0, 0, 1, 2])
    #expect(ranges == [0..<2, 2..<4, 4..<5])
  }

  @Test func timedStepsAddUp() throws {
    let model = try Model(initializing: Zoo.entry("lab_cnn").graph([28, 28, 1], 10), seed: 0)
    let session = Session(try compile(model))
    _ = try session.run(Tensor(zeros: [1, 28, 28, 1]))
    #expect(session.stepNanoseconds.allSatisfy { $0 == 0 })
    session.isTimingSteps = true
    _ = try session.run(Tensor(zeros: [1, 28, 28, 1]))
    #expect(session.stepNanoseconds.count == session.plan.steps.count)
    #expect(session.stepNanoseconds.allSatisfy { $0 > 0 })
  }
}
