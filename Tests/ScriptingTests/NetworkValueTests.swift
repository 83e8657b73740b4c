import Diagnostics
import Foundation
import Network
import Testing

@testable import Scripting

/// Networks of values: several inputs and outputs, constants, shared parameters.
@Suite struct NetworkValueTests {
  /// An image and a vector, a layer at two places, a constant that is trained and one that is not, three outputs of
  /// which one is read again.
  static let definition = """
    local image, side = net.input({ 4, 4, 1 }, { name = "image" }), net.input({ 6 }, { name = "side" })
    local shifted = side + net.constant(tensor.of { 0.5, -0.5, 0, 0, 0, 0 }, { name = "shift" })
    local trained = net.constant(tensor.zeros { 5 } + 0.25, { trained = true, name = "moved" })
    local wide = net.dense(8, { name = "wide" })(net.dense(5)(shifted) + trained)
    local same = net.shared(net.sequential { net.conv(8, 3, { name = "twin" }), net.relu() })
    local features = same(same(net.conv(8, 3, { name = "stem" })(image)))
    local both = net.relu()(features * net.sigmoid()(wide))
    local pooled = net.concat { net.global_average_pool()(both), wide }
    local scores = net.dense(3, { name = "scores" })(pooled)
    local model = net.model {
      name = "two", inputs = { image, side },
      outputs = { scores, net.dense(2, { name = "extra" })(pooled), net.dense(4, { name = "more" })(scores) },
    }

    """

  @Test func valuesMakeAGraph() throws {
    let graph = try #require(run(Self.definition, compute: false).outcome.stages.first).graph
    #expect(graph.inputs == ["image", "side"] && graph.outputs == ["scores", "extra", "more"])
    #expect(graph["twin"]?.sharing == nil && graph["twin_2"]?.sharing == "twin")
    #expect(graph["add_1"]?.inputs == ["side", "shift"] && graph["add_2"]?.inputs == ["dense_1", "moved"])
    #expect(graph.outputShapes == [[3], [2], [4]] && graph.inputShape == [22])
    #expect(graph["moved"]?.op == .constant(Constant([5], isTrained: true)))
  }

