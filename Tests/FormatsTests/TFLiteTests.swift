import Diagnostics
import Files
import Foundation
import Network
import Tensors
import Testing

@testable import Formats

@Suite struct TFLiteTests {
  private func numbers(_ count: Int) -> [Float] { (0..<count).map { Float($0 * 7 % 13) - 6 } }
  private func bytes(_ values: [Float]) -> [UInt8] { FlatBufferBuilder.littleEndian(values.map(\.bitPattern)) }
  private func bytes(_ values: [Int]) -> [UInt8] { FlatBufferBuilder.littleEndian(values.map { Int32($0) }) }

  private func read(_ bytes: [UInt8]) throws -> Model {
    var model: Model?
    try withTemporaryFile("net.tflite") { path in
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      model = try ModelFile.read(path)
    }
    return try #require(model)
  }

  private func read(_ content: TFLiteContent) throws -> Model { try read(try content.bytes()) }

  /// The message of what is refused, without the path.
  private func refusal(_ content: TFLiteContent) -> String {
    let text = message { _ = try read(content) }
    return text.contains("net.tflite: ") ? String(text[text.range(of: "net.tflite: ")!.upperBound...]) : text
  }

  private func kinds(_ model: Model) -> [String] { model.graph.nodes.map(\.op.spec.name) }

  /// One value in, one node, one value out.
  private func single(
    _ kind: String, _ dims: [Int], _ out: [Int], _ type: TFLiteOptions = .none, custom: [UInt8]? = nil,
    constant: (inout TFLiteContent) -> Int? = { _ in nil }
  ) -> TFLiteContent {
    var net = TFLiteContent()
    let x = net.tensor("x", dims, .float32), known = constant(&net), y = net.tensor("y", out, .float32)
    net.node(kind, [x] + (known.map { [$0] } ?? []), [y], type, custom: custom)
    net.inputs = [(x, "x")]
    net.outputs = [(y, "y")]
    return net
  }

  private func window(
    _ padding: TFLitePadding, stride: Int = 1, activation: (Int, TFLiteActivation)? = nil
  ) -> TFLiteContent.Fields {
    var fields: TFLiteContent.Fields = [
      TFLiteField.Window.padding: .int(padding.rawValue), TFLiteField.Window.strideWidth: .int(Int32(stride)),
      TFLiteField.Window.strideHeight: .int(Int32(stride)),
    ]
    if let (field, function) = activation { fields[field] = .int(function.rawValue) }
    return fields
  }

  /// A convolution with relu, of float16 weights, and a dense layer behind it.
  private func small() -> TFLiteContent {
    var net = TFLiteContent()
    let x = net.tensor("x", [1, 5, 4, 2], .float32)
    let half = net.tensor(
      "half", [3, 3, 3, 2], .float16,
      bytes: FlatBufferBuilder.littleEndian(numbers(54).map { Half($0).bits }))
    let weight = net.tensor("weight", [3, 3, 3, 2], .float32)
    net.node("DEQUANTIZE", [half], [weight], .dequantize, version: 3)
    let bias = net.tensor("bias", [3], .float32, bytes: bytes([1, 2, 3] as [Float]))
    let conv = net.tensor("conv", [1, 5, 4, 3], .float32)
    net.node("CONV_2D", [x, weight, bias], [conv], .conv2D, window(.same, activation: (3, .relu6)))
    let shape = net.tensor("shape", [2], .int32, bytes: bytes([-1, 60]))
    let flat = net.tensor("flat", [1, 60], .float32)
    net.node("RESHAPE", [conv, shape], [flat], .reshape)
    let matrix = net.tensor("matrix", [4, 60], .float32, bytes: bytes(numbers(240)))
    let scores = net.tensor("scores", [1, 4], .float32)
    net.node("FULLY_CONNECTED", [flat, matrix, -1], [scores], .fullyConnected)
    net.inputs = [(x, "image")]
    net.outputs = [(scores, "classes")]
    return net
  }

  // MARK: Reading

