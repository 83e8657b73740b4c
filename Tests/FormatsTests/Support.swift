import Diagnostics
import Files
import Foundation
import Network
import Tensors

@testable import Formats

func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "nothing was thrown"
  } catch { return (error as? CompressError)?.description ?? "not a CompressError: \(error)" }
}

/// Where two models differ; nil when graph, encodings bit by bit, masks and annotations are the same.
func difference(_ a: Model, _ b: Model) -> String? {
  func bytes(_ tensor: Tensor?) -> [UInt8]? { tensor.map { $0.withBytes { Array($0) } } }
  guard a.graph == b.graph else { return "graph" }
  guard a.activations == b.activations else { return "activations" }
  guard a.signature == b.signature else { return "signature" }
  for (x, y) in zip(a.allParameters, b.allParameters) {
    let place = "\(x.layer) \(x.role)"
    switch (x.parameter.encoding, y.parameter.encoding) {
    case (.float(let p), .float(let q)):
      guard p.dtype == q.dtype, p.shape == q.shape, bytes(p) == bytes(q) else { return place }
    case (.integer(let p), .integer(let q)):
      guard p.values.dtype == q.values.dtype, p.values.shape == q.values.shape, bytes(p.values) == bytes(q.values),
        p.scales == q.scales, p.zeroPoints == q.zeroPoints, p.bits == q.bits
      else { return place }
    case (.codes(let p), .codes(let q)):
      guard p.codes.shape == q.codes.shape, bytes(p.codes) == bytes(q.codes), p.table == q.table else { return place }
    default: return place
    }
    guard bytes(x.parameter.mask) == bytes(y.parameter.mask) else { return "mask of \(place)" }
    guard x.parameter.structure == y.parameter.structure else { return "structure of \(place)" }
  }
  return nil
}

/// Per-channel symmetric integers of a weight.
func quantized(_ weight: Tensor, bits: Int = 8) throws -> IntegerValues {
  let rows = try weight.reshaped([weight.shape[0], -1])
  let limit = Float(IntegerValues.limit(bits: bits))
  let extremes = try rows.applying(.abs).reduced(.max, axes: [1], keepDims: true)
  let scales = try extremes.applying(.max, 1e-6).applying(.div, limit)
  let values = try rows.applying(.div, scales).clamped(-limit, limit).converted(to: .int8).reshaped(weight.shape.dims)
  return try IntegerValues(values: values, scales: scales.array(), bits: bits)
}

/// Every encoding and annotation there is, in a small network.
func everythingModel() throws -> Model {
  var net = GraphBuilder(input: [6, 6, 2])
  net.conv2d(filters: 4, kernel: 3, padding: .same, bias: false, name: "conv/\u{1F642} \"one\"")
  net.batchNorm(name: "norm")
  let shortcut = net.activation(.relu, name: "relu")
  net.conv2d(filters: 4, kernel: 3, padding: .same, groups: 4, name: "depthwise")
  net.add(net.last, shortcut, name: "add")
  net.conv2d(filters: 3, kernel: 1, name: "point")
  net.flatten(name: "flatten")
  net.dense(5, name: "dense")
  net.dense(3, name: "last")
  net.activation(.softmax, name: "softmax")
  var model = try Model(initializing: net.graph(), seed: 5)
  func weight(_ layer: String) -> Tensor { model[layer, .weight]!.values }

  try model.set(
    Parameter(.float(weight("conv/\u{1F642} \"one\"").converted(to: .float16))), "conv/\u{1F642} \"one\"", .weight)
  // A mask that the values show, and one that they do not: a kept weight that happens to be zero.
  let kept = try weight("depthwise").applying(.gt, 0)
  try model.set(
    Parameter(.float(weight("depthwise").applying(.mul, kept)), mask: kept), "depthwise", .weight)
  let pruned = try weight("dense").applying(.mul, weight("dense").applying(.lt, 0))
  try model.set(
    Parameter(.integer(quantized(pruned)), mask: Tensor(repeating: 1, pruned.shape).converted(to: .uint8),
      structure: .blocks(rows: 1, columns: 4)), "dense", .weight)
  let point = try quantized(weight("point"), bits: 4)
  try model.set(
    Parameter(.integer(IntegerValues(values: point.values, scales: point.scales, zeroPoints: [-8, 0, 7], bits: 4))),
    "point", .weight)
  try model.set(
    Parameter(.integer(IntegerValues(values: Tensor([7, -1 << 30, 0] as [Int32]), scales: [0.5, 1, 1e-9], bits: 32))),
    "point", .bias)
  try model.set(Parameter(Tensor([.nan, -.infinity, -0.0] as [Float])), "last", .bias)
  try model.setActivation(ActivationQuantization(scale: 0.1, zeroPoint: 3), of: "relu")
  try model.setActivation(ActivationQuantization(scale: 1e-20, zeroPoint: 255), of: "input")
  try model.setActivation(ActivationQuantization(scale: 0.25, zeroPoint: 9, bits: 4), of: "point")
  try model.setActivation(.levels(RoundingLevels([-1.5, 0, 1e-3, 7])), of: "dense")
  // The first of every filter's five inputs is gone.
  let fourOfFive = Tensor((0..<15).map { UInt8($0 % 5 == 0 ? 0 : 1) }, [3, 5])
  try model.set(
    Parameter(
      .codes(
        CodedValues(weight("last").applying(.mul, fourOfFive), levels: RoundingLevels([-0.25, 0, 0.125, 3]))),
      mask: fourOfFive, structure: .pattern(keep: 4, of: 5)), "last", .weight)
  let interface = ModelInterface(
    format: "onnx",
    inputs: model.graph.inputs.map { name in
      let rank = model.graph.shape(of: name).rank
      return ModelInterface.Value(
        name, name: "x \u{1F642}", order: Array((0..<rank).reversed()), hasBatch: false, element: .uint8)
    }, outputs: model.graph.outputs.map { ModelInterface.Value($0, name: $0, order: [0]) })
  let signature = try ModelSignature(
    classes: ["a", "b \u{1F642}", "c"], preprocessing: nil, interface: interface)
  model.adopt(signature)
  guard model.signature == signature else { throw CompressError("the signature does not fit the network") }
  return model
}