  @Test func constantsHaveTheirValues() throws {
    let result = try run(Self.definition)
    let model = try result.executor.model(of: #require(result.outcome.stages.first))
    #expect(model["shift", .constant]?.values.array(Float.self) == [0.5, -0.5, 0, 0, 0, 0])
    #expect(model["moved", .embedding]?.values.array(Float.self) == [Float](repeating: 0.25, count: 5))
    let other = try run(Self.definition.replacingOccurrences(of: "0.25", with: "0.5"), compute: false)
    #expect(other.outcome.stages.first?.key.digest != result.outcome.stages.first?.key.digest)
  }

  /// All the way of a pipeline.
  @Test func itIsTrainedPrunedQuantizedAndSaved() throws {
    let folder = try ScriptFolder()
    try Self.samples(90).write(to: URL(fileURLWithPath: folder.path + "/x.npy"))
    try Self.array("<i8", shape: "(90,)", (0..<90).map { Int64($0 % 3) })
      .write(to: URL(fileURLWithPath: folder.path + "/y.npy"))
    let out = folder.path
    let script =
      Self.definition + """
        local samples = data.numpy("x.npy", { labels_file = "y.npy" })
        local trained = train(model, { data = samples, epochs = 12, batch = 10, learning_rate = 0.01 })
        local pruned = prune(trained, use "filter_l1" {}, { sparsity = 0.4 })
        local tuned = train(pruned, { data = samples, epochs = 4, batch = 10, learning_rate = 0.005 })
        local small = quantize(tuned, use "int8" { calibration = samples:take(40) })
        print(evaluate(trained, samples).accuracy, evaluate(tuned, samples).accuracy, evaluate(small, samples).accuracy)
        local alone = train(pruned, { data = samples, epochs = 6, batch = 10, learning_rate = 0.005,
                                      distill = { teacher = trained, labels = false, loss = "absolute" } })
        print(evaluate(alone, samples).accuracy)
        local before, after = agreement(trained, pruned, { data = samples }), agreement(trained, alone, { data = samples })
        assert(#after.outputs == 3 and after.outputs[2].name == "extra" and after.count == 90)
        assert(after.cosine > before.cosine and after.outputs[1].same > 0.9, after.cosine .. " " .. before.cosine)
        local own = agreement(trained, trained, { data = samples })
        assert(own.cosine == 1 and own.outputs[3].same == 1 and own.outputs[3].sqnr == nil and own.outputs[3].max == 0)
        print(pruned:cost().parameters < trained:cost().parameters)
        small:save "small.cmpr"
        print(evaluate(load_model "small.cmpr", samples).accuracy)
        local x = tensor.zeros { 2, 22 } + 0.5
        print(table.concat(compile(load_model "small.cmpr"):run(x):shape(), " "))
        """
    let result = try run(script, in: folder, out: out)
    let accuracies = result.printed[0].split(separator: "\t").compactMap { Double($0) }
    #expect(accuracies.count == 3 && accuracies.allSatisfy { $0 > 0.9 }, "\(result.printed)")
    // All three outputs, of the teacher alone.
    #expect(Double(result.printed[1]).map { $0 > 0.9 } == true, "\(result.printed)")
    #expect(result.printed[2] == "true")
    #expect(Double(result.printed[3]) == accuracies[2])
    #expect(result.printed[4] == "2 9")
  }

  /// Three kinds of samples, told by the image and by the vector.
  private static func samples(_ count: Int) -> Data {
    var values: [Float] = []
    for sample in 0..<count {
      let kind = sample % 3
      for pixel in 0..<16 { values.append((pixel / 4 == kind ? 1 : 0) + 0.02 * Float((sample * 7 + pixel * 5) % 11)) }
      for place in 0..<6 { values.append(place == kind ? 1 : 0.03 * Float((sample * 3 + place) % 7)) }
    }
    return array("<f4", shape: "(\(count), 22)", values)
  }

  /// A NumPy file of the values as they lie in memory.
  private static func array<T>(_ type: String, shape: String, _ values: [T]) -> Data {
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: 63 - (header.utf8.count + 10) % 64) + "\n"
    var length = UInt16(header.utf8.count).littleEndian
    return Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0]) + Data(bytes: &length, count: 2) + Data(header.utf8)
      + values.withUnsafeBytes { Data($0) }
  }

  @Test(arguments: [
    ("net.input { 4 } + 1", 1, nil),
    ("net.model { inputs = { a }, outputs = {} }", 2, "net.model: inputs and outputs are lists of at least one value"),
    (
      "net.model { inputs = { a }, outputs = { net.relu()(net.input { 4 }) } }", 2,
      "net.model: an output is made of an input that is not among the inputs"
    ),
    ("net.model { inputs = { a, a }, outputs = { a } }", 2, "net.model: one of the inputs is listed twice"),
    ("net.model { input = { 4 }, outputs = { a } }", 2, "net.model: outputs are made of values"),
    ("net.model { inputs = { a }, outputs = { net.relu()(a, a) } }", 2, "relu takes 1 values, not 2"),
    ("net.model { inputs = { net.relu()(a) }, outputs = { a } }", 2, "net.model: inputs are made by net.input"),
    (
      "net.model { input = { 2, 2, 1 }, net.tile { 60000, 60000, 1 } }", 2,
      "its output of shape [120000, 120000, 1] has more than 33554432 elements"
    ),
    ("net.model { input = { 4 }, net.slice(1, 3, 9) }", 2, "elements 3 to 9 of axis 1 of shape [4]"),
    ("net.gather(0, { 1 })", 2, "0: axes and indices count from 1"),
    ("net.conv_transposed(4, 3, { padding = 7 })", 2, "padding 7x7 of a transposed convolution with a kernel of 3x3"),
    ("net.relu()(3)", 2, "Value"), ("net.relu()()", 2, "a block is called with the values it takes"),
    ("a + 'x'", 2, "a Value or a number"),
    (
      "net.model { inputs = { a }, outputs = { net.shared(net.sequential {})(a), net.relu { name = 'input' }(a) } }", 2,
      "two layers have this name"
    ),
    (
      "(function() local v = a for i = 1, 5000 do v = net.relu()(v) end end)()", 2,
      "blocks follow each other; the limit is 4096"
    ),
  ] as [(String, Int, String?)])
  func mistakesAreExplained(text: String, line: Int, message: String?) {
    let error = failure("local a = net.input { 4 }\nlocal x = \(text)")
    guard let message else { return #expect(error == nil) }
    #expect(error?.message.contains(message) == true, "\(error.map { "\($0)" } ?? "no error")")
    #expect(error?.script != nil)
  }
}
