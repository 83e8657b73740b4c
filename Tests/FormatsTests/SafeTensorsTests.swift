import Diagnostics
import Foundation
import Network
import Tensors
import Testing

@testable import Formats

/// Keeps bytes for a file that is read from memory; they never change.
private final class Bytes: @unchecked Sendable {
  let memory: UnsafeMutableRawBufferPointer

  init(_ bytes: [UInt8]) {
    memory = .allocate(byteCount: max(bytes.count, 1), alignment: 1)
    memory.copyBytes(from: bytes)
  }

  deinit { memory.deallocate() }
}

private func file(_ bytes: [UInt8]) throws -> SafeTensorsFile {
  let owner = Bytes(bytes)
  return try SafeTensorsFile(UnsafeRawBufferPointer(start: owner.memory.baseAddress, count: bytes.count), owner: owner)
}

private func bytes(header: String, data: [UInt8] = []) -> [UInt8] {
  NativeFormat.littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data
}

/// A convolution with batch norm, a flattened image before a dense layer, and a float16 weight.
private func network() throws -> Model {
  var net = GraphBuilder(input: [3, 4, 2])
  net.conv2d(filters: 3, kernel: 2, groups: 1, name: "stem.0")
  net.batchNorm(name: "stem.1")
  net.activation(.relu)
  net.flatten()
  net.dropout(0.5)
  net.dense(4, name: "fc")
  var model = try Model(initializing: net.graph(), seed: 3)
  var random = SeededRandom(seed: 4)
  for (layer, role, parameter) in model.allParameters {
    try model.set(Parameter(Tensor(normal: parameter.shape, using: &random)), layer, role)
  }
  return model
}

@Suite struct SafeTensorsTests {
  @Test func writtenAndReadIsTheSame() throws {
    let model = try network()
    let read = try file(SafeTensorsFile.data(model)).model(model.graph)
    #expect(difference(model, read) == nil)
    var half = model
    try half.set(Parameter(.float(model["fc", .weight]!.values.converted(to: .float16))), "fc", .weight)
    let stored = try file(SafeTensorsFile.data(half))
    #expect(stored.entries.first { $0.name == "fc.weight" }?.type == .float16 && stored.metadata == ["format": "pt"])
    #expect(difference(try half.decoded(), try stored.model(model.graph)) == nil)
    try withTemporaryFile("weights.safetensors") { path in
      try ModelFile.write(model, to: path)
      #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == SafeTensorsFile.data(model))
      #expect(difference(model, try SafeTensorsFile(path).model(model.graph)) == nil)
      #expect(message { _ = try ModelFile.read(path) }.contains("holds weights without a network"))
    }
  }

