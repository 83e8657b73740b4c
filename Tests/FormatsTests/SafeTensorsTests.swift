import Diagnostics
import Foundation
import Network
import Tensors
import Testing

@testable import Formats

@Suite struct SafeTensorsTests {
  @Test func writtenAndReadIsTheSame() throws {
    let model = try fileNetwork()
    let read = try safeTensorsFile(SafeTensorsFile.data(model)).model(model.graph)
    #expect(difference(model, read) == nil)
    var half = model
    try half.set(Parameter(.float(model["fc", .weight]!.values.converted(to: .float16))), "fc", .weight)
    let stored = try safeTensorsFile(SafeTensorsFile.data(half))
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
    let model = try fileNetwork()
    let stored = try safeTensorsFile(SafeTensorsFile.data(model))
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
      let stored = try safeTensorsFile(safeTensorsBytes(header: header, data: data))
      #expect(stored.floats(stored.entries[0]).item == value, "\(type)")
    }
  }

  @Test func namesThatDoNotFit() throws {
    let model = try fileNetwork()
    var net = GraphBuilder(input: [3, 4, 2])
    net.conv2d(filters: 3, kernel: 2, name: "stem.0")
    net.flatten()
    net.dense(5, name: "fd")
    let graph = try net.graph()
    let text = message { _ = try safeTensorsFile(SafeTensorsFile.data(model)).model(graph) }
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
    let shapes = message { _ = try safeTensorsFile(SafeTensorsFile.data(model)).model(wide.graph()) }
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
    let model = try safeTensorsFile(safeTensorsBytes(header: header, data: [UInt8](repeating: 0, count: 16))).model(net.graph())
    #expect(model["d", .weight]!.values.item == 0)
  }

  @Test func quantizedWeightsAreRefused() throws {
    let text = message { _ = try SafeTensorsFile.data(labInt8()) }
    #expect(text.hasPrefix("layer \"conv\": weight is quantized, and safetensors files hold floats"))
  }

  @Test func headersThatLie() throws {
    func failure(_ header: String, _ count: Int = 8) -> String {
      message { _ = try safeTensorsFile(safeTensorsBytes(header: header, data: [UInt8](repeating: 0, count: count))) }
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
    #expect(message { _ = try safeTensorsFile([1, 2, 3]) }.hasPrefix("is no safetensors file: it starts with 01 02 03, not"))
    let long = NativeFormat.littleEndian(UInt64.max) + [UInt8(ascii: "{")]
    #expect(
      message { _ = try safeTensorsFile(long) }.hasPrefix("is no safetensors file: it starts with ff ff ff ff ff ff ff ff, not"))
    #expect(
      message { _ = try safeTensorsFile(NativeFormat.littleEndian(UInt64(9)) + [UInt8(ascii: "{")]) }
        == "is truncated: a header of 9 bytes, of which 1 are there")
  }

  @Test func headersOfAnyForm() throws {
    let text = """
       {"\\u0061\\n\\"\\ud83d\\ude00" : {"dtype":"U8", "extra": {"x": [1, null, {"y": -1.5e3}], "z": "]}"},\t\
      "shape":[ 2 , 1 ],\n "data_offsets":[0, 2]}, "__metadata__": {"k": "v", "": "\\/"}}
      """
    let stored = try safeTensorsFile(safeTensorsBytes(header: text, data: [1, 2]))
    #expect(stored.entries.map(\.name) == ["a\n\"😀"] && stored.entries[0].shape == [2, 1])
    #expect(stored.metadata == ["k": "v", "": "/"])
    func failure(_ header: String) -> String { message { _ = try safeTensorsFile(safeTensorsBytes(header: header)) } }
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
    for name in ["a.html", "a", "a.h5", ".cmpr", ".safetensors", "a.CMPR"] {
      #expect(message { try ModelFile.checkName(name) }.contains("ends in .cmpr, .safetensors"), "\(name)")
    }
    try ModelFile.checkName("a.cmpr")
    try ModelFile.checkName("dir/a.safetensors")
  }

  /// Whatever becomes of a file, reading it ends in a model or a `CompressError`.
  @Test func damagedFiles() throws {
    let model = try fileNetwork(), whole = try SafeTensorsFile.data(model)
    for count in 0..<whole.count { #expect(throws: CompressError.self) { try safeTensorsFile(Array(whole[..<count])) } }
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
      do { _ = try safeTensorsFile(broken).model(model.graph) } catch is CompressError {}
    }
  }
}
