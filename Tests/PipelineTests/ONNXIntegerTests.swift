import Diagnostics
import Files
import Foundation
import Kernels
import Network
import Runtime
import TestSupport
import Tensors
import Testing

@testable import Formats

/// Files of integers as other programs write them, and what a written file says besides its numbers.
@Suite struct ONNXIntegerTests {
  private func inFolder<T>(_ body: (String) throws -> T) throws -> T {
    let folder = NSTemporaryDirectory() + "/onnx-integers-\(UInt64.random(in: 0...(.max)))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  private func read(_ net: ONNXWriter) throws -> Model {
    try inFolder { folder in
      try Data(net.bytes).write(to: URL(fileURLWithPath: folder + "/net.onnx"))
      return try ONNXFile.read(folder + "/net.onnx")
    }
  }

  private func failure(_ net: ONNXWriter) -> String {
    do {
      _ = try read(net)
      return "nothing was thrown"
    } catch { return "\(error)" }
  }

  private func outputs(_ model: Model) throws -> [Float] {
    var random = SeededRandom(seed: 5)
    let samples = Tensor(uniform: model.graph.inputShape.batched(2), -1, 1, using: &random)
    return try Session(try compile(model, CompileOptions(maxBatch: 2)), pool: try ThreadPool(threads: 1)).run(samples)
      .array()
  }

  // MARK: Parts of files

  private static let uint8 = 2, int8 = 3, int32 = 6

  private func integers(_ net: inout ONNXWriter, _ name: String, _ dims: [Int], _ element: Int, _ values: [Int]) {
    net.initializers.append(
      dims.flatMap { ONNXWriter.field(1, $0) } + ONNXWriter.field(2, element)
        + values.flatMap { ONNXWriter.field(5, $0) } + ONNXWriter.field(8, name))
  }

  private func numbers(_ count: Int, _ range: Int = 100) -> [Int] {
    (0..<count).map { $0 * 37 % (2 * range + 1) - range }
  }

  /// An image, rounded to int8 with the zero point -3.
  private func image() -> ONNXWriter {
    var net = ONNXWriter()
    net.version = 17
    net.input("x", [nil, 2, 5, 4])
    net.weight("xs", [], [0.01])
    integers(&net, "xz", [], Self.int8, [-3])
    net.node("QuantizeLinear", ["x", "xs", "xz"], "xq")
    return net
  }

  private func weights(_ net: inout ONNXWriter, _ element: Int = int8, zero: Int = 0) {
    integers(&net, "w", [3, 2, 3, 3], element, numbers(54).map { $0 + zero })
    net.weight("ws", [3], [0.01, 0.02, 0.005])
    integers(&net, "wz", [3], element, [zero, zero, zero])
    integers(&net, "b", [3], Self.int32, [100, -2000, 30])
    net.weight("bs", [3], [0.01, 0.02, 0.005].map { Float(0.01) * $0 })
    net.weight("ys", [], [0.05])
    integers(&net, "yz", [], Self.int8, [10])
  }

  private func pairs(_ element: Int = int8, zero: Int = 0) -> ONNXWriter {
    var net = image()
    weights(&net, element, zero: zero)
    net.node("DequantizeLinear", ["xq", "xs", "xz"], "xd")
    net.node("DequantizeLinear", ["w", "ws", "wz"], "wd", ["axis": .integer(0)])
    net.node("DequantizeLinear", ["b", "bs"], "bd", ["axis": .integer(0)])
    net.node("Conv", ["xd", "wd", "bd"], "conv", ["pads": .integers([1, 1, 1, 1])])
    net.node("QuantizeLinear", ["conv", "ys", "yz"], "yq")
    net.node("DequantizeLinear", ["yq", "ys", "yz"], "y")
    net.output("y")
    return net
  }

  // MARK: In

