import CPacked
import Diagnostics
import Files
import Foundation
import Network
import TestSupport
import Tensors
import Testing

@testable import Formats

@Suite struct PackedFormatTests {
  /// What was packed, unpacked, is the same native file.
  private func check(_ model: Model, _ what: String) throws {
    let native = try NativeFormat.data(model)
    for isFast in [false, true] {
      let packed = try PackedFormat.data(model, PackedFormat.Options(isFast: isFast))
      let back = try PackedFormat.read(packed)
      #expect(difference(back, model) == nil, "\(what)")
      #expect(try NativeFormat.data(back) == native, "\(what)")
      #expect(try PackedFormat.data(back, PackedFormat.Options(isFast: isFast)) == packed, "\(what)")
    }
  }

  @Test func everythingComesBack() throws {
    try check(everythingModel(), "everything")
    try check(labInt8(), "int8")
    try check(labInt8(sparsity: 0.8), "sparse")
    try check(Model(initializing: Graph([Node("only", .input(Input([3])))], output: "only"), seed: 1), "nothing")
  }

  @Test func randomNetworks() throws {
    for seed in 0..<20 {
      var random = RandomNetworks(seed)
      var model = try random.model(random.graph(layers: 6, batchNorm: seed % 2 == 0))
      if seed % 3 == 1 { model = try random.withIntegerWeights(model) }
      if seed % 6 == 1 {
        for value in model.graph.values {
          try model.setActivation(ActivationQuantization(low: -1.5, high: Float(seed)), of: value)
        }
        model = try random.withIntegerBiases(model)
      }
      try check(model, "seed \(seed)")
    }
  }

  @Test(arguments: OperatorNetwork.all) func everyOperator(_ network: OperatorNetwork) throws {
    var random = RandomNetworks(5)
    try check(try random.model(network.graph), network.name)
  }

  /// Each network of the zoo, as small as it can be: floats, halves, codes, and integers of which most are zero.
  @Test(arguments: Zoo.entries.map(\.name)) func everyNetwork(_ name: String) throws {
    let entry = try Zoo.entry(name)
    var options = entry.defaults
    if options.input.rank == 3, options.input[0] > 75 {
      options.input = name.hasPrefix("inception") ? [75, 75, 3] : [32, 32, 3]
    }
    options.classes = 4
    if entry.options.contains(.width) { options.width = 0.0625 }
    let graph = try entry.graph(options)
    var model = try Model(initializing: graph, entry.initialization, seed: 1)
    try check(model, "\(name), float32")
    for (index, layer) in model.weightLayers.enumerated() {
      let weight = model[layer, .weight]!.values
      switch index % 4 {
      case 0: try model.set(Parameter(.float(weight.converted(to: .bfloat16))), layer, .weight)
      case 1: try model.set(Parameter(.float(weight.converted(to: .float16))), layer, .weight)
      case 2:
        let levels = try RoundingLevels([-0.5, -0.25, -0.0625, 0, 0.0625, 0.125, 0.5])
        try model.set(Parameter(.codes(CodedValues(weight, levels: levels))), layer, .weight)
      default: try model.set(Parameter(.integer(quantized(Self.sparse(weight), bits: 4))), layer, .weight)
      }
    }
    try check(model, "\(name), mixed")
  }

  /// Of a table of whole steps only the step is written; one that is off by a rounding stands as it is.
  @Test func tablesOfStepsAreOneNumber() throws {
    let entry = try Zoo.entry("lab_cnn")
    var model = try Model(initializing: entry.graph(entry.defaults), entry.initialization, seed: 1), uneven = model
    for layer in model.weightLayers {
      let weight = model[layer, .weight]!.values, shape = weight.shape
      let levels = weight.array(Float.self).map { Int8(max(-100, min(120, $0 * 300)).rounded()) }
      let coded = try CodedValues(levels: Tensor(levels, shape), step: 0.003)
      #expect(coded.steps?.step == 0.003 && coded.table[coded.steps!.zero] == 0)
      #expect(coded.decoded.array(Float.self) == levels.map { Float($0) * 0.003 })
      try model.set(Parameter(.codes(coded)), layer, .weight)
      var table = coded.table
      table[0] = table[0].nextDown
      let other = try CodedValues(codes: coded.codes, table: table)
      #expect(other.steps == nil)
      try uneven.set(Parameter(.codes(other)), layer, .weight)
    }
    try check(model, "steps")
    try check(uneven, "no steps")
    #expect(try PackedFormat.byteCount(model) + 200 < PackedFormat.byteCount(uneven))
    let cases: [([Int8], Float)] = [([0, 0, 0], 1), ([0, -1, 0], 0.5), ([3, 0, 127], 1e-3), ([-127, 127, 1], 2)]
    for (levels, step) in cases {
      let coded = try CodedValues(levels: Tensor(levels), step: step)
      #expect(coded.decoded.array(Float.self) == levels.map { Float($0) * step })
      #expect(coded.steps.map { $0.step == step } ?? (coded.table == [0]))
    }
  }

