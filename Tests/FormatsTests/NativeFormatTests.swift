import Files
import Foundation
import Network
import Tensors
import Testing

@testable import Formats

@Suite struct NativeFormatTests {
  @Test func everythingComesBack() throws {
    let models = [
      try everythingModel(), try labInt8(), try labInt8(sparsity: 0.8),
      try Model(initializing: Graph([Node("only", .input(Input([3])))], output: "only"), seed: 1),
    ]
    for model in models {
      let bytes = try NativeFormat.data(model)
      #expect(difference(try NativeFormat.read(bytes), model) == nil)
      try withTemporaryFile { path in
        try NativeFormat.write(model, to: path)
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: path))) == bytes)
        let back = try ModelFile.read(path)
        #expect(difference(back, model) == nil)
        #expect(try NativeFormat.data(back) == bytes)
        // Tensors that borrow the mapping live on when the file is replaced.
        try NativeFormat.write(models[0], to: path)
        #expect(difference(back, model) == nil)
      }
    }
  }

  /// Readers of version 1 know neither bfloat16 nor tables, roundings and fewer bits; a file says so only if it must.
  @Test func aFileSaysTheVersionItNeeds() throws {
    let plain = try labInt8()
    #expect(try NativeFormat.data(plain)[8] == 1)
    var changed = [plain, plain, plain, plain]
    let weight = plain["conv", .weight]!.values
    try changed[0].set(Parameter(.float(weight.converted(to: .bfloat16))), "conv", .weight)
    try changed[1].set(Parameter(.codes(CodedValues(weight, levels: RoundingLevels([-1, 0])))), "conv", .weight)
    try changed[2].setActivation(ActivationQuantization(scale: 1, zeroPoint: 3, bits: 12), of: "conv")
    try changed[3].setActivation(.levels(RoundingLevels([0, 1])), of: "conv")
    for model in changed {
      let bytes = try NativeFormat.data(model)
      #expect(bytes[8] == 2)
      #expect(try difference(NativeFormat.read(bytes), model) == nil)
    }
  }

  @Test func theSameModelGivesTheSameBytes() throws {
    #expect(try NativeFormat.data(everythingModel()) == NativeFormat.data(everythingModel()))
    var other = try everythingModel()
    try other.setActivation(nil, of: "relu")
    #expect(try NativeFormat.data(everythingModel()) != NativeFormat.data(other))
  }

  @Test func theLayoutIsAsDocumented() throws {
    let model = try labInt8()
    let file = try NativeFormat.data(model)
    #expect(Array(file[..<16]) == [0x89, 0x43, 0x4D, 0x50, 0x52, 0x0D, 0x0A, 0x1A, 1, 0, 0, 0] + Array(file[12..<16]))
    #expect(file[16..<24].enumerated().reduce(0) { $0 | Int($1.element) << ($1.offset * 8) } == file.count)
    let header = try JSONSerialization.jsonObject(with: Data(Parts(file).header)) as! [String: Any]
    let weight = (header["parameters"] as! [[String: Any]])[0]
    #expect(
      weight["layer"] as? String == "conv" && weight["role"] as? String == "weight" && weight["scales"] as? Int == 12)
    let values = weight["values"] as! [String: Any]
    #expect(values["dtype"] as? String == "int8" && values["shape"] as? [Int] == [12, 3, 3, 1])
    let start = values["at"] as! Int
    guard case .integer(let integers)? = model["conv", .weight]?.encoding else { fatalError() }
    #expect(Parts(file).data[start..<start + 108].map { Int8(bitPattern: $0) } == integers.values.array())
  }

  @Test func smallModelsStaySmall() throws {
    let int8 = try NativeFormat.data(labInt8())
    #expect(int8.count <= 22_000)
    let sparse = try NativeFormat.data(labInt8(sparsity: 0.8))
    #expect(sparse.count <= int8.count + 60)  // a mask that the zeros show costs a word
    #expect(try sparse.withUnsafeBytes { try Gzip.compressedSize(of: $0) } < 8_000)
  }

  @Test func weightsThatAreNoNumbersAreKept() throws {
    let back = try NativeFormat.read(NativeFormat.data(everythingModel()))
    let bias: [Float] = back["last", .bias]!.values.array()
    #expect(bias[0].isNaN && bias[1] == -.infinity && bias[2].sign == .minus)
  }

  @Test func otherFiles() throws {
    try withTemporaryFile("net.onnx") { path in
      #expect(message { _ = try ModelFile.read(path) }.hasPrefix(path))
      for (content, kind) in [
        ("", "an empty file"), ("hello", "a text that starts with \"hello\""),
        ("\u{89}CMPR\n", "no model file of a format known here"),
      ] {
        try content.write(toFile: path, atomically: false, encoding: .utf8)
        #expect(
          message { _ = try ModelFile.read(path) }.hasPrefix("\(path): is \(kind); models are read from .cmpr, .onnx"))
        #expect(message { _ = try NativeFormat.read(path) } == "\(path): is no native model file")
      }
    }
  }

  /// A store in miniature: tensors by a stand-in for their digest.
  @Test func manifestsServeStoresToo() throws {
    let model = try everythingModel()
    var blobs: [String: [UInt8]] = [:]
    let manifest = ModelManifest<String>(model) { tensor in
      let bytes = tensor.withBytes { Array($0) }
      var crc = Crc32()
      bytes.withUnsafeBytes { crc.add($0) }
      blobs["\(tensor.dtype)-\(crc.value)-\(bytes.count)"] = bytes
      return "\(tensor.dtype)-\(crc.value)-\(bytes.count)"
    }
    let json = try manifest.json()
    let read = try ModelManifest<String>(json: json)
    #expect(try read.json() == json && Set(read.references.map(\.location)) == Set(blobs.keys))
    func lookup(_ reference: TensorReference<String>) -> Tensor {
      blobs[reference.location]!.withUnsafeBytes { Tensor(copying: $0, shape: reference.shape, dtype: reference.dtype) }
    }
    #expect(difference(try read.model(lookup), model) == nil)
    #expect(
      message { _ = try read.model { _ in Tensor(zeros: [1]) } }.contains("found float32 of shape [1] in place of"))
  }
}
