import Foundation
import TestSupport
import Tensors

@testable import Formats
@testable import Pipeline

/// A value in the file's order of axes, with the operators of the standard as plain loops over indices.
struct Plain {
  var dims: [Int]
  var values: [Float]
  /// The number of its elements' type in the file.
  var element = 1

  init(_ dims: [Int], _ values: [Float], element: Int = 1) {
    self.dims = dims
    self.values = values
    self.element = element
  }

  init(_ dims: [Int], element: Int = 1, _ value: ([Int]) -> Float) {
    self.dims = dims
    self.element = element
    values = []
    var index = [Int](repeating: 0, count: dims.count)
    for _ in 0..<dims.reduce(1, *) {
      values.append(value(index))
      for axis in dims.indices.reversed() {
        index[axis] += 1
        if index[axis] < dims[axis] { break }
        index[axis] = 0
      }
    }
  }

  static func random(_ dims: [Int], _ random: inout SeededRandom) -> Plain {
    Plain(dims) { _ in Float.random(in: -1...1, using: &random) }
  }

  subscript(index: [Int]) -> Float {
    values[zip(index, dims).reduce(0) { $0 * $1.1 + $1.0 }]
  }

  func transposed(_ perm: [Int]) -> Plain {
    Plain(perm.map { dims[$0] }) { index in
      var old = index
      for (axis, from) in perm.enumerated() { old[from] = index[axis] }
      return self[old]
    }
  }

  fileprivate var bytes: [UInt8] {
    element == 1
      ? ONNXWriter.tensor("", dims, values)
      : ONNXWriter.tensor("", dims, integers: values.map { Int($0) }, element: element)
  }
}

/// Runs a file on inputs and holds it against outputs, through the files of a case.
func verdict(_ net: ONNXWriter, _ inputs: [Plain], _ outputs: [Plain]) throws -> Conformance.Verdict {
  let folder = NSTemporaryDirectory() + "/conformance-\(UInt64.random(in: 0...(.max)))"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try FileManager.default.createDirectory(atPath: folder + "/case/test_data_set_0", withIntermediateDirectories: true)
  func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/case/\(name)"))
  }
  try write("model.onnx", net.bytes)
  for (kind, list) in [("input", inputs), ("output", outputs)] {
    for (index, value) in list.enumerated() { try write("test_data_set_0/\(kind)_\(index).pb", value.bytes) }
  }
  return try Conformance(folder).cases[0].verdict
}

/// What is read of a file.
func imported(_ net: ONNXWriter) throws -> ONNXImport {
  let path = NSTemporaryDirectory() + "/operators-\(UInt64.random(in: 0...(.max))).onnx"
  defer { try? FileManager.default.removeItem(atPath: path) }
  try Data(net.bytes).write(to: URL(fileURLWithPath: path))
  return try ONNXFile.load(path)
}

/// Why a file is not read.
func importFailure(_ net: ONNXWriter) -> String {
  do {
    _ = try imported(net)
    return "nothing was thrown"
  } catch { return "\(error)" }
}

/// One node, its first input varying and the others known.
func oneNode(
  _ kind: String, _ x: Plain, _ attributes: [String: ONNXWriter.Attribute] = [:], weights: [Plain] = [],
  lists: [[Int]] = [], version: Int = 18, domain: String = ""
) -> ONNXWriter {
  var net = ONNXWriter()
  net.version = version
  net.input("x", [nil] + x.dims.dropFirst().map { Optional($0) })
  var inputs = ["x"]
  for (index, weight) in weights.enumerated() {
    net.weight("w\(index)", weight.dims, weight.values)
    inputs.append("w\(index)")
  }
  for (index, list) in lists.enumerated() {
    net.integers("l\(index)", list)
    inputs.append("l\(index)")
  }
  net.node(kind, inputs, "y", attributes, domain: domain)
  net.output("y")
  return net
}
