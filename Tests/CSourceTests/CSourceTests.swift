import CSource
import Diagnostics
import Foundation
import Kernels
import Network
import Runtime
import TestSupport
import Tensors
import Testing

/// Networks written as C give what sessions give, bit for bit (zeros of either sign are equal).
@Suite struct CSourceTests {
  /// Compiles the models together and compares each with its session, over a few samples.
  private func check(
    _ models: [(name: String, model: Model)], samples: Int = 2, optimization: String = "-O1",
    patches: (Int) -> PatchOptions = { _ in PatchOptions() }
  ) throws {
    guard CompiledNetworks.compiler != nil else { return }
    let compiled = try CompiledNetworks()
    defer { compiled.remove() }
    var random = RandomNetworks(7)
    let tried = models.enumerated().map { index, item in
      (
        model: item.model, samples: (0..<samples).map { _ in random.sample(item.model.graph.inputShape) },
        patches: patches(index)
      )
    }
    let found = try compiled.outputs(tried, optimization: optimization)
    for (index, item) in models.enumerated() {
      let expected = try item.model.sessionOutputs(tried[index].samples)
      let same =
        found[index].count == expected.count
        && zip(found[index], expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
      let off = zip(found[index], expected).first { $0 != $1 && !($0.isNaN && $1.isNaN) }
      #expect(same, "\(item.name): \(off.map { "\($0.0), not \($0.1)" } ?? "\(found[index].count) values")")
    }
  }

  /// With everything in float, with integer weights alone, and with everything quantized that can be.
  @Test func everyOperator() throws {
    var random = RandomNetworks(3), models: [(String, Model)] = []
    for network in OperatorNetwork.all {
      let model = try random.model(network.graph)
      models.append((network.name, model))
      models.append((network.name + ", int8", try model.quantizedAsIs(outputs: true)))
      models.append((network.name + ", scores float", try model.quantizedAsIs(outputs: false)))
    }
    try check(models)
  }

  @Test func networksAtRandom() throws {
    var models: [(String, Model)] = []
    for seed in 0..<24 {
      var networks = RandomNetworks(seed)
      let model = try networks.model(networks.graph(layers: 7, batchNorm: true))
      models.append(("float \(seed)", model))
      let integers = try networks.withIntegerWeights(model)
      models.append(("dynamic range \(seed)", integers))
      models.append(("int8 \(seed)", try networks.withActivations(integers, leaveOut: 0)))
      models.append(("partly int8 \(seed)", try networks.withActivations(integers, leaveOut: 4)))
      models.append(("simulated \(seed)", try networks.withSimulation(model)))
    }
    try check(models, samples: 2, optimization: "-O2")
  }

  /// Parts of several sizes joined along any axis, where one of them is not read again: the result lies over it.
  @Test func joinedValues() throws {
    var models: [(String, Model)] = [], random = RandomNetworks(9)
    for axis in 0..<3 {
      for wide in [false, true] {
        var net = GraphBuilder(input: [5, 4, 6])
        let first = net.conv2d(filters: 6, kernel: 3, padding: .same, from: "input", name: "first")
        let kept = net.activation(.tanh, from: first, name: "kept")
        var second = net.conv2d(filters: 6, kernel: 1, from: kept, name: "second")
        if wide { second = net.concat([second, second, kept], axis: axis, name: "wider") }
        net.concat([kept, second], axis: axis, name: "joined")
        net.activation(.relu)
        net.flatten()
        net.dense(4, name: "scores")
        let model = try random.model(net.graph())
        models.append(("axis \(axis), \(wide)", model))
        let quantized = try model.quantizedAsIs(outputs: true)
        models.append(("axis \(axis), \(wide), int8", quantized))
        var apart = quantized
        try apart.setActivation(ActivationQuantization(low: -1, high: 1), of: "kept")
        try apart.setActivation(ActivationQuantization(low: -2, high: 1.25), of: second)
        models.append(("axis \(axis), \(wide), int8 of other scales", apart))
      }
    }
    try check(models)
  }

  /// Transposed convolutions never form the image with the zeros between its pixels.
  @Test func transposedConvolutionsTakeNoImageOfZeros() throws {
    var net = GraphBuilder(input: [8, 8, 4])
    net.add(
      .conv2d(try Conv2D(transposed: 2, kernel: Size2D(2), stride: Size2D(2))), ["input"], name: "wider")
    var random = RandomNetworks(3)
    let model = try random.model(net.graph()).quantizedAsIs(outputs: true)
    // Input and result and one window; the image with zeros would be 900 B more.
    let file = try CSourceFile(model, name: "net")
    #expect(file.arenaBytes <= 8 * 8 * 4 + 16 * 16 * 2 + 16, "\(file.arenaBytes)")
    try check([("transposed", model)])
  }

  /// Several inputs and outputs, constants, one layer at two places, gates.
  @Test func valuesThatFormNoChain() throws {
    var models: [(String, Model)] = [], random = RandomNetworks(5)
    for (name, graph) in [
      ("several", try ValueNetworks.several()), ("shared", try ValueNetworks.shared()),
      ("gated", try ValueNetworks.gated()),
    ] {
      let model = try random.model(graph)
      models.append((name, model))
      models.append((name + ", int8", try model.quantizedAsIs(outputs: true, low: -4, high: 3)))
    }
    try check(models, samples: 3, optimization: "-O3")
  }
}
