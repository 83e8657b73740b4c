import Diagnostics
import Files
import Foundation
import Network
import TestSupport
import Tensors
import Testing

@testable import Formats

@Suite struct ONNXTests {
  private func numbers(_ count: Int) -> [Float] { (0..<count).map { Float($0 * 7 % 13) - 6 } }

  private func read(_ writer: ONNXWriter, _ options: ONNXFile.Options = .init()) throws -> Model {
    var model: Model?
    try withTemporaryFile("net.onnx") { path in
      try Data(writer.bytes).write(to: URL(fileURLWithPath: path))
      model = options.inputShapes.isEmpty ? try ModelFile.read(path) : try ONNXFile.read(path, options)
    }
    return try #require(model)
  }

  private func kinds(_ model: Model) -> [String] { model.graph.nodes.map(\.op.spec.name) }

  /// A network of images, as exporters write it.
  private func small() -> ONNXWriter {
    var net = ONNXWriter()
    net.input("x", [nil, 2, 5, 4])
    net.weight("w", [3, 2, 3, 3], numbers(54))
    net.weight("b", [3], [1, 2, 3])
    net.node("Conv", ["x", "w", "b"], "conv", ["pads": .integers([1, 1, 1, 1]), "kernel_shape": .integers([3, 3])])
    for (name, value) in [("scale", 2), ("shift", 1), ("mean", 0.5), ("var", 4)] as [(String, Float)] {
      net.weight(name, [3], [value, value, value])
    }
    net.node("BatchNormalization", ["conv", "scale", "shift", "mean", "var"], "norm")
    net.node("Relu", ["norm"], "relu")
    net.node("MaxPool", ["relu"], "pool", ["kernel_shape": .integers([2, 2]), "strides": .integers([2, 2])])
    net.node("Flatten", ["pool"], "flat")
    net.weight("fc", [4, 12], numbers(48))
    net.node("Gemm", ["flat", "fc"], "scores", ["transB": .integer(1)])
    net.output("scores")
    return net
  }