  /// The weight with the smallest four of five set to zero.
  private static func sparse(_ weight: Tensor) throws -> Tensor {
    let magnitudes = weight.applying(.abs)
    var search = try ThresholdSearch.smallest(weight.count * 4 / 5) { try $0(magnitudes) }
    return try weight.applying(.mul, search.taken(from: magnitudes).negated())
  }

  /// int8, of whose weights one in five is left.
  private static func sparseInt8(_ entry: Zoo.Entry, _ graph: Graph) throws -> Model {
    var model = try Model(initializing: graph, entry.initialization, seed: 1)
    for layer in model.weightLayers {
      let integers = try quantized(sparse(model[layer, .weight]!.values))
      try model.set(Parameter(.integer(integers), mask: Encoding.integer(integers).nonzeroMask), layer, .weight)
    }
    return model
  }

  /// Weights without any order take what their frequencies alone would ask for and at most 2 % more, and some bytes
  /// where they are few, for what they are like has to be learned; fast to open they take 5 % more than that at most.
  @Test(arguments: ["lab_cnn", "resnet8", "resnet20", "lenet_300_100", "mobilenet_v1", "squeezenet1_1"])
  func sparseIntegersAreSmall(_ name: String) throws {
    let entry = try Zoo.entry(name)
    let model = try Self.sparseInt8(entry, entry.graph(entry.defaults))
    try withTemporaryFile("model.cmpz") { path in
      let size = try ModelFile.write(model, to: path)
      let costs = try PackedFormat.costs(path).filter { $0.role == "weight" }
      #expect(costs.map(\.layer) == model.weightLayers)
      let bits = costs.reduce(0) { $0 + Double($1.bits) }, entropy = costs.reduce(0) { $0 + $1.entropy }
      #expect(bits <= 1.02 * entropy + 8 * 32, "\(name): \(bits / entropy)")
      #expect(try PackedFormat.byteCount(model, PackedFormat.Options(isFast: true)) <= size * 105 / 100, "\(name)")
      let native = try NativeFormat.data(model)
      #expect(try native.withUnsafeBytes { try Gzip.compressedSize(of: $0) } * 85 / 100 >= size, "\(name)")
    }
  }

