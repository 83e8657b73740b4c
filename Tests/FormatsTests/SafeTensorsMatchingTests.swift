import Diagnostics
import Foundation
import Network
import Tensors
import Testing

@testable import Formats

/// Orders of vectors, and names.
@Suite struct SafeTensorsMatchingTests {
  /// A file of float32 tensors, numbered values unless given.
  private func stored(_ tensors: [(name: String, shape: [Int])]) throws -> SafeTensorsFile {
    var header: [String] = [], data: [UInt8] = [], value: Float = 0
    for (name, shape) in tensors.sorted(by: { $0.name < $1.name }) {
      let start = data.count
      for _ in 0..<shape.reduce(1, *) {
        value += 1
        data += NativeFormat.littleEndian(value.bitPattern)
      }
      header.append(#""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(start),\#(data.count)]}"#)
    }
    return try safeTensorsFile(safeTensorsBytes(header: "{" + header.joined(separator: ",") + "}", data: data))
  }

  private func values(_ file: SafeTensorsFile, _ name: String) throws -> [Float] {
    try file.floats(#require(file.entries.first { $0.name == name })).array()
  }

  /// What a dense layer gives for an image, in PyTorch's order and in ours: the same.
  private func checkDense(_ graph: Graph, _ stored: SafeTensorsFile, _ places: [Int]) throws {
    let model = try stored.model(graph)
    let theirs = try values(stored, "d.weight"), ours: [Float] = model["d", .weight]!.values.array()
    let width = places.count
    #expect(theirs.count == ours.count && theirs.count == 3 * width)
    for row in 0..<3 {
      for (element, place) in places.enumerated() {
        #expect(ours[row * width + element] == theirs[row * width + place])
      }
    }
    // And back.
    let again = try safeTensorsFile(SafeTensorsFile.data(model))
    #expect(again.entries.map(\.name) == stored.entries.map(\.name))
    for entry in stored.entries {
      #expect(try values(again, entry.name) == values(stored, entry.name), "\(entry.name)")
    }
  }

  /// Of an image [2, 2, 3], element by element: the place in the order channel, row, column.
  private static let image = [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]

  @Test func batchNormsOfFlattenedImages() throws {
    var net = GraphBuilder(input: [2, 2, 3])
    net.flatten()
    net.batchNorm(name: "bn")
    net.activation(.relu)
    net.dense(3, name: "d")
    let norm = ["weight", "bias", "running_mean", "running_var"].map { (name: "bn." + $0, shape: [12]) }
    let weights = try stored(norm + [("d.weight", [3, 12]), ("d.bias", [3])])
    try checkDense(net.graph(), weights, Self.image)
    let model = try weights.model(net.graph())
    for (role, name) in [
      (ParameterRole.gamma, "weight"), (.beta, "bias"), (.mean, "running_mean"), (.variance, "running_var"),
    ] {
      let theirs = try values(weights, "bn." + name)
      #expect(model["bn", role]!.values.array(Float.self) == Self.image.map { theirs[$0] }, "\(name)")
    }
  }

  @Test func concatenatedVectors() throws {
    var net = GraphBuilder(input: [2, 2, 3])
    let a = net.flatten(from: "input"), b = net.globalAveragePool(from: "input"), c = net.flatten(from: "input")
    net.concat([a, b, c])
    net.dropout(0.5)
    net.dense(3, name: "d")
    let places = Self.image + [12, 13, 14] + Self.image.map { $0 + 15 }
    try checkDense(net.graph(), stored([("d.weight", [3, 27]), ("d.bias", [3])]), places)
  }

  @Test func sumsOfFlattenedImages() throws {
    var net = GraphBuilder(input: [2, 2, 3])
    let a = net.flatten(from: "input")
    let b = net.activation(.sigmoid, from: net.flatten(from: "input"))
    net.add(a, b)
    net.dense(3, name: "d")
    try checkDense(net.graph(), stored([("d.weight", [3, 12]), ("d.bias", [3])]), Self.image)
  }

  /// What no order of weights makes up for is refused, with the layer, in both directions.
  @Test func ordersThatDoNotAgreeAreRefused() throws {
    var residual = GraphBuilder(input: [2, 2, 3])
    let flat = residual.flatten()
    residual.dense(12, name: "d")
    residual.add(residual.last, flat, name: "sum")
    residual.dense(3, name: "e")
    var output = GraphBuilder(input: [2, 2, 3])
    output.conv2d(filters: 3, kernel: 1, name: "c")
    output.flatten(name: "flat")
    var shaped = GraphBuilder(input: [4])
    shaped.dense(12, name: "d")
    shaped.reshape([2, 2, 3], name: "image")
    shaped.conv2d(filters: 1, kernel: 1, name: "c")
    for (net, layer) in [(residual, "sum"), (output, "flat"), (shaped, "image")] {
      let model = try Model(initializing: net.graph(), seed: 1)
      for text in [
        message { _ = try SafeTensorsFile.data(model) }, message { try stored([("x", [1])]).check(net.graph()) },
      ] {
        #expect(text.hasPrefix("layer \"\(layer)\": "), "\(text)")
      }
    }
    // Of one channel, or one pixel, both orders are one.
    var single = GraphBuilder(input: [1, 1, 3])
    let one = single.flatten()
    single.dense(3, name: "d")
    single.add(single.last, one)
    _ = try SafeTensorsFile.data(Model(initializing: single.graph(), seed: 1))
  }

  /// What became of the names, and what is said.
  private func match(
    _ names: [String], _ wanted: Set<String> = ["c.weight", "d.weight"], _ rules: NameRules = NameRules()
  ) throws -> (names: [String: String], notes: [String]) {
    let found = try TensorNames(names, wanted: wanted, rules)
    return (found.inNetwork, found.notes)
  }

  @Test(arguments: [
    "module.", "_orig_mod.", "model.", "net.", "state_dict.", "state_dict.model._orig_mod.", "any.thing.",
  ])
  func prefixesAreDropped(_ prefix: String) throws {
    let found = try match([prefix + "c.weight", prefix + "d.weight", prefix + "d.num_batches_tracked"])
    #expect(found.names == [prefix + "c.weight": "c.weight", prefix + "d.weight": "d.weight"])
    #expect(found.notes == ["\"\(prefix)\" before the names in the file is dropped"])
  }

  @Test func trainingStateIsPassedOver() throws {
    let swa = try match(["n_averaged", "module.c.weight", "module.d.weight"])
    #expect(swa.names.count == 2)
    #expect(swa.notes.last == "passed over, as no weights of the network: \"n_averaged\"")
    let all = try match([
      "model.c.weight", "model.d.weight", "model_ema.c.weight", "model_ema.d.weight", "optimizer.state.0.exp_avg",
      "optimizer.state.1.exp_avg", "epoch", "lr_scheduler.last",
    ])
    #expect(all.names == ["model.c.weight": "c.weight", "model.d.weight": "d.weight"])
    #expect(
      all.notes == [
        "\"model.\" before the names in the file is dropped",
        "passed over, as no weights of the network: \"epoch\", \"lr_scheduler.*\", \"model_ema.*\" (2), \"optimizer.*\" (2)",
      ])
    // An average alone is what there is.
    #expect(try match(["ema.c.weight", "ema.d.weight"]).names.count == 2)
    // A network may have a layer of that name.
    #expect(try match(["ema.weight"], ["ema.weight"]).names == ["ema.weight": "ema.weight"])
    #expect(try match(["c.weight", "d.weight"]).notes == [])
    // Names under the network's own are its own affair.
    let nested = try match(["0.weight", "1.0.weight", "1.1.weight"], ["0.weight", "1.0.weight", "1.1.weight"])
    #expect(nested.names.count == 3 && nested.notes == [])
  }

  @Test func severalNetworksInOneFile() throws {
    let names = ["a.c.weight", "a.d.weight", "b.c.weight", "b.d.weight"]
    #expect(
      message { _ = try match(names) } == """
        has the network's weights 2 times, under "a.", "b."
          hint: ignore = { "b.*" } leaves some out
        """)
    let found = try match(names, ["c.weight", "d.weight"], NameRules(ignore: ["a.*"]))
    #expect(found.names == ["b.c.weight": "c.weight", "b.d.weight": "d.weight"])
  }