  /// What nobody here knows at a network's end is left out when asked for, and what it takes becomes an output.
  @Test func unknownTails() throws {
    var net = small()
    net.domains = ["my.boxes"]
    net.outputs = []
    net.node("Softmax", ["scores"], "shares")
    net.node("Decode", ["relu", "scores"], "boxes", domain: "my.boxes")
    net.node("Sigmoid", ["boxes"], "sure")
    net.node("NonMaxSuppression", ["sure", "x"], "kept")
    for output in ["shares", "kept", "boxes"] { net.output(output) }
    let known = message { _ = try read(net) }
    #expect(known.contains("the operator Decode of the domain my.boxes is not supported"))
    try withTemporaryFile("net.onnx") { path in
      try Data(net.bytes).write(to: URL(fileURLWithPath: path))
      let notes = Notes()
      let model = try ModelFile.read(path, ModelFile.ReadOptions(allowsUnknown: true) { notes.texts.append($0) })
      #expect(model.signature.interface?.outputs.map(\.name) == ["shares", "relu", "scores"])
      #expect(model.graph.shape(of: model.graph.outputs[1]) == [5, 4, 3])
      #expect(
        notes.texts == [
          "3 nodes are left out, of operators that are not known or behind them: Decode, NonMaxSuppression, Sigmoid",
          "the network's outputs are now shares, relu, scores",
        ])
      // The same layers compute the same.
      #expect(model["conv", .weight]?.values.count == 54)
    }
    // Whose first operator is not known has nothing left; what is known is no tail.
    var other = ONNXWriter()
    other.input("x", [nil, 4])
    other.node("Mystery", ["x"], "y")
    other.output("y")
    var options = ONNXFile.Options()
    options.allowsUnknown = true
    try withTemporaryFile("net.onnx") { path in
      try Data(other.bytes).write(to: URL(fileURLWithPath: path))
      #expect(message { _ = try ONNXFile.read(path, options) }.contains("nothing is left in front of"))
      try Data(small().bytes).write(to: URL(fileURLWithPath: path))
      #expect(try difference(ONNXFile.read(path, options), ONNXFile.read(path)) == nil)
    }
    try withTemporaryFile { path in
      try ModelFile.write(fileNetwork(), to: path)
      #expect(
        message { _ = try ModelFile.read(path, ModelFile.ReadOptions(allowsUnknown: true)) }
          .contains("can be left out of ONNX files"))
    }
  }

  /// `@unchecked Sendable`: a reader calls on the thread that called it.
  private final class Notes: @unchecked Sendable {
    var texts: [String] = []
  }

  @Test func imagesAreHeldWithTheirChannelsLastAndNothingIsTransposed() throws {
    let model = try read(small())
    #expect(model.graph.inputShape == [5, 4, 2])
    #expect(kinds(model) == ["input", "conv2d", "batch_norm", "relu", "pool2d", "reshape", "dense"])
    #expect(
      model.signature.interface
        == ModelInterface(
          format: "onnx", inputs: [ModelInterface.Value("x", name: "x", order: [1, 2, 0])],
          outputs: [ModelInterface.Value("scores", name: "scores", order: [0])]))
    // OIHW became OHWI.
    let weight: [Float] = model["conv", .weight]!.values.array()
    let file = numbers(54)
    for index in 0..<54 {
      let (o, y, x, i) = (index / 18, index / 6 % 3, index / 2 % 3, index % 2)
      #expect(weight[index] == file[((o * 2 + i) * 3 + y) * 3 + x])
    }
    // The dense layer reads pixel after pixel, the file's channel after channel.
    let dense: [Float] = model["scores", .weight]!.values.array(), fc = numbers(48)
    for index in 0..<48 {
      let (unit, pixel, channel) = (index / 12, index / 3 % 4, index % 3)
      #expect(dense[index] == fc[unit * 12 + channel * 4 + pixel])
    }
  }

  @Test func whatIsWrittenOutBecomesOneLayerUnlessSomebodyReadsItsParts() throws {
    func hardSwish(alsoOut: String?) throws -> [String] {
      var net = ONNXWriter()
      net.input("x", [1, 2, 3, 3])
      let numbers: [(String, Float)] = [("three", 3), ("zero", 0), ("six", 6)]
      for (name, value) in numbers { net.weight(name, [], [value]) }
      net.node("Add", ["x", "three"], "sum")
      net.node("Clip", ["sum", "zero", "six"], "gate")
      net.node("Mul", ["x", "gate"], "product")
      net.node("Div", ["product", "six"], "y")
      net.output("y")
      if let alsoOut { net.output(alsoOut) }
      return kinds(try read(net))
    }
    #expect(try hardSwish(alsoOut: nil) == ["input", "hard_swish"])
    #expect(try hardSwish(alsoOut: "gate") == ["input", "constant", "add", "relu6", "hard_swish"])
  }

  @Test func normsAndGeluAndBiasesAreRecognized() throws {
    var net = ONNXWriter()
    net.input("x", [nil, 5, 8])
    net.weight("w", [8, 8], self.numbers(64))
    net.weight("b", [8], self.numbers(8))
    net.weight("g", [8], self.numbers(8))
    let numbers: [(String, Float)] = [("two", 2), ("eps", 1e-5), ("root", 1.4142135), ("one", 1), ("half", 0.5)]
    for (name, value) in numbers { net.weight(name, [], [value]) }
    net.integers("axes", [-1])
    net.node("MatMul", ["x", "w"], "m")
    net.node("Add", ["b", "m"], "a")
    net.node("ReduceMean", ["a", "axes"], "mean")
    net.node("Sub", ["a", "mean"], "d")
    net.node("Pow", ["d", "two"], "p")
    net.node("ReduceMean", ["p", "axes"], "v")
    net.node("Add", ["v", "eps"], "ve")
    net.node("Sqrt", ["ve"], "s")
    net.node("Div", ["d", "s"], "n")
    net.node("Mul", ["n", "g"], "ng")
    net.node("Add", ["ng", "b"], "ngb")
    net.node("Div", ["ngb", "root"], "e")
    net.node("Erf", ["e"], "erf")
    net.node("Add", ["erf", "one"], "e1")
    net.node("Mul", ["ngb", "e1"], "ne")
    net.node("Mul", ["ne", "half"], "y")
    net.output("y")
    let model = try read(net)
    #expect(kinds(model) == ["input", "dense", "layer norm", "gelu"])
    #expect(model.graph.nodes[1].op == .dense(Dense(units: 8, hasBias: true)))
  }

  /// As transformers write it, with a power or with products.
  @Test(arguments: [true, false]) func geluByTheHyperbolicTangentIsRecognized(hasPower: Bool) throws {
    func kinds(_ factor: Float) throws -> [String] {
      var net = ONNXWriter()
      net.input("x", [nil, 5, 8])
      let numbers: [(String, Float)] = [
        ("three", 3), ("small", factor), ("root", 0.7978846), ("one", 1), ("half", 0.5),
      ]
      for (name, value) in numbers { net.weight(name, [], [value]) }
      if hasPower {
        net.node("Pow", ["x", "three"], "cube")
      } else {
        net.node("Mul", ["x", "x"], "square")
        net.node("Mul", ["x", "square"], "cube")
      }
      net.node("Mul", ["small", "cube"], "sc")
      net.node("Add", ["x", "sc"], "sum")
      net.node("Mul", ["root", "sum"], "inner")
      net.node("Tanh", ["inner"], "t")
      net.node("Add", ["one", "t"], "t1")
      net.node("Mul", ["half", "x"], "h")
      net.node("Mul", ["h", "t1"], "y")
      net.output("y")
      return self.kinds(try read(net))
    }
    #expect(try kinds(0.044715) == ["input", "gelu_tanh"])
    #expect(try kinds(0.05).contains("tanh"), "another function stays as it is written")
  }

  @Test func axesThatVaryAreNamedAndCanBeFixed() throws {
    var net = ONNXWriter()
    net.input("x", [nil, 1, nil, nil])
    net.node("GlobalAveragePool", ["x"], "y")
    net.output("y")
    let text = message { _ = try read(net) }
    #expect(text.contains("input \"x\" varies along axis 2 (d2), 3 (d3)") && text.contains("--input x=1x3x224x224"))
    var options = ONNXFile.Options()
    options.inputShapes = ["x": [1, 1, 6, 4]]
    #expect(try read(net, options).graph.inputShape == [6, 4, 1])
    options.inputShapes = ["x": [1, 2, 6, 4]]
    #expect(message { _ = try read(net, options) }.contains("has 1 elements along axis 1, not 2"))
    options.inputShapes = ["x": [1, 1, 6, 4], "z": [1, 1, 6, 4]]
    #expect(message { _ = try read(net, options) }.contains("has no input \"z\""))
    let parsed = try ONNXFile.Options.inputShape("a=b=1x3x8")
    #expect(parsed.name == "a=b" && parsed.dims == [1, 3, 8])
    #expect(message { _ = try ONNXFile.Options.inputShape("x=1x0") }.contains("is no NAME=1x3x224x224"))
  }

  @Test func shapesThatAreComputedAreFolded() throws {
    var net = ONNXWriter()
    net.input("x", [nil, 2, 3, 4])
    net.integers("zero", [0], dims: [])
    net.integers("first", [0])
    net.integers("minus", [-1])
    net.node("Shape", ["x"], "shape")
    net.node("Gather", ["shape", "zero"], "n")
    net.node("Unsqueeze", ["n", "first"], "n1")
    net.node("Concat", ["n1", "minus"], "target", ["axis": .integer(0)])
    net.node("Reshape", ["x", "target"], "flat")
    net.weight("w", [24, 2], numbers(48))
    net.node("MatMul", ["flat", "w"], "y")
    net.output("y")
    #expect(kinds(try read(net)) == ["input", "reshape", "dense"])
  }

  /// Windows as rows of one matrix for the whole batch, as exporters write them out.
  @Test func aBatchThatVariesMayMixWithOtherAxes() throws {
    func rows(_ batch: Int?, isImage: Bool = false) -> ONNXWriter {
      var net = ONNXWriter()
      net.input("x", [batch, 2, 3, 4])
      net.integers("rows", [-1, 4])
      net.weight("w", [4, 2], numbers(8))
      net.node(isImage ? "GlobalMaxPool" : "Relu", ["x"], "r")
      net.node("Reshape", ["x", "rows"], "matrix")
      net.node("MatMul", ["matrix", "w"], "product")
      net.integers("images", [-1, 2, 3, 2])
      net.node("Reshape", ["product", "images"], "y")
      net.output("y")
      if isImage { net.output("r") }
      return net
    }
    func notes(_ net: ONNXWriter) throws -> (Model, [String]) {
      var notes: [String] = [], model: Model?
      try withTemporaryFile("net.onnx") { path in
        try Data(net.bytes).write(to: URL(fileURLWithPath: path))
        model = try ONNXFile.read(path) { notes.append($0) }
      }
      return (try #require(model), notes)
    }
    let (varying, said) = try notes(rows(nil))
    #expect(said == ["the file mixes the batch, which varies, with other axes: it is read for a batch of one"])
    #expect(varying.graph.shape(of: varying.graph.inputs[0]).count == 24 && varying.graph.outputShape.count == 12)
    #expect(varying.signature.interface?.inputs[0].hasBatch == true)
    // A batch that is fixed is a sample as a whole, unless something needs one that has none.
    let (whole, text) = try notes(rows(2))
    #expect(whole.graph.outputShape.count == 24 && text.first?.hasPrefix("the file fixes a batch of 2") == true)
    #expect(try notes(rows(1)).1.isEmpty)
    let refused = message { _ = try read(rows(2, isImage: true)) }
    #expect(refused.contains("mixes the batch") && refused.contains("export it with one of 1"), "\(refused)")
    #expect(message { _ = try read(rows(nil, isImage: true)) } == "nothing was thrown")
  }

  @Test func whatIsNotSupportedIsNamed() throws {
    var net = small()
    net.nodes.insert(ONNXWriter.node("ReduceProd", ["x"], ["r"], name: "odd"), at: 0)
    var text = message { _ = try read(net) }
    #expect(text.contains("net.onnx: node \"odd\" (ReduceProd)") && text.contains("domain ai.onnx"), "\(text)")
    #expect(text.contains("near it are ReduceL1, ReduceL2"), "\(text)")
    net = small()
    net.nodes.insert(ONNXWriter.node("Magic", ["x"], ["r"], domain: "com.acme", name: "odd"), at: 0)
    text = message { _ = try read(net) }
    #expect(text.contains("node \"odd\" (com.acme.Magic)") && text.contains("domain com.acme"), "\(text)")
  }

  @Test func brokenGraphsAreRefused() throws {
    func text(_ change: (inout ONNXWriter) -> Void) -> String {
      var net = small()
      change(&net)
      return message { _ = try read(net) }
    }
    #expect(text { $0.nodes.swapAt(0, 1) }.contains("its input \"conv\" is given by no earlier node"))
    #expect(text { $0.nodes.append($0.nodes[2]) }.contains("its output \"relu\" is there already"))
    #expect(text { $0.initializers.remove(at: 0) }.contains("its input \"w\" is given by no earlier node"))
    #expect(text { $0.initializers.append($0.initializers[0]) }.contains("two initializers are named \"w\""))
    #expect(text { $0.output("nothing") }.contains("no node gives the output \"nothing\""))
    #expect(text { $0.weight("more", [1 << 20, 1 << 20], [1]) }.contains("tensor \"more\": 4 bytes for 1099511627776"))
    #expect(text { $0.weight("more", [-1], [1]) }.contains("negative extent"))
    #expect(text { $0.version = 99 }.contains("version 99 of the operators"))
    #expect(text { $0.inputs = [ONNXWriter.value("x", [1, 2, 0, 4])] }.contains("is empty"))
    #expect(text { $0.inputs = [ONNXWriter.value("x", [0, 2, 5, 4])] }.contains("is empty"))
  }

  @Test func giantClaimsOfTinyFilesAreRefused() throws {
    func text(_ change: (inout ONNXWriter) -> Void) -> String {
      var net = ONNXWriter()
      net.input("x", [1, 4])
      net.output("y")
      change(&net)
      return message { _ = try read(net) }
    }
    let limit = "more than 67108864 elements would be made of constants"
    #expect(text {
      $0.integers("s", [1 << 20, 1 << 10])
      $0.node("ConstantOfShape", ["s"], "y")
    }.contains(limit))
    #expect(text {
      $0.integers("s", [1 << 14, 1 << 14])
      $0.weight("one", [1, 1], [1])
      $0.node("Expand", ["one", "s"], "y")
    }.contains(limit))
    #expect(text {
      $0.integers("s", [1 << 31, 16])
      $0.weight("one", [1, 1], [1])
      $0.node("Expand", ["one", "s"], "y")
    }.contains(limit))
    #expect(text {
      $0.weight("none", [0, 1 << 38], [])
      $0.node("Transpose", ["none"], "y")
    }.contains("an empty tensor of shape [0, 274877906944]"))
    #expect(text {
      for (name, value) in [("a", 0), ("b", 1 << 40), ("c", 1)] { $0.integers(name, [value], dims: []) }
      $0.node("Range", ["a", "b", "c"], "y")
    }.contains("a range of"))
    // Functions that call themselves, and that call one another many times over.
    func function(_ name: String, _ calls: [String]) -> [UInt8] {
      ONNXWriter.field(1, name) + ONNXWriter.field(4, "i") + ONNXWriter.field(5, "o")
        + calls.enumerated().flatMap {
          ONNXWriter.field(7, ONNXWriter.node($1, ["i"], [$0 == 0 ? "o" : "o\($0)"], domain: "f"))
        } + ONNXWriter.field(10, "f")
    }
    #expect(text {
      $0.functions = [function("Self", ["Self"])]
      $0.node("Self", ["x"], "y", domain: "f")
    }.contains("functions call functions more than 32 deep"))
    #expect(text {
      $0.functions = (0..<31).map { function("F\($0)", ["F\($0 + 1)", "F\($0 + 1)"]) }
      $0.node("F0", ["x"], "y", domain: "f")
    }.contains("more than 65536"))
  }

  @Test func functionsOfTheModelAreInlined() throws {
    var net = ONNXWriter()
    net.input("x", [nil, 4])
    net.domains = ["f"]
    net.functions = [
      ONNXWriter.field(1, "Twice") + ONNXWriter.field(4, "i") + ONNXWriter.field(5, "o")
        + ONNXWriter.field(7, ONNXWriter.node("Relu", ["i"], ["t"]))
        + ONNXWriter.field(7, ONNXWriter.node("Tanh", ["t"], ["o"])) + ONNXWriter.field(10, "f")
        + ONNXWriter.field(9, ONNXWriter.field(2, 18))
    ]
    net.node("Twice", ["x"], "a", domain: "f")
    net.node("Twice", ["a"], "y", domain: "f")
    net.output("y")
    #expect(kinds(try read(net)) == ["input", "relu", "tanh", "relu", "tanh"])
  }

  @Test func weightsInAnotherFileStayInTheFolder() throws {
    try withTemporaryFile("net.onnx") { path in
      let folder = Folders.parent(of: path), manager = FileManager.default
      try Data((0..<64).map { UInt8($0) }).write(to: URL(fileURLWithPath: folder + "/w.bin"))
      try manager.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
      try manager.createSymbolicLink(atPath: folder + "/link.bin", withDestinationPath: folder + "/w.bin")
      func text(_ entries: [(String, String)]) -> String {
        var net = ONNXWriter()
        net.input("x", [nil, 2])
        net.initializers = [ONNXWriter.tensor("w", [2, 3], external: entries)]
        net.node("MatMul", ["x", "w"], "y")
        net.output("y")
        return message {
          try Data(net.bytes).write(to: URL(fileURLWithPath: path))
          let model = try ModelFile.read(path)
          let bytes = model["y", .weight]!.values.withBytes { Array($0.prefix(4)) }
          #expect(bytes == [8, 9, 10, 11])
          #expect(try ModelFile.parts(path) == [path, folder + "/w.bin"])
        }
      }
      #expect(text([("location", "w.bin"), ("offset", "8"), ("length", "24")]) == "nothing was thrown")
      #expect(text([("location", "w.bin"), ("offset", "8")]) == "nothing was thrown")
      let late = text([("location", "w.bin"), ("offset", "48")])
      #expect(late.contains("24 bytes from byte 48 of \"w.bin\", which has 64"))
      #expect(text([("location", "w.bin"), ("length", "20")]).contains("20 bytes for 6 elements"))
      #expect(text([("location", "w.bin"), ("offset", "-8")]).contains("from byte -8"))
      for place in ["../w.bin", "/etc/passwd", "sub/../../w.bin", ""] {
        #expect(text([("location", place)]).contains("outside the model's folder"), "\(place)")
      }
      #expect(text([("location", "link.bin")]).contains("a symbolic link"))
      #expect(text([("location", "none.bin")]).contains("none.bin"))
    }
  }

  /// Cut short anywhere, and with bytes changed: errors, or another network, and nothing else.
  @Test func damagedFilesAreErrors() throws {
    let whole = small().bytes
    let rounds = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? 3000 : 300_000
    var random = SeededRandom(seed: 5)
    try withTemporaryFile("net.onnx") { path in
      func attempt(_ bytes: [UInt8]) throws -> Bool {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
          _ = try ModelFile.read(path)
          return true
        } catch let error as CompressError {
          #expect(error.file == path || error.file != nil, "\(error)")
          return false
        }
      }
      #expect(try attempt(whole))
      for count in 0..<whole.count where whole.count < 400 || count % 7 == 0 || count < 200 {
        // What is left may be whole without what follows the graph, and is a network then.
        _ = try attempt(Array(whole.prefix(count)))
      }
      var read = 0
      for _ in 0..<rounds {
        var bytes = whole
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        if try attempt(bytes) { read += 1 }
      }
      #expect(read > 0 && read < rounds)
    }
  }
}