  @Test func pairsOfQuantizeAndDequantizeAreIntegersHere() throws {
    let model = try read(pairs())
    #expect(model.graph.nodes.map(\.op.spec.kind) == ["input", "conv2d"])
    #expect(model.activations["x"] == .affine(try ActivationQuantization(scale: 0.01, zeroPoint: 125)))
    #expect(model.activations["conv"] == .affine(try ActivationQuantization(scale: 0.05, zeroPoint: 138)))
    guard case .integer(let weight)? = model["conv", .weight]?.encoding,
      case .integer(let bias)? = model["conv", .bias]?.encoding
    else { return #expect(Bool(false), "no integers") }
    #expect(weight.scales == [0.01, 0.02, 0.005] && weight.bits == 8)
    #expect(bias.values.array(Int32.self) == [100, -2000, 30])
    // OIHW became OHWI.
    let values = weight.values.array(Int8.self), file = numbers(54)
    for index in 0..<54 {
      let (o, y, x, i) = (index / 18, index / 6 % 3, index / 2 % 3, index % 2)
      #expect(Int(values[index]) == file[((o * 2 + i) * 3 + y) * 3 + x])
    }
    #expect(try compile(model).floatFallbacks.isEmpty)
  }

  @Test func operatorsOfIntegersAreTheSame() throws {
    var net = image()
    weights(&net)
    net.node(
      "QLinearConv", ["xq", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], "yq", ["pads": .integers([1, 1, 1, 1])])
    net.node("DequantizeLinear", ["yq", "ys", "yz"], "y")
    net.output("y")
    #expect(try outputs(try read(net)) == outputs(try read(pairs())))
  }

  @Test func bytesAroundAMiddleAreSymmetric() throws {
    let model = try read(pairs(Self.uint8, zero: 128))
    guard case .integer? = model["conv", .weight]?.encoding else { return #expect(Bool(false), "no integers") }
    #expect(try outputs(model) == outputs(try read(pairs())))
    // Another zero is a zero point, 128 lower than the file's.
    var net = pairs(Self.uint8, zero: 128)
    net.initializers.removeAll { $0.starts(with: ONNXWriter.field(1, 3) + ONNXWriter.field(2, Self.uint8)) }
    integers(&net, "wz", [3], Self.uint8, [0, 100, 128])
    let other = try read(net)
    guard case .integer(let weight)? = other["conv", .weight]?.encoding else {
      return #expect(Bool(false), "no integers")
    }
    #expect(weight.zeroPoints == [-128, -28, 0] && weight.decoded.array(Float.self).max()! > 1)
    #expect(try compile(other).floatFallbacks.isEmpty)
  }

  @Test func integerWeightsOfFloatsAreFloats() throws {
    var net = ONNXWriter()
    net.input("x", [nil, 2, 5, 4])
    weights(&net)
    net.node("DequantizeLinear", ["w", "ws", "wz"], "wd", ["axis": .integer(0)])
    net.node("Conv", ["x", "wd"], "y")
    net.output("y")
    let model = try read(net)
    guard case .float? = model["y", .weight]?.encoding else { return #expect(Bool(false), "no floats") }
    #expect(model.activations.isEmpty)
  }

  @Test func whatIsReadInFloatsTooIsRoundedApart() throws {
    var net = image()
    net.node("DequantizeLinear", ["xq", "xs", "xz"], "xd")
    net.node("Sub", ["x", "xd"], "y")
    net.output("y")
    let model = try read(net), answers = try outputs(model)
    #expect(model.activations["x"] == nil)
    #expect(answers.contains { $0 != 0 } && answers.allSatisfy { abs($0) <= 0.00501 })
  }

  @Test func rangesFoundWhileRunningStayThat() throws {
    var random = RandomNetworks(2)
    var builder = GraphBuilder(input: [6, 6, 3])
    builder.conv2d(filters: 4, kernel: 3, name: "conv")
    builder.flatten()
    builder.dense(5, name: "dense")
    let model = try random.withIntegerWeights(try random.model(try builder.graph()), symmetric: true)
    let back: Model = try inFolder { folder in
      try ONNXFile.write(model, to: folder + "/net.onnx")
      return try ONNXFile.read(folder + "/net.onnx")
    }
    guard case .integer? = back["conv", .weight]?.encoding, case .integer? = back["dense", .weight]?.encoding else {
      return #expect(Bool(false), "no integers")
    }
    #expect(try outputs(model) == outputs(back))
  }

  @Test func arithmeticOnIntegersIsRefused() throws {
    var net = image()
    net.node("Add", ["xq", "xq"], "y")
    net.output("y")
    #expect(failure(net).contains("computes with integers"))
    net = image()
    net.weight("other", [], [0.5])
    net.node("DequantizeLinear", ["xq", "other", "xz"], "y")
    net.output("y")
    #expect(failure(net).contains("reads integers of scale 0.01"))
  }

  @Test func damagedFilesOfIntegersAreErrors() throws {
    var random = SeededRandom(seed: 3)
    for bytes in [pairs().bytes, pairs(Self.uint8, zero: 128).bytes] {
      for _ in 0..<3000 {
        var damaged = bytes
        for _ in 0...random.below(3) { damaged[random.below(damaged.count)] = UInt8(random.below(256)) }
        try inFolder { folder in
          try Data(damaged).write(to: URL(fileURLWithPath: folder + "/net.onnx"))
          do { _ = try ONNXFile.read(folder + "/net.onnx") } catch {
            #expect(error is CompressError, "\(error)")
          }
        }
      }
    }
  }

  // MARK: Out

  /// The file of a model read again, as its messages.
  private func written(_ model: Model, _ options: ONNXFile.WriteOptions = .init()) throws -> ONNXGraphMessage {
    try inFolder { folder in
      try ONNXFile.write(model, to: folder + "/net.onnx", options)
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/net.onnx")))
      return try bytes.withUnsafeBytes { try #require(ONNXModelMessage(ByteReader($0)).graph) }
    }
  }

  @Test func inputsAndOutputsStayAsTheyCame() throws {
    var net = ONNXWriter()
    net.input("pixels", [nil, 5, 4, 2])
    net.input("size", [nil, 2, 1, 1])
    net.node("Transpose", ["pixels"], "image", ["perm": .integers([0, 3, 1, 2])])
    net.node("Mul", ["image", "size"], "scaled")
    net.node("Transpose", ["scaled"], "answer", ["perm": .integers([0, 2, 3, 1])])
    net.output("answer")
    net.output("scaled")
    let graph = try written(try read(net))
    func extents(_ value: ONNXValueMessage) -> [ONNXValueMessage.Extent] { value.shape ?? [] }
    #expect(graph.inputs.map(\.name) == ["pixels", "size"] && graph.outputs.map(\.name) == ["answer", "scaled"])
    #expect(extents(graph.inputs[0]) == [.dynamic("batch"), .fixed(5), .fixed(4), .fixed(2)])
    #expect(extents(graph.inputs[1]) == [.dynamic("batch"), .fixed(2), .fixed(1), .fixed(1)])
    #expect(extents(graph.outputs[0]) == [.dynamic("batch"), .fixed(5), .fixed(4), .fixed(2)])
    #expect(extents(graph.outputs[1]) == [.dynamic("batch"), .fixed(2), .fixed(5), .fixed(4)])
  }

  @Test func largeFilesHaveTheirWeightsBesideThem() throws {
    var random = RandomNetworks(1)
    let model = try random.model(try ValueNetworks.gated())
    var options = ONNXFile.WriteOptions()
    options.largestMessage = 3000
    try inFolder { folder in
      let path = folder + "/net.onnx"
      let bytes = try ONNXFile.write(model, to: path, options)
      #expect(try ModelFile.parts(path) == [path, path + ".data"])
      #expect(try ModelFile.parts(path).reduce(0) { $0 + (try Folders.size(ofFile: $1)) } == bytes)
      #expect(try outputs(model) == outputs(try ONNXFile.read(path)))
      options.limit = bytes - 1
      #expect(throws: CompressError.self) { try ONNXFile.write(model, to: path, options) }
    }
  }

  @Test func whatIsNotKeptIsSaid() throws {
    var builder = GraphBuilder(input: [4])
    builder.dense(3, name: "first")
    builder.dropout(0.5)
    builder.dense(2, name: "second")
    var model = try Model(initializing: try builder.graph(), seed: 1)
    try model.prune("first", by: Tensor([1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1] as [UInt8], [3, 4]))
    try model.setActivation(.levels(RoundingLevels([-1, 0, 2])), of: "first")
    var notes: [String] = [], options = ONNXFile.WriteOptions()
    options.note = { notes.append($0) }
    _ = try written(model, options)
    #expect(notes.count == 3)
    #expect(notes.contains { $0.contains("\"first\" to 3 values") } && notes.contains { $0.hasPrefix("masks of 1") })
    options.version = 22
    #expect(throws: CompressError.self) { try written(model, options) }
  }
}