  /// What has no order is not paid for by models that find none: the smallest is not larger than what opens fast.
  @Test(arguments: ["lenet5", "ds_cnn"]) func whatHasNoOrderStandsApart(_ name: String) throws {
    let entry = try Zoo.entry(name)
    var model = try Model(initializing: entry.graph(entry.defaults), entry.initialization, seed: 1)
    for layer in model.weightLayers {
      try model.set(Parameter(.integer(quantized(model[layer, .weight]!.values))), layer, .weight)
    }
    try check(model, name)
    let bytes = try PackedFormat.byteCount(model)
    #expect(try bytes <= PackedFormat.byteCount(model, PackedFormat.Options(isFast: true)))
    try withTemporaryFile("model.cmpz") { path in
      try ModelFile.write(model, to: path)
      let weights = try PackedFormat.costs(path).filter { $0.role == "weight" && $0.elements >= 4096 }
      #expect(!weights.isEmpty)
      for cost in weights { #expect(Double(cost.bits) < 1.02 * cost.entropy, "\(cost.layer ?? "")") }
    }
  }

  @Test func aSmallNetworkHasASmallDescription() throws {
    let model = try labInt8(sparsity: 0.8)
    try withTemporaryFile("model.cmpz") { path in
      let size = try ModelFile.write(model, to: path)
      let bits = try PackedFormat.costs(path).reduce(0) { $0 + $1.bits }
      #expect(size - bits / 8 < 120, "\(size) bytes, \(bits / 8) of them numbers")
      let back = try ModelFile.read(path)
      #expect(difference(back, model) == nil)
      // Tensors live on when the file is replaced.
      try PackedFormat.write(everythingModel(), to: path)
      #expect(difference(back, model) == nil)
    }
  }

  /// What is known beforehand is not written: numbers that are all alike, and scales that follow from others.
  @Test func whatFollowsTakesNothing() throws {
    let entry = try Zoo.entry("resnet8")
    var zeros = try Model(initializing: entry.graph(entry.defaults), seed: 1)
    for (layer, role, parameter) in zeros.allParameters {
      try zeros.set(Parameter(Tensor(zeros: parameter.shape)), layer, role)
    }
    #expect(try PackedFormat.data(zeros).count < 1500)
    #expect(try difference(PackedFormat.read(PackedFormat.data(zeros)), zeros) == nil)
    var model = try labInt8(sparsity: 0.8)
    let other = try PackedFormat.data(model)
    for layer in model.weightLayers {
      guard case .integer(let weight)? = model[layer, .weight]?.encoding, let node = model.graph[layer],
        case .affine(let input)? = model.activations[node.inputs[0]]
      else { continue }
      let bias = try IntegerValues(
        values: Tensor(zeros: [weight.values.shape[0]], dtype: .int32), scales: weight.scales.map { input.scale * $0 },
        bits: 32)
      try model.set(Parameter(.integer(bias)), layer, .bias)
    }
    #expect(try PackedFormat.data(model).count <= other.count - 22 * 2)
    #expect(try difference(PackedFormat.read(PackedFormat.data(model)), model) == nil)
  }

  /// Streams are cut by numbers alone: one thread writes and reads what several do.
  @Test func theSameBytesOnAnyNumberOfThreads() throws {
    var net = GraphBuilder(input: [1500])
    net.dense(1100, name: "large")
    net.dense(700, name: "middle")
    net.dense(3, name: "small")
    var model = try Model(initializing: net.graph(), seed: 2)
    for layer in model.weightLayers {
      try model.set(Parameter(.integer(quantized(Self.sparse(model[layer, .weight]!.values)))), layer, .weight)
    }
    var options = PackedFormat.Options()
    options.threads = 1
    let one = try PackedFormat.data(model, options)
    for threads in [2, 3, 8] {
      options.threads = threads
      #expect(try PackedFormat.data(model, options) == one)
      #expect(try difference(PackedFormat.read(one, threads: threads), model) == nil)
    }
    var heard: [Int] = [], total = 0
    options.progress = {
      heard.append($0)
      total = $1
    }
    #expect(try PackedFormat.data(model, options) == one)
    #expect(heard == heard.sorted() && heard.last == total && total > model.graph.inputShape.count * 1100)
  }

  /// Each zero point belongs to a row: of vectors, too.
  @Test func zeroPointsOfRows() throws {
    var net = GraphBuilder(input: [3, 3, 4])
    net.conv2d(filters: 3, kernel: 2, name: "conv")
    net.add(.prelu(PReLU()), [net.last], name: "slopes")
    var model = try Model(initializing: net.graph(), seed: 2)
    let points: [Int8] = [-128, 0, 127]
    func integers(_ shape: Shape) throws -> IntegerValues {
      let values = (0..<shape.count).map { Int8(truncatingIfNeeded: $0 * 37) }
      return try IntegerValues(values: Tensor(values, shape), scales: [1, 2, 3], zeroPoints: points, bits: 8)
    }
    try model.set(Parameter(.integer(integers([3, 2, 2, 4]))), "conv", .weight)
    try model.set(Parameter(.integer(integers([3]))), "slopes", .slope)
    try check(model, "zero points")
  }

  @Test func theLayoutIsAsDocumented() throws {
    let file = try PackedFormat.data(labInt8(sparsity: 0.8))
    #expect(Array(file[..<5]) == [0x89, 0x43, 0x4D, 0x5A, 1])
    var head = cp_head()
    #expect(cp_open(file, file.count, &head) == Int32(cp_ok))
    // One stream of all there is: its coding, two numbers, and the head's checksum.
    #expect(head.streams == 1 && file[Int(head.entries_offset)] == UInt8(cp_mixed))
    var checksum = Crc32()
    let end = Int(head.text_offset) - 4
    file[..<end].withUnsafeBytes { checksum.add($0) }
    #expect(Array(file[end..<end + 4]) == NativeFormat.littleEndian(checksum.value))
    var text = [UInt8](repeating: 0, count: Int(head.text_size))
    PackedFormat.withWorkspace(cp_text_workspace(text.count)) { workspace in
      file.withUnsafeBufferPointer {
        cp_text_decode(&text, text.count, workspace, $0.baseAddress! + Int(head.text_offset), Int(head.text_coded))
      }
    }
    let description = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
    let parameters = try #require(description["parameters"] as? [[String: Any]])
    #expect(parameters.count == 4 && parameters[0]["type"] as? String == "int8")
    #expect(parameters[0]["mask"] as? String == "nonzero" && parameters[0]["scales"] as? String == "each")
  }

  @Test func optionsOfOtherFormats() throws {
    var options = ModelFile.WriteOptions()
    options.isFast = true
    #expect(message { try ModelFile.checkName("a.cmpr", options) } == "fast is for .cmpz files")
    try ModelFile.checkName("a.cmpz", options)
    options.limit = 100
    try withTemporaryFile("model.cmpz") { path in
      #expect(message { _ = try ModelFile.write(labInt8(), to: path, options) }.contains("more than the 100 bytes"))
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }
}