  @Test func weightsLieAsInPyTorch() throws {
    let model = try network()
    let stored = try file(SafeTensorsFile.data(model))
    func values(_ name: String) throws -> Tensor {
      stored.floats(try #require(stored.entries.first { $0.name == name }))
    }
    let conv = try values("stem.0.weight"), weight = model["stem.0", .weight]!.values
    #expect(conv.shape == [3, 2, 2, 2])
    #expect(
      try conv.selected(axis: 0, 2).selected(axis: 0, 1).selected(axis: 0, 0).selected(axis: 0, 1).item
        == weight.selected(axis: 0, 2).selected(axis: 0, 0).selected(axis: 0, 1).selected(axis: 0, 1).item)
    // The image before the dense layer is [2, 3, 3]; channel 2, row 1, column 0 there.
    let dense = try values("fc.weight"), columns = model["fc", .weight]!.values
    #expect(dense.shape == [4, 18])
    #expect(
      try dense.selected(axis: 0, 3).selected(axis: 0, 2 * 6 + 1 * 3 + 0).item
        == columns.selected(axis: 0, 3).selected(axis: 0, 1 * 9 + 0 * 3 + 2).item)
    #expect(try values("stem.1.running_var").array(Float.self) == model["stem.1", .variance]!.values.array())
    #expect(
      stored.entries.map(\.name) == [
        "fc.bias", "fc.weight", "stem.0.bias", "stem.0.weight", "stem.1.bias", "stem.1.running_mean",
        "stem.1.running_var", "stem.1.weight",
      ])
  }

  @Test func everyElementType() throws {
    let types: [(ElementType, [UInt8], Float)] = [
      (.bool, [1], 1), (.uint8, [200], 200), (.int8, [0xFE], -2), (.uint16, [1, 2], 513), (.int16, [0xFF, 0xFF], -1),
      (.uint32, [0, 0, 0, 128], 2_147_483_648), (.int32, [0xFD, 0xFF, 0xFF, 0xFF], -3),
      (.uint64, [0, 0, 0, 0, 1, 0, 0, 0], 4_294_967_296), (.int64, [255, 255, 255, 255, 255, 255, 255, 255], -1),
      (.float16, [0, 0xC0], -2), (.bfloat16, [0x80, 0x3F], 1), (.float32, [0, 0, 0x20, 0x41], 10),
      (.float64, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F], 1.5),
    ]
    #expect(types.map(\.0) == ElementType.allCases)
    for (type, data, value) in types {
      let header = #"{"x":{"dtype":"\#(type.rawValue)","shape":[],"data_offsets":[0,\#(data.count)]}}"#
      let stored = try file(bytes(header: header, data: data))
      #expect(stored.floats(stored.entries[0]).item == value, "\(type)")
    }
  }

  @Test func namesThatDoNotFit() throws {
    let model = try network()
    var net = GraphBuilder(input: [3, 4, 2])
    net.conv2d(filters: 3, kernel: 2, name: "stem.0")
    net.flatten()
    net.dense(5, name: "fd")
    let graph = try net.graph()
    let text = message { _ = try file(SafeTensorsFile.data(model)).model(graph) }
    #expect(
      text == """
        its 8 tensors are not the 4 of the network:
          2 missing: "fd.weight" [5, 18]; "fc.weight" is there, "fd.bias" [5]; "fc.bias" is there
          6 without a place: "fc.bias" [4], "fc.weight" [4, 18], "stem.1.bias" [3], "stem.1.running_mean" [3], \
        "stem.1.running_var" [3], "stem.1.weight" [3]
          hint: rename = { ["name in the file"] = "name in the network" }, ignore = { "name" }; * stands for anything
        """)
    var wide = GraphBuilder(input: [3, 4, 2])
    wide.conv2d(filters: 3, kernel: 2, name: "stem.0")
    wide.batchNorm(name: "stem.1")
    wide.flatten()
    wide.dense(9, name: "fc")
    let shapes = message { _ = try file(SafeTensorsFile.data(model)).model(wide.graph()) }
    #expect(shapes.contains("2 of another shape: \"fc.weight\" is [4, 18], the network takes [9, 18], \"fc.bias\" is"))
  }

  @Test func wrappersAndCountersDoNotCount() throws {
    let header = """
      {"module.d.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},\
      "module.d.bias":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},\
      "module.d.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}
      """
    var net = GraphBuilder(input: [1])
    net.dense(1, name: "d")
    let model = try file(bytes(header: header, data: [UInt8](repeating: 0, count: 16))).model(net.graph())
    #expect(model["d", .weight]!.values.item == 0)
  }

  @Test func quantizedWeightsAreRefused() throws {
    let text = message { _ = try SafeTensorsFile.data(labInt8()) }
    #expect(text.hasPrefix("layer \"conv\": weight is quantized, and safetensors files hold floats"))
  }

  @Test func headersThatLie() throws {
    func failure(_ header: String, _ count: Int = 8) -> String {
      message { _ = try file(bytes(header: header, data: [UInt8](repeating: 0, count: count))) }
    }
    func tensor(_ dtype: String, _ shape: String, _ offsets: String) -> String {
      failure(#"{"x":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#)
    }
    #expect(tensor("F32", "[2]", "[0,8]") == "nothing was thrown")
    #expect(tensor("F33", "[2]", "[0,8]") == "tensor \"x\" has unknown type \"F33\"")
    #expect(tensor("F32", "[3]", "[0,8]") == "tensor \"x\" has 8 bytes; F32 of shape [3] takes 12")
    #expect(tensor("F32", "[2]", "[0,12]") == "tensor \"x\" has offsets [0, 12] in 8 bytes of data")
    #expect(tensor("F32", "[2]", "[8,0]") == "tensor \"x\" has offsets [8, 0] in 8 bytes of data")
    #expect(tensor("F32", "[2]", "[-8,0]") == "tensor \"x\" has offsets [-8, 0] in 8 bytes of data")
    #expect(tensor("F32", "[2]", "[0]") == "tensor \"x\" has offsets [0] in 8 bytes of data")
    #expect(tensor("F32", "[-2]", "[0,8]") == "tensor \"x\": shape [-2] has a negative extent")
    #expect(
      tensor("F32", "[4611686018427387904,4]", "[0,8]")
        == "tensor \"x\": shape [4611686018427387904, 4] has more than 1099511627776 elements")
    #expect(tensor("U8", "[4]", "[0,4]") == "bytes 4 to 8 belong to no tensor")
    #expect(tensor("U8", "[4]", "[4,8]") == "bytes 0 to 4 belong to no tensor")
    #expect(tensor("F32", "[0]", "[0,0]") == "bytes 0 to 8 belong to no tensor")
    #expect(tensor("F32", "\"2\"", "[0,8]").hasPrefix("has a broken header: x.shape: is no "))
    #expect(failure("{\"x\":3}").hasPrefix("has a broken header: x: is no "))
    #expect(failure("{\"x\":{\"dtype\":\"U8\"}}") == "has a broken header: x: \"shape\" is missing")
    #expect(failure("{").hasPrefix("has a broken header: "))
    #expect(failure("[]").hasPrefix("has a broken header: "))
    #expect(failure("{}", 0) == "nothing was thrown")
    #expect(failure("{\"__metadata__\":{\"a\":1}}", 0).hasPrefix("has a broken header: __metadata__.a: is no "))
    let overlap = """
      {"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}
      """
    #expect(failure(overlap) == "tensors \"a\" and \"b\" overlap at byte 4")
    #expect(message { _ = try file([1, 2, 3]) }.hasPrefix("is no safetensors file: it starts with 01 02 03, not"))
    let long = NativeFormat.littleEndian(UInt64.max) + [UInt8(ascii: "{")]
    #expect(
      message { _ = try file(long) }.hasPrefix("is no safetensors file: it starts with ff ff ff ff ff ff ff ff, not"))
    #expect(
      message { _ = try file(NativeFormat.littleEndian(UInt64(9)) + [UInt8(ascii: "{")]) }
        == "is truncated: a header of 9 bytes, of which 1 are there")
  }

  @Test func headersOfAnyForm() throws {
    let text = """
       {"\\u0061\\n\\"\\ud83d\\ude00" : {"dtype":"U8", "extra": {"x": [1, null, {"y": -1.5e3}], "z": "]}"},\t\
      "shape":[ 2 , 1 ],\n "data_offsets":[0, 2]}, "__metadata__": {"k": "v", "": "\\/"}}
      """
    let stored = try file(bytes(header: text, data: [1, 2]))
    #expect(stored.entries.map(\.name) == ["a\n\"😀"] && stored.entries[0].shape == [2, 1])
    #expect(stored.metadata == ["k": "v", "": "/"])
    func failure(_ header: String) -> String { message { _ = try file(bytes(header: header)) } }
    let entry = #"{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#
    #expect(failure("{\"a\":\(entry),\"a\":\(entry)}") == "has a broken header: a: is there twice")
    #expect(failure("{\"a\":\(entry)} x").hasPrefix("has a broken header: is no JSON"))
    #expect(failure("{\"a\":\(entry),}").hasPrefix("has a broken header: "))
    for broken in [#"{"\ud83d":{}}"#, #"{"\x":{}}"#, "{\"a\n\":{}}", #"{"a":{"x":tru}}"#, #"{"a":{"x":[1}}"#] {
      #expect(failure(broken).hasPrefix("has a broken header: "), "\(broken)")
    }
    let deep = "{\"a\":{\"x\":" + String(repeating: "[", count: 100_000)
    #expect(failure(deep) == "has a broken header: a.x: is nested too deep")
    let name = String(repeating: "n", count: 5000)
    #expect(failure("{\"\(name)\":\(entry)}") == "has a text of 5000 bytes in its header; at most 4096 are read")
    let many = "{" + (0...SafeTensorsHeader.mostTensors).map { "\"\($0)\":\(entry)" }.joined(separator: ",") + "}"
    #expect(failure(many) == "has more than 131072 tensors")
  }

  @Test func namesWithoutAFormat() throws {
    for name in ["a.html", "a", "a.onnx", ".cmpr", ".safetensors", "a.CMPR"] {
      #expect(message { try ModelFile.checkName(name) }.contains(".cmpr or .safetensors"), "\(name)")
    }
    try ModelFile.checkName("a.cmpr")
    try ModelFile.checkName("dir/a.safetensors")
  }

  /// Whatever becomes of a file, reading it ends in a model or a `CompressError`.
  @Test func damagedFiles() throws {
    let model = try network(), whole = try SafeTensorsFile.data(model)
    for count in 0..<whole.count { #expect(throws: CompressError.self) { try file(Array(whole[..<count])) } }
    var random = SeededRandom(seed: 17)
    let header = 8 + Int(whole[0]) + Int(whole[1]) << 8
    // A million when COMPRESS_SOAK is set.
    for round in 0..<(ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? 2000 : 1_000_000) {
      var broken = whole
      for _ in 0...random.below(4) {
        let position = random.below(round % 8 == 0 ? whole.count : header)
        switch random.below(4) {
        case 0: broken[position % broken.count] ^= 1 << UInt8(random.below(8))
        case 1: broken[position % broken.count] = Array("0123456789,:[]{}\"-eE".utf8)[random.below(20)]
        case 2: broken.remove(at: position % broken.count)
        default: broken.insert(UInt8(random.below(256)), at: position % broken.count)
        }
      }
      do { _ = try file(broken).model(model.graph) } catch is CompressError {}
    }
  }
}

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
    return try file(bytes(header: "{" + header.joined(separator: ",") + "}", data: data))
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
    let again = try file(SafeTensorsFile.data(model))
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

  /// Files of other programs say what they are, not how long a header would be.
  @Test func foreignFilesAreTold() throws {
    let files: [(bytes: [UInt8], name: String)] = [
      ([0x08, 0x08, 0x12, 0x07] + Array("pytorch".utf8), "an ONNX model"),
      ([0x1C, 0, 0, 0] + Array("TFL3".utf8) + [0x14, 0, 0x20, 0], "a TensorFlow Lite model"),
      ([0x89] + Array("HDF\r\n\u{1A}\n".utf8) + [0, 0, 0], "an HDF5 file"),
      (
        Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 22) + [16, 0, 0, 0] + Array("archive/data.pkl".utf8),
        "a PyTorch checkpoint"
      ),
      ([0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9], "a Python pickle"),
      (Array("version https://git-lfs.github.com/spec/v1\noid sha256:1\n".utf8), "the pointer that Git LFS leaves"),
      (Array("\n<!DOCTYPE html>\n<html>".utf8), "an HTML page"),
      ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], "compressed with gzip"),
      (Array("{\"metadata\":{\"total_size\":1},\"weight_map\":{}}".utf8), "the index of weights"),
      (Array("404: Not Found".utf8), "a text that starts with \"404: Not Found\""), ([], "an empty file"),
    ]
    for (bytes, name) in files {
      #expect(message { _ = try file(bytes) }.hasPrefix("is \(name)"), "\(name)")
      try withTemporaryFile("x.safetensors") { path in
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let text = message { _ = try ModelFile.read(path) }
        #expect(text.contains(": is \(name)") && !text.contains("header of"), "\(text)")
      }
    }
    #expect(message { _ = try file(NativeFormat.data(network())) }.hasPrefix("is a native model file (.cmpr), not"))
  }
}
