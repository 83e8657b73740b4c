import Diagnostics
import Formats
import Foundation
import Network
import Pipeline
import Testing

@testable import Scripting

@Suite struct NetworkScriptTests {
  private func graph(_ definition: String) throws -> Graph {
    let result = try run("model = net.model { input = {8, 8, 3}, \(definition) }", compute: false)
    return try #require(result.outcome.stages.first).graph
  }

  @Test func aResidualNetwork() throws {
    let graph = try graph(
      """
      net.conv(4, 3, { bias = false, name = "stem" }), net.batch_norm(), net.relu(),
      net.residual {
        name = "layer1.0",
        net.conv(8, 3, { stride = 2 }), net.batch_norm { epsilon = 1e-5 }, net.relu(),
        net.conv(8, 3, { name = "last" }),
        shortcut = net.conv(8, 1, { stride = 2, name = "side" }),
      },
      net.relu(), net.global_average_pool(), net.dropout(0.25), net.dense(5),
      """)
    #expect(
      graph.nodes.map(\.name) == [
        "input", "stem", "batch_norm_1", "relu_1", "layer1.0.conv_1", "layer1.0.batch_norm_1", "layer1.0.relu_1",
        "layer1.0.last", "layer1.0.side", "layer1.0.add_1", "relu_2", "global_average_pool_1", "dropout_1", "dense_1",
      ])
    #expect(graph["layer1.0.add_1"]?.inputs == ["layer1.0.last", "layer1.0.side"])
    #expect(graph["layer1.0.side"]?.inputs == ["relu_1"])
    #expect(graph.shape(of: "layer1.0.add_1") == [4, 4, 8] && graph.outputShape == [5])
  }

  @Test func everyLayer() throws {
    let graph = try graph(
      """
      net.depthwise({3, 1}, { multiplier = 2, padding = "valid" }), net.conv(6, 3, { padding = {1, 2}, groups = 2 }),
      net.concat { net.max_pool(2), net.average_pool(2, { counts_padding = true, padding = {0, 0, 0, 0} }),
                   net.sequential { net.max_pool(3, { stride = 2, padding = 1 }) } },
      net.add { net.relu6(), net.sigmoid(), net.sequential {} },
      net.pad({1, 0, 0}, {0, 0, 2}), false, net.flatten(), net.dense(3, { bias = false }), net.softmax(),
      """)
    #expect(graph.shape(of: "depthwise_1") == [6, 8, 6] && graph.shape(of: "conv_1") == [6, 10, 6])
    #expect(graph.shape(of: "concat_1") == [3, 5, 18] && graph.shape(of: "pad_1") == [4, 5, 20])
    #expect(graph["add_2"]?.inputs == ["add_1", "concat_1"] && graph.outputShape == [3])
  }

  @Test func gatesScaleTheirInput() throws {
    let graph = try graph(
      """
      net.conv(6, 3), net.hard_swish(),
      net.gate {
        name = "excite", net.global_average_pool(), net.dense(2), net.relu(), net.dense(6), net.sigmoid(),
      },
      net.flatten(), net.dense(5),
      """)
    #expect(graph["mul_1"] == nil && graph["excite.mul_1"]?.inputs == ["hard_swish_1", "excite.sigmoid_1"])
    #expect(graph.shape(of: "excite.mul_1") == graph.shape(of: "hard_swish_1") && graph.outputShape == [5])
  }

  /// The error has the line of the layer, not of the network.
  @Test(
    arguments: [
      (
        "net.residual {\nnet.conv(8, 3, { stride = 2 }) }", 1,
        "layer \"add_1\": cannot add outputs of shapes [4, 4, 8] and [8, 8, 3]",
        "shortcut = net.conv(8, 1, { stride = 2 }) makes them alike"
      ),
      (
        "net.relu(),\n\nnet.conv(4, 11, { padding = \"valid\" })", 3,
        "layer \"conv_1\": window 11x11 is larger than its padded input 8x8", nil
      ),
      (
        "net.concat {\nnet.conv(4, 3), net.max_pool(2) }", 1,
        "layer \"concat_1\": cannot concatenate shapes [8, 8, 4] and [4, 4, 3] along their channels", nil
      ),
      (
        "net.relu { name = \"x\" },\nnet.relu { name = \"x\" }", 2, "layer \"x\": two layers have this name",
        "a block that is used twice needs none"
      ),
      (
        "net.flatten(), net.depthwise(3)", 1,
        "layer \"depthwise_1\": expects an image [height, width, channels], got [192]", nil
      ),
      ("net.dropout(1.5)", 1, "layer \"dropout_1\": rate 1.5 is not from 0 to below 1", nil),
    ] as [(String, Int, String, String?)])
  func whatDoesNotFitIsNamed(definition: String, line: Int, text: String, hint: String?) {
    let error = failure("model = net.model { input = {8, 8, 3}, \(definition) }")
    #expect(error?.line == line)
    #expect(error?.hint == hint)
    #expect(error.map { "layer \"\($0.layer ?? "")\": \($0.message)" } == text)
  }

  @Test(arguments: [
    (
      "net.sequential { net.relu }",
      "net.sequential: item 1 must be a block, as net.relu(), not a function; it must be called"
    ),
    (
      "net.sequential { net.relu(), nil, net.relu() }",
      "net.sequential: item 2 must be a block, as net.relu(), not nil"
    ),
    ("net.conv(4)", "net.conv: argument 2 must be a size: 3, or {3, 1} for height and width, got nothing"),
    ("net.conv(4, 3, { strides = 2 })", "there is no option \"strides\" (did you mean \"stride\"?)"),
    ("net.conv(4, 3, { stride = {1, 2, 3} })", "option \"stride\" takes one number, or height and width, not 3"),
    ("net.conv(4, 3, { padding = \"some\" })", "option \"padding\": \"some\" is no choice (did you mean \"same\"?)"),
    ("net.convolution(4, 3)", "net has no \"convolution\" (there are: "),
    ("net.add { net.relu() }", "net.add: 1 blocks; two are the least"),
    ("net.model { net.relu() }", "net.model: input is missing"),
    ("net.residual { shortcut = 3 }", "option \"shortcut\" must be a block, as net.conv(16, 3), or false, not 3"),
    (
      "(function() local b = net.relu() for i = 1, 70 do b = net.sequential { b } end end)()",
      "blocks are nested 65 deep; the limit is 64"
    ),
    (
      "(function() local b = net.relu() for i = 1, 60 do b = net.sequential { b, b } end end)()",
      "a block of 32767 layers; the limit is 16384"
    ),
    ("zoo.resnet18 { stem = \"imagent\" }", "option \"stem\": \"imagent\" is no choice (did you mean \"imagenet\"?)"),
    ("zoo.lab_cnn { width = 2 }", "there is no option \"width\""),
    ("zoo.autoencoder { classes = 2 }", "there is no option \"classes\""),
    ("zoo.unet { upsampling = \"linear\" }", "option \"upsampling\": \"linear\" is no choice"),
    ("zoo.deit_tiny { input = {8, 8, 3} }", "window 16x16 is larger than its padded input 8x8"),
  ])
  func mistakesAreExplained(text: String, message: String) {
    let found = failure("local x = \(text)")?.message ?? "no error"
    #expect(found.contains(message), "\(found)")
  }

  @Test func theDefinitionDecidesTheKey() throws {
    func key(_ text: String) throws -> String {
      try #require(run("model = \(text)", compute: false).outcome.stages.first).key.digest
    }
    let first = try key("net.model { input = {8}, net.dense(3) }")
    #expect(try key("net.model { input = {8}, net.dense(3) }") == first)
    for other in [
      "net.model { input = {8}, net.dense(4) }", "net.model { input = {8}, net.dense(3), net.relu() }",
      "net.model { input = {8}, net.dense(3), dense = \"he_normal\" }",
      "net.model { input = {8}, net.dense(3), seed = 5 }",
      "net.model { input = {8}, net.dense(3, { name = \"x\" }) }",
    ] { #expect(try key(other) != first, "\(other)") }
  }

  @Test func optionsOfTheZoo() throws {
    let result = try run(
      """
      zoo.resnet18 { stem = "cifar", input = {32, 32, 3}, classes = 10, width = 0.25 }
      zoo.vgg16_bn { input = {32, 32, 3}, classifier = "linear", classes = 10, width = 0.25 }
      zoo.mobilenet_v2 { width = 0.35, dropout = 0 }
      zoo.unet { input = {64, 48, 1}, classes = 3, depth = 2, upsampling = "nearest", width = 0.25 }
      zoo.autoencoder { input = {28, 28, 1} }
      zoo.detector { input = {96, 64, 3}, classes = 2, width = 0.5 }
      """, compute: false)
    let graphs = result.outcome.stages.map(\.graph)
    #expect(graphs[0].shape(of: "conv1") == [32, 32, 16] && graphs[0].outputShape == [10])
    #expect(graphs[1].outputShape == [10] && graphs[1]["classifier"] != nil)
    #expect(graphs[2]["classifier.0"] == nil && graphs[2].outputShape == [1000])
    #expect(graphs[3].outputShape == [64, 48, 3] && graphs[3].shape(of: "down2.maxpool_conv.0") == [16, 12, 32])
    #expect(graphs[3]["up1.up"]!.op.spec.name == "resize nearest")
    #expect(graphs[4].outputShape == [784])
    #expect(graphs[5].outputs.prefix(3) == ["scores8", "distances8", "scores16"])
    #expect(graphs[5].outputShapes.prefix(3) == [[12, 8, 2], [12, 8, 4], [6, 4, 2]])
  }

  @Test func weightsAreSavedAndLoaded() throws {
    let folder = try ScriptFolder()
    let out = folder.path
    try run("zoo.lab_cnn { seed = 3 }:save \"lab.safetensors\"", in: folder, out: out)
    let result = try run(
      """
      local model = load_model("lab.safetensors", { into = zoo.lab_cnn() })
      print(model:cost().parameters)
      model:save "again.safetensors"
      """, in: folder, out: out)
    #expect(result.printed == ["20410"])
    // The network it was loaded into is no stage of its own: its weights are never drawn.
    #expect(result.outcome.stages.map(\.work.kind) == ["load weights"])
    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(out)/\(name)")) }
    #expect(try bytes("lab.safetensors") == bytes("again.safetensors"))
    let wrong = failure("load_model(\"lab.safetensors\", { into = zoo.lab_cnn { classes = 9 } })", in: folder)
    let shapes = "2 of another shape: \"dense.weight\" is [10, 2028], the network takes [9, 2028]"
    #expect(wrong?.message.contains(shapes) == true)
    #expect(wrong?.line == 1 && wrong?.file?.hasSuffix("lab.safetensors") == true)
    #expect(failure("load_model \"lab.safetensors\"", in: folder)?.message == "holds weights without a network")
    let outside = failure("load_model(\"../lab.safetensors\", { into = zoo.lab_cnn() })", in: folder)
    #expect(outside?.message.contains("is no file name inside") == true)
  }

  /// Checkpoints as training programs write them: what was done with their names is said.
  @Test func namesOfCheckpoints() throws {
    let folder = try ScriptFolder()
    func write(_ file: String, _ names: [String]) throws {
      var header: [String] = [], data = Data()
      for name in names {
        let start = data.count, isWeight = name.hasSuffix("weight")
        for value in isWeight ? [2, 3] : [5] as [Float] { withUnsafeBytes(of: value) { data.append(contentsOf: $0) } }
        header.append(
          #""\#(name)":{"dtype":"F32","shape":\#(isWeight ? "[1,2]" : "[1]"),"data_offsets":[\#(start),\#(data.count)]}"#
        )
      }
      let text = Data("{\(header.joined(separator: ","))}".utf8)
      var length = UInt64(text.count).littleEndian
      try (Data(bytes: &length, count: 8) + text + data).write(to: URL(fileURLWithPath: folder.path + "/" + file))
    }
    try write("swa.safetensors", ["module.d.weight", "module.d.bias", "n_averaged"])
    try write("other.safetensors", ["fc.weight", "fc.bias", "aux.weight"])
    try write("plain.safetensors", ["d.weight", "d.bias"])
    let network = "{ into = net.model { input = { 2 }, net.dense(1, { name = 'd' }) }"
    let swa = try run(
      "print(compile(load_model('swa.safetensors', \(network) })):run(tensor.of{ 1, 1 }:reshape{ 1, 2 }):sum())",
      in: folder)
    #expect(swa.printed == ["10.0"])
    #expect(
      swa.notes.map { $0.drop { $0 != "\"" } } == [
        "\"module.\" before the names in the file is dropped", "\"n_averaged\"",
      ])
    let record = try swa.executor.record(of: try #require(swa.outcome.leaves.first))
    #expect(record.notes.count == 2)
    let other = try #require(failure("load_model('other.safetensors', \(network) })", in: folder))
    #expect(other.hint?.contains("ignore = { \"name\" }") == true && other.message.contains("2 missing"))
    let rules = "ignore = 'aux.*', rename = { ['fc.*'] = 'd.*' }"
    let named = try run(
      "print(compile(load_model('other.safetensors', \(network), \(rules) })):run(tensor.of{ 1, 1 }:reshape{ 1, 2 }):sum())",
      in: folder)
    #expect(named.printed == ["10.0"] && named.notes.isEmpty)
    for (options, message) in [
      ("\(network), ignore = 'auxx.*' }", "ignore: no tensor matches \"auxx.*\""),
      ("\(network), rename = { ['fx.*'] = 'd.*' } }", "rename: no tensor matches \"fx.*\""),
      ("\(network), rename = { 'd' } }", "must be a table of names"),
      ("{ ignore = 'a' }", "for a file of weights alone"),
    ] {
      let error = try #require(failure("load_model('plain.safetensors', \(options))", in: folder))
      #expect(error.message.contains(message), "\(error)")
    }
  }
}