/// The lab's CNN after post-training quantization: int8 weights, int32 biases, activations calibrated.
func labInt8(sparsity: Double = 0) throws -> Model {
  let entry = try Zoo.entry("lab_cnn")
  var model = try Model(initializing: entry.graph(entry.defaults.input, 10), seed: 1)
  for layer in model.weightLayers {
    let weight = model[layer, .weight]!.values
    var search = try ThresholdSearch.smallest(Int(Double(weight.count) * sparsity)) { try $0(weight.applying(.abs)) }
    let mask = try search.taken(from: weight.applying(.abs)).negated()
    let integers = try quantized(weight.applying(.mul, mask))
    let bias = try IntegerValues(
      values: Tensor(zeros: [weight.shape[0]], dtype: .int32), scales: integers.scales.map { $0 * 0.01 }, bits: 32)
    try model.set(Parameter(.integer(integers), mask: sparsity > 0 ? mask : nil), layer, .weight)
    try model.set(Parameter(.integer(bias)), layer, .bias)
  }
  for node in model.graph.nodes {
    try model.setActivation(ActivationQuantization(scale: 0.02, zeroPoint: 0), of: node.name)
  }
  return model
}

/// A file under the temporary folder, removed at the end.
func withTemporaryFile(_ name: String = "model.cmpr", _ body: (String) throws -> Void) throws {
  let folder = NSTemporaryDirectory() + "/formats-tests-\(UInt64.random(in: 0...(.max)))"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder + "/" + name)
}

/// A native file taken apart, to be changed and put together again with right lengths and checksum.
struct Parts {
  var version = NativeFormat.version
  var header: [UInt8]
  var data: [UInt8]

  init(_ file: [UInt8]) {
    let count = file[12..<16].enumerated().reduce(0) { $0 | Int($1.element) << ($1.offset * 8) }
    header = Array(file[24..<24 + count])
    data = Array(file[NativeFormat.aligned(24 + count)..<file.count - 4])
  }

  var text: String {
    get { String(decoding: header, as: UTF8.self) }
    set { header = Array(newValue.utf8) }
  }

  var file: [UInt8] {
    let start = NativeFormat.aligned(24 + header.count)
    var bytes =
      NativeFormat.magic + NativeFormat.littleEndian(version) + NativeFormat.littleEndian(UInt32(header.count))
    bytes += NativeFormat.littleEndian(UInt64(start + data.count + 4)) + header
    bytes += [UInt8](repeating: 0, count: start - bytes.count) + data
    return Parts.sealed(bytes)
  }

  static func sealed(_ content: [UInt8]) -> [UInt8] {
    var checksum = Crc32()
    content.withUnsafeBytes { checksum.add($0) }
    return content + NativeFormat.littleEndian(checksum.value)
  }
}