  @Test func layersWeightsAndNames() throws {
    let model = try read(small())
    #expect(kinds(model) == ["input", "conv2d", "relu6", "reshape", "dense"])
    #expect(model.graph.inputShape == [5, 4, 2])
    guard case .float(let weight)? = model["conv", .weight]?.encoding else {
      Issue.record("no float weight")
      return
    }
    #expect(weight.dtype == .float32 && weight.array() == numbers(54))
    #expect(model["scores", .weight]!.values.array() == numbers(240))
    #expect(model["scores", .bias] == nil)
    #expect(
      model.signature.interface
        == ModelInterface(
          format: "tflite", inputs: [ModelInterface.Value("x", name: "image", order: [0, 1, 2])],
          outputs: [ModelInterface.Value("scores", name: "classes", order: [0])]))
  }

  /// int8 is uint8 with a zero point that is 128 higher; weights stay as they are, biases are in the scale of the sums.
  @Test func integersStayAsTheyAre() throws {
    var net = TFLiteContent()
    let x = net.tensor(
      "x", [1, 2, 2, 2], .int8, quantization: TFLiteQuantization(scales: [0.5], zeroPoints: [-3]))
    let weight = net.tensor(
      "w", [1, 1, 1, 4], .int8, bytes: [1, 0x81, 127, 0xFF],
      quantization: TFLiteQuantization(scales: [1, 2, 3, 4], zeroPoints: [0, 0, 0, 0], axis: 3))
    let bias = net.tensor(
      "b", [4], .int32, bytes: bytes([7, -9, 1 << 28 + 1, 0]),
      quantization: TFLiteQuantization(scales: [0.5, 1, 1.5, 2], zeroPoints: [0, 0, 0, 0]))
    let y = net.tensor("y", [1, 2, 2, 4], .int8, quantization: TFLiteQuantization(scales: [0.25], zeroPoints: [-128]))
    var options = window(.valid, activation: (TFLiteField.DepthwiseConv2D.activation, .relu))
    options[TFLiteField.DepthwiseConv2D.multiplier] = .int(Int32(2))
    net.node("DEPTHWISE_CONV_2D", [x, weight, bias], [y], .depthwiseConv2D, options, version: 3)
    net.inputs = [(x, "x")]
    net.outputs = [(y, "y")]
    let model = try read(net)
    #expect(kinds(model) == ["input", "conv2d", "relu"])
    #expect(model.activations["x"] == .affine(try ActivationQuantization(scale: 0.5, zeroPoint: 125)))
    #expect(model.activations["y"] == nil)
    #expect(model.activations["y relu"] == .affine(try ActivationQuantization(scale: 0.25, zeroPoint: 0)))
    guard case .integer(let values)? = model["y", .weight]?.encoding,
      case .integer(let biases)? = model["y", .bias]?.encoding
    else {
      Issue.record("no integers")
      return
    }
    #expect(values.values.array(Int8.self) == [1, -127, 127, -1] && values.scales == [1, 2, 3, 4])
    #expect(values.values.shape == [4, 1, 1, 1])
    #expect(biases.values.array(Int32.self) == [7, -9, 1 << 28 + 1, 0] && biases.scales == [0.5, 1, 1.5, 2])
    #expect(model.signature.interface?.inputs[0].element == .int8)
  }

  /// Integers without a sign are 128 lower, and so is their zero point.
  @Test func weightsWithAZeroPoint() throws {
    func weight(_ values: [UInt8], zeroPoint: Int64) throws -> Encoding? {
      var net = TFLiteContent()
      let quantization = TFLiteQuantization(scales: [0.5], zeroPoints: [zeroPoint])
      let x = net.tensor("x", [1, 2], .uint8, quantization: TFLiteQuantization(scales: [1], zeroPoints: [0]))
      let w = net.tensor("w", [2, 2], .uint8, bytes: values, quantization: quantization)
      let y = net.tensor("y", [1, 2], .uint8, quantization: TFLiteQuantization(scales: [1], zeroPoints: [0]))
      net.node("FULLY_CONNECTED", [x, w, -1], [y], .fullyConnected)
      net.inputs = [(x, "x")]
      net.outputs = [(y, "y")]
      return try read(net)["y", .weight]?.encoding
    }
    guard case .integer(let near)? = try weight([1, 128, 255, 130], zeroPoint: 128) else {
      Issue.record("no integers")
      return
    }
    #expect(near.values.array(Int8.self) == [-127, 0, 127, 2] && near.scales == [0.5])
    #expect(near.zeroPoints == nil)
    // Their zero is another one, or they have one more below zero than above.
    for (stored, zeroPoint, values) in [
      ([0, 128, 255, 130], 100, [-50, 14, 77.5, 15]), ([0, 128, 255, 130], 128, [-64, 0, 63.5, 1]),
    ] as [([UInt8], Int64, [Float])] {
      guard case .integer(let far)? = try weight(stored, zeroPoint: zeroPoint) else {
        Issue.record("no integers")
        return
      }
      #expect(far.values.array(Int8.self) == [-128, 0, 127, 2] && far.zeroPoints == [Int8(zeroPoint - 128)])
      #expect(far.decoded.array() == values)
    }
  }

  @Test func paddingInFrontOfAWindowBecomesTheWindows() throws {
    for isRead in [false, true] {
      var net = TFLiteContent()
      let x = net.tensor("x", [1, 4, 4, 1], .float32)
      let pads = net.tensor("pads", [4, 2], .int32, bytes: bytes([0, 0, 1, 0, 2, 0, 0, 0]))
      let padded = net.tensor("padded", [1, 5, 6, 1], .float32)
      net.node("PAD", [x, pads], [padded], .pad)
      let weight = net.tensor("w", [1, 3, 3, 1], .float32, bytes: bytes(numbers(9)))
      let y = net.tensor("y", [1, 3, 4, 1], .float32)
      net.node("CONV_2D", [padded, weight], [y], .conv2D, window(.valid))
      net.inputs = [(x, "x")]
      net.outputs = [(y, "y")] + (isRead ? [(padded, "padded")] : [])
      let model = try read(net)
      #expect(kinds(model) == (isRead ? ["input", "pad", "conv2d"] : ["input", "conv2d"]))
      guard case .conv2d(let conv)? = model.graph["y"]?.op else { continue }
      #expect(conv.window.padding == (isRead ? .valid : .explicit(top: 1, left: 2, bottom: 0, right: 0)))
    }
  }

  @Test func imagesWithTheirChannelsFirstAreHeldWithThemLast() throws {
    var net = TFLiteContent()
    let x = net.tensor("x", [1, 3, 4, 5], .float32)
    let order = net.tensor("order", [4], .int32, bytes: bytes([0, 2, 3, 1]))
    let turned = net.tensor("turned", [1, 4, 5, 3], .float32)
    net.node("TRANSPOSE", [x, order], [turned], .transpose)
    let y = net.tensor("y", [1, 4, 5, 3], .float32)
    net.node("RELU", [turned], [y])
    net.inputs = [(x, "x")]
    net.outputs = [(y, "y")]
    let model = try read(net)
    #expect(kinds(model) == ["input", "relu"])
    #expect(model.graph.inputShape == [4, 5, 3])
    #expect(model.signature.interface?.inputs[0].order == [1, 2, 0])
  }

  /// Pixels and places of maxima: floats here with integers in them; as inputs integers again in a file.
  @Test func integersThatStandForThemselves() throws {
    for (type, element) in [
      (.uint8, .uint8), (.int8, .int8), (.int32, .int32), (.int64, .int64), (.bool, .bool), (.uint16, .uint16),
    ] as [(TFLiteType, ModelInterface.Element)] {
      var net = TFLiteContent()
      let x = net.tensor("x", [1, 2, 3], type), flat = net.tensor("flat", [1, 6], type)
      let shape = net.tensor("shape", [2], .int32, bytes: bytes([1, 6]))
      net.node("RESHAPE", [x, shape], [flat], .reshape)
      let floats = net.tensor("floats", [1, 6], .float32)
      net.node("CAST", [flat], [floats], .cast)
      let axis = net.tensor("axis", [1], .int32, bytes: bytes([1])), place = net.tensor("place", [1], .int64)
      net.node("ARG_MAX", [floats, axis], [place], .argMax)
      net.inputs = [(x, "x")]
      net.outputs = [(place, "place")]
      let model = try read(net)
      #expect(kinds(model) == ["input", "reshape", "arg_max"] && model.activations.isEmpty)
      let again = try read(try TFLiteFile.data(model))
      for interface in [model.signature.interface, again.signature.interface] {
        let input = try #require(interface?.inputs[0])
        #expect(input.element == element && input.isPlain)
      }
      let output = try #require(model.signature.interface?.outputs[0])
      #expect(output.element == .int64 && output.isPlain)
    }
  }

  /// What is another thing with integers than with floats is refused; sums are not.
  @Test func arithmeticOfIntegers() throws {
    func pair(_ kind: String, _ type: TFLiteType, _ out: TFLiteType) -> TFLiteContent {
      var net = TFLiteContent()
      let x = net.tensor("x", [1, 3], type), y = net.tensor("y", [1, 3], out)
      let width = (type.bits ?? 8) / 8
      let known = net.tensor("known", [3], type, bytes: (0..<3 * width).map { $0 % width == 0 ? 2 : 0 })
      net.node(kind, kind == "CAST" ? [x] : [x, known], [y], kind == "CAST" ? .cast : .none)
      net.inputs = [(x, "x")]
      net.outputs = [(y, "y")]
      return net
    }
    #expect(kinds(try read(pair("ADD", .int32, .int32))) == ["input", "constant", "add"])
    #expect(kinds(try read(pair("MAXIMUM", .uint8, .uint8))).last == "maximum")
    #expect(refusal(pair("DIV", .int32, .int32)).contains("node 1, DIV: computes with elements of type int32"))
    #expect(refusal(pair("ADD", .uint8, .uint8)).contains("computes with elements of type uint8"))
    #expect(refusal(pair("CAST", .int32, .uint8)).contains("makes integers of type uint8 of a value of type int32"))
    #expect(refusal(pair("CAST", .float32, .int32)).contains("of a value of type float32"))
    #expect(try read(pair("CAST", .uint8, .int32)).signature.interface?.outputs[0].element == .int32)
  }

  /// The shape that Keras computes while a network runs.
  @Test func chainsOfShapesAreFolded() throws {
    var net = TFLiteContent()
    let x = net.tensor("x", [1, 4, 3], .float32)
    let shape = net.tensor("shape", [3], .int32), first = net.tensor("first", [], .int32)
    net.node("SHAPE", [x], [shape], .shape)
    let zero = net.tensor("zero", [1], .int32, bytes: bytes([0]))
    let one = net.tensor("one", [1], .int32, bytes: bytes([1]))
    net.node("STRIDED_SLICE", [shape, zero, one, one], [first], .stridedSlice, [4: .int(Int32(1))])
    let twelve = net.tensor("twelve", [], .int32, bytes: bytes([12])), packed = net.tensor("packed", [2], .int32)
    net.node("PACK", [first, twelve], [packed], .pack, [0: .int(Int32(2))])
    let y = net.tensor("y", [1, 12], .float32)
    net.node("RESHAPE", [x, packed], [y], .reshape)
    net.inputs = [(x, "x")]
    net.outputs = [(y, "y")]
    let model = try read(net)
    #expect(kinds(model) == ["input", "reshape"] && model.graph.outputShape == [12])
  }

  /// A matrix of blocks of 1x2, of which two of four are there.
  @Test func sparseWeightsAreExpanded() throws {
    func sparse(_ segments: [Int32], _ indices: [Int32]) -> FlatBufferBuilder.Value {
      .table([
        TFLiteField.Sparsity.order: .integers([0, 1, 2] as [Int32]),
        TFLiteField.Sparsity.blockMap: .integers([1] as [Int32]),
        TFLiteField.Sparsity.dimensions: .tables([
          .table([TFLiteField.SparseDimension.denseSize: .int(Int32(2))]),
          .table([
            TFLiteField.SparseDimension.format: .int(Int8(1)),
            TFLiteField.SparseDimension.segmentsType: .int(UInt8(1)),
            TFLiteField.SparseDimension.segments: .table([0: .integers(segments)]),
            TFLiteField.SparseDimension.indicesType: .int(UInt8(1)),
            TFLiteField.SparseDimension.indices: .table([0: .integers(indices)]),
          ]),
          .table([TFLiteField.SparseDimension.denseSize: .int(Int32(2))]),
        ]),
      ])
    }
    func content(_ segments: [Int32], _ indices: [Int32]) -> TFLiteContent {
      var net = TFLiteContent()
      let x = net.tensor("x", [1, 4], .float32)
      let stored = net.tensor(
        "stored", [2, 4], .float32, bytes: bytes([1, 2, 3, 4] as [Float]),
        more: [TFLiteField.Tensor.sparsity: sparse(segments, indices)])
      let dense = net.tensor("dense", [2, 4], .float32), y = net.tensor("y", [1, 2], .float32)
      net.node("DENSIFY", [stored], [dense], .densify)
      net.node("FULLY_CONNECTED", [x, dense, -1], [y], .fullyConnected)
      net.inputs = [(x, "x")]
      net.outputs = [(y, "y")]
      return net
    }
    #expect(try read(content([0, 1, 2], [1, 0]))["y", .weight]!.values.array() == [0, 0, 1, 2, 3, 4, 0, 0] as [Float])
    #expect(refusal(content([0, 1, 2], [1, 2])).contains("indices contradict its segments"))
    #expect(refusal(content([0, 2, 1], [1, 0])).contains("indices contradict its segments"))
    #expect(refusal(content([0, 1, 1], [1])).contains("4 elements of a sparse tensor with places for 2"))
  }

  @Test func mediaPipesTransposedConvolution() throws {
    var net = TFLiteContent()
    let x = net.tensor("x", [1, 3, 3, 2], .float32)
    let weight = net.tensor("w", [1, 2, 2, 2], .float32, bytes: bytes(numbers(8)))
    let bias = net.tensor("b", [1], .float32, bytes: bytes([0.5] as [Float]))
    let y = net.tensor("y", [1, 6, 6, 1], .float32)
    net.node("Convolution2DTransposeBias", [x, weight, bias], [y], custom: bytes([1, 2, 2]))
    net.inputs = [(x, "x")]
    net.outputs = [(y, "y")]
    let model = try read(net)
    #expect(kinds(model) == ["input", "transposed conv2d"])
    #expect(model.graph.outputShape == [6, 6, 1])
  }

  // MARK: What is refused

  @Test func whatIsNotReadIsNamed() {
    #expect(
      refusal(single("FlexErf", [1, 2], [1, 2], custom: [])).hasPrefix(
        "node 1, FlexErf: the TensorFlow operator FlexErf is not supported; of custom ones "
          + "Convolution2DTransposeBias is"))
    #expect(refusal(single("WHILE", [1, 2], [1, 2])).contains("such control flow is not read"))
    #expect(
      refusal(single("CONV_3D", [1, 2], [1, 2])).hasPrefix(
        "node 1, CONV_3D: the operator CONV_3D is not supported; near"))
    #expect(
      refusal(single("RELU", [1, 2], [1, 3]))
        == "node 1, RELU: its output \"y\" is said to have shape [1, 3], but has [1, 2]")
    #expect(
      refusal(single("SOFTMAX", [1, 2], [1, 2], .conv2D)).contains("has options of type 1, not 9"))
    #expect(
      refusal(single("RESHAPE", [1, 2], [1, 3]) { $0.tensor("s", [2], .int32, bytes: [1, 0, 0, 0, 3, 0, 0, 0]) })
        .contains("shape [1, 3] of shape [1, 2]"))
    #expect(
      refusal(single("MEAN", [1, 2], [1, 2]) { $0.tensor("s", [1], .int32, bytes: [7, 0, 0, 0]) })
        .contains("axis 7 of a value with 2 axes"))
    #expect(
      refusal(single("TILE", [1, 2], [1, 2]) { $0.tensor("s", [2], .int32, bytes: [1, 0, 0, 0]) })
        .contains("4 bytes for a tensor of shape [2]"))
  }

  /// Converters join the names of what they have made one.
  @Test func layersHaveTheFirstOfJoinedNames() throws {
    var net = TFLiteContent()
    let x = net.tensor("x;y;z", [1, 2], .float32), y = net.tensor("a/Relu;b/Conv", [1, 2], .float32)
    net.node("ABS", [x], [y], .abs)
    let again = net.tensor("a/Relu;c", [1, 2], .float32)
    net.node("NEG", [y], [again], .neg)
    net.inputs = [(x, "x;y;z")]
    net.outputs = [(again, "a/Relu;c")]
    let model = try read(net)
    #expect(model.graph.nodes.map(\.name) == ["x", "a/Relu", "a/Relu 2"])
    #expect(model.signature.interface?.inputs[0].name == "x;y;z")
    #expect(model.signature.interface?.outputs[0].name == "a/Relu;c")
  }

  @Test func cyclesAreRefused() {
    var net = TFLiteContent()
    let x = net.tensor("x", [1, 2], .float32), y = net.tensor("y", [1, 2], .float32)
    let z = net.tensor("z", [1, 2], .float32)
    net.node("ADD", [x, z], [y], .add)
    net.node("RELU", [y], [z])
    net.inputs = [(x, "x")]
    net.outputs = [(z, "z")]
    #expect(refusal(net) == "node 1, ADD: its input \"z\" is given by no earlier node")
  }

  // MARK: Broken files

  /// Reads bytes that may be anything: an error or a model, no crash and no end of time.
  private func survives(_ bytes: [UInt8], at path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    do { _ = try TFLiteFile.read(path) } catch let error as CompressError { #expect(!error.message.isEmpty) }
  }

  @Test func truncatedFiles() throws {
    let file = try small().bytes()
    try withTemporaryFile("net.tflite") { path in
      // What stands last, the key of the signature, is not read.
      for count in stride(from: 0, to: file.count - 32, by: 7) {
        try Data(file[..<count]).write(to: URL(fileURLWithPath: path))
        #expect(throws: CompressError.self) { try TFLiteFile.read(path) }
      }
    }
  }

  /// A million in all when COMPRESS_SOAK is set.
  @Test func mutatedFiles() throws {
    var sources = [try small().bytes()]
    var net = GraphBuilder(input: [6, 6, 2])
    net.conv2d(filters: 3, kernel: 3, padding: .same)
    net.activation(.relu)
    net.maxPool(2)
    net.flatten()
    net.dense(3)
    var model = try Model(initializing: net.graph(), .heNormal, seed: 1)
    for layer in model.weightLayers {
      try model.set(Parameter(.integer(quantized(model[layer, .weight]!.values))), layer, .weight)
    }
    for value in model.graph.values { try model.setActivation(ActivationQuantization(low: -1, high: 1), of: value) }
    sources.append(try TFLiteFile.data(model))
    var random = SeededRandom(seed: 11)
    let rounds = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == nil ? 1500 : 500_000
    try withTemporaryFile("net.tflite") { path in
      for source in sources {
        for _ in 0..<rounds {
          var bytes = source
          for _ in 0...random.below(4) {
            let place = random.below(bytes.count)
            switch random.below(3) {
            case 0: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1: bytes[place] = UInt8(random.below(256))
            default:
              let values: [UInt32] = [0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x8000_0000, UInt32(random.below(bytes.count))]
              let start = min(place / 4 * 4, bytes.count - 4), value = values[random.below(values.count)]
              bytes.replaceSubrange(start..<start + 4, with: FlatBufferBuilder.littleEndian([value]))
            }
          }
          try survives(bytes, at: path)
        }
      }
    }
  }

  /// One table that a long list names again and again: what is read stays within a few times the file's size.
  @Test func tablesThatAreNamedOftenAreNotReadWithoutEnd() throws {
    var net = TFLiteContent()
    _ = net.tensor(String(repeating: "n", count: 100_000), [1, 2], .float32)
    var bytes = try net.bytes()
    // A list of offsets at the end takes the place of the list of tensors.
    let count = 50_000
    let subgraph = try FlatBufferProbe(bytes).tensorsField()
    let table = subgraph.table
    while bytes.count % 4 != 0 { bytes.append(0) }
    // Offsets lead forward only: the table is copied behind the list, with its name.
    let list = bytes.count
    bytes += FlatBufferBuilder.littleEndian([UInt32(count)])
    let target = list + 4 + 4 * count
    for index in 0..<count { bytes += FlatBufferBuilder.littleEndian([UInt32(target - (list + 4 + 4 * index))]) }
    bytes += FlatBufferBuilder.littleEndian([Int32(target - subgraph.fields)])
    bytes += Array(bytes[(table + 4)..<(table + 40)])
    let name = target + subgraph.name
    bytes.replaceSubrange(name..<name + 4, with: FlatBufferBuilder.littleEndian([UInt32(40 - subgraph.name + 4)]))
    while bytes.count < target + 44 { bytes.append(0) }
    bytes += FlatBufferBuilder.littleEndian([UInt32(100_000)]) + [UInt8](repeating: 0x6E, count: 100_001)
    bytes.replaceSubrange(
      subgraph.place..<subgraph.place + 4, with: FlatBufferBuilder.littleEndian([UInt32(list - subgraph.place)]))
    try withTemporaryFile("net.tflite") { path in
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let text = message { _ = try TFLiteFile.read(path) }
      #expect(text.contains("refers to the same bytes again and again"), "\(text)")
    }
  }
}

/// Where things lie in a file of ours with one tensor.
private struct FlatBufferProbe {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private func u32(_ place: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
  private func u16(_ place: Int) -> Int { Int(bytes[place]) | Int(bytes[place + 1]) << 8 }
  private func field(_ table: Int, _ number: Int) -> Int {
    table + u16(table - u32(table) + 4 + 2 * number)
  }
  private func follow(_ place: Int) -> Int { place + u32(place) }

  /// The place of the offset to the list of tensors, the only tensor's table, its list of fields, and where in it the
  /// offset to its name is.
  func tensorsField() throws -> (place: Int, table: Int, fields: Int, name: Int) {
    let model = u32(0)
    let subgraphs = follow(field(model, TFLiteField.Model.subgraphs))
    let subgraph = follow(subgraphs + 4)
    let place = field(subgraph, TFLiteField.Subgraph.tensors)
    let tensor = follow(follow(place) + 4)
    return (place, tensor, tensor - u32(tensor), field(tensor, TFLiteField.Tensor.name) - tensor)
  }
}