  @Test func rulesOfTheScript() throws {
    let found = try match(
      ["backbone.0.weight", "head.weight", "aux.weight", "aux.bias"], ["c.weight", "d.weight"],
      NameRules(ignore: ["aux.*"], rename: [("backbone.0.*", "c.*"), ("head.weight", "d.weight")]))
    #expect(found.names == ["backbone.0.weight": "c.weight", "head.weight": "d.weight"])
    // Beside a prefix, and the longest pattern first.
    let mixed = try match(
      ["module.c.weight", "module.fc.weight"], ["c.weight", "d.weight"],
      NameRules(rename: [("*", "x.*"), ("module.fc.*", "d.*"), ("module.c.weight", "c.weight")]))
    #expect(mixed.names == ["module.c.weight": "c.weight", "module.fc.weight": "d.weight"])
    #expect(
      message { _ = try match(["c.weight", "d.weight"], ["c.weight"], NameRules(ignore: ["d.wieght"])) }
        == "ignore: no tensor matches \"d.wieght\" (did you mean \"d.weight\"?)")
    #expect(
      message { _ = try match(["c.weight"], ["c.weight"], NameRules(rename: [("x.*", "c.*")])) }
        .hasPrefix("rename: no tensor matches \"x.*\""))
    var net = GraphBuilder(input: [1])
    net.dense(1, bias: false, name: "d")
    let two = try stored([("a.weight", [1, 1]), ("b.weight", [1, 1])])
    #expect(
      message { try two.check(net.graph(), rules: NameRules(rename: [("a.*", "d.*"), ("b.*", "d.*")])) }
        == "tensors \"a.weight\" and \"b.weight\" would both be \"d.weight\"")
    #expect(
      message { try two.check(net.graph()) } == """
        its 2 tensors are not the 1 of the network:
          1 missing: "d.weight" [1, 1]; "a.weight" is there
          2 without a place: "a.weight" [1, 1], "b.weight" [1, 1]
          hint: rename = { ["name in the file"] = "name in the network" }, ignore = { "name" }; * stands for anything
        """)
  }

  /// Constants are called as their layers and keep their shapes; the pixels of an image may become tokens, whose channels
  /// are theirs, and nothing else.
  @Test func constantsAndTokens() throws {
    var net = GraphBuilder(input: [4, 6, 3])
    net.conv2d(filters: 5, kernel: 2, stride: 2, name: "patches")
    let tokens = net.reshape([6, 5])
    net.constant([1, 1, 5], isTrained: true, name: "token")
    let token = net.reshape([1, 5])
    let pixels = net.reshape([2, 3, 5], from: tokens)
    let again = net.reshape([6, 5], from: pixels)
    let joined = net.concat([token, again], axis: 0)
    let positions = net.constant([7, 5], name: "positions")
    net.add(joined, positions)
    net.flatten()
    net.dense(2, name: "head")
    let model = try Model(initializing: net.graph(), seed: 3)
    let written = try safeTensorsFile(SafeTensorsFile.data(model))
    let shapes = Dictionary(uniqueKeysWithValues: written.entries.map { ($0.name, $0.shape) })
    #expect(
      shapes == [
        "patches.weight": [5, 3, 2, 2], "patches.bias": [5], "token": [1, 1, 5], "positions": [7, 5],
        "head.weight": [2, 35], "head.bias": [2],
      ])
    #expect(difference(model, try written.model(model.graph)) == nil)

    for shape in [[5, 6], [3, 2, 5], [2, 15]] as [Shape] {
      var other = GraphBuilder(input: [4, 6, 3])
      other.conv2d(filters: 5, kernel: 2, stride: 2)
      other.reshape(shape, name: "other")
      other.flatten()
      other.dense(2)
      let message = message { _ = try SafeTensorsFile.data(Model(initializing: other.graph(), seed: 3)) }
      #expect(message.contains("layer \"other\"") && message.contains("in another order"), "\(shape): \(message)")
    }
  }

  /// Files of other programs say what they are, not how long a header would be.
  @Test func foreignFilesAreTold() throws {
    let files: [(bytes: [UInt8], name: String)] = [
      ([0x08, 0x08, 0x12, 0x07] + Array("pytorch".utf8), "an ONNX model"),
      ([0x1C, 0, 0, 0] + Array("TFL3".utf8) + [0x14, 0, 0x20, 0], "a TensorFlow Lite model"),
      (Array("version https://git-lfs.github.com/spec/v1\noid sha256:1\n".utf8), "the pointer that Git LFS leaves"),
      (Array("\n<!DOCTYPE html>\n<html>".utf8), "an HTML page"),
      ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], "compressed with gzip"),
      (Array("{\"metadata\":{\"total_size\":1},\"weight_map\":{}}".utf8), "the index of weights"),
      (Array("404: Not Found".utf8), "a text that starts with \"404: Not Found\""), ([], "an empty file"),
    ]
    for (bytes, name) in files {
      #expect(message { _ = try safeTensorsFile(bytes) }.hasPrefix("is \(name)"), "\(name)")
      // Where a network is asked for, one of those is read.
      guard !name.contains("TensorFlow Lite") else { continue }
      try withTemporaryFile("x.safetensors") { path in
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let text = message { _ = try ModelFile.read(path) }
        #expect(text.contains(": is \(name)") && !text.contains("header of"), "\(text)")
      }
    }
    #expect(message { _ = try safeTensorsFile(NativeFormat.data(fileNetwork())) }.hasPrefix("is a native model file (.cmpr), not"))
  }
}
