import Foundation
import Network
import TestSupport
import Testing

/// PyTorch as scripts beside these tests call it: a job in, an answer out, both JSON.
enum PyTorch {
  /// A Python with PyTorch: `$COMPRESS_TEST_PYTHON`; nil where there is none.
  static let python = PythonInterpreter.path(importing: "torch")

  static let missing: Comment = "SKIPPED: set COMPRESS_TEST_PYTHON to a Python interpreter that has PyTorch"

  /// Of a parameter: its values, or its gradient.
  struct Entry: Decodable {
    let layer, role: String
    let values: [Double]

    var parameter: ParameterRole? { ParameterRole(rawValue: role) }
  }

  /// - Parameter script: a file beside this one.
  static func answer<Answer: Decodable>(_ script: String, to job: [String: Any]) throws -> Answer {
    let process = Process(), input = Pipe(), out = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    process.arguments = [URL(filePath: #filePath).deletingLastPathComponent().path + "/" + script]
    process.standardInput = input
    process.standardOutput = out
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: JSONSerialization.data(withJSONObject: job))
    try input.fileHandleForWriting.close()
    let text = try out.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "the Python script failed")
    return try JSONDecoder().decode(Answer.self, from: text)
  }

  static func tensor(_ values: [Float], _ shape: [Int]) -> [String: Any] {
    ["values": values.map(Double.init), "shape": shape]
  }

  static func parameters(of model: Model) -> [[String: Any]] {
    model.allParameters.map { layer, role, parameter in
      tensor(parameter.values.array(Float.self), parameter.shape.dims)
        .merging(["layer": layer, "role": role.rawValue]) { $1 }
    }
  }

  /// A node as every script knows it.
  ///
  /// - Parameter other: the `kind` and more of what one script alone knows; nil for an operator that it does not.
  static func node(_ node: Node, _ graph: Graph, other: (Operator) -> [String: Any]?) throws -> [String: Any] {
    let own: [String: Any]
    switch node.op {
    case .input: own = ["kind": "input"]
    case .conv2d(let spec):
      let shape = graph.inputShapes(of: node)[0]
      let pads = spec.window.pads(height: shape[0], width: shape[1])
      own = [
        "kind": "conv2d", "padding": [pads.top, pads.left, pads.bottom, pads.right],
        "stride": [spec.window.stride.height, spec.window.stride.width], "groups": spec.groups,
      ]
    case .dense: own = ["kind": "dense"]
    case .batchNorm(let spec):
      own = ["kind": "batch_norm", "epsilon": Double(spec.epsilon), "momentum": Double(spec.momentum)]
    case .pool2d(let spec) where spec.reduction == .max:
      own = ["kind": "max_pool", "size": spec.window.size.height, "stride": spec.window.stride.height]
    case .globalPool: own = ["kind": "global_average"]
    case .add: own = ["kind": "add"]
    case .flatten: own = ["kind": "flatten"]
    default: own = try #require(other(node.op), "the script does not know the operator of \(node.name)")
    }
    return own.merging(["name": node.name, "inputs": node.inputs]) { $1 }
  }
}
