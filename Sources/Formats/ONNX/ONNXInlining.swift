import Diagnostics

/// The nodes of a graph with the bodies of the model's own functions in place of the nodes that call them.
struct ONNXInlining {
  /// How deep functions may call functions, and how many nodes there may be in the end.
  private static let deepest = 32
  private static let mostNodes = 1 << 16

  private let functions: [String: ONNXFunctionMessage]
  private(set) var nodes: [ONNXNode] = []
  private var calls = 0

  init(_ model: ONNXModelMessage, _ graph: ONNXGraphMessage) throws {
    functions = Dictionary(model.functions.map { (Self.key($0.domain, $0.name), $0) }) { first, _ in first }
    for node in graph.nodes { try add(node, model.operatorSets, depth: 0) }
  }

  private static func key(_ domain: String, _ name: String) -> String { domain + "\0" + name }

  private mutating func add(_ node: ONNXNode, _ sets: [String: Int], depth: Int) throws {
    guard let function = functions[Self.key(node.domain, node.kind)] else {
      guard nodes.count < Self.mostNodes else {
        throw CompressError("more than \(Self.mostNodes) nodes", kind: .limit)
      }
      var node = node
      node.version = sets[node.domain] ?? 0
      return nodes.append(node)
    }
    guard depth < Self.deepest else {
      throw CompressError("\(node.label): functions call functions more than \(Self.deepest) deep", kind: .limit)
    }
    calls += 1
    guard calls <= Self.mostNodes else {
      throw CompressError("functions are called more than \(Self.mostNodes) times", kind: .limit)
    }
    // Names inside are those of the call, so that two calls do not share them.
    let prefix = "\(node.name.isEmpty ? node.outputs.first ?? "" : node.name)#\(calls)/"
    var names: [String: String] = ["": ""]
    for (index, input) in function.inputs.enumerated() {
      names[input] = index < node.inputs.count ? node.inputs[index] : ""
    }
    for (output, outer) in zip(function.outputs, node.outputs) where !outer.isEmpty { names[output] = outer }
    let inner = sets.merging(function.operatorSets) { $1 }
    for body in function.nodes {
      var body = body
      func renamed(_ name: String) -> String { names[name] ?? prefix + name }
      body.inputs = body.inputs.map(renamed)
      body.outputs = body.outputs.map(renamed)
      body.name = prefix + body.name
      for (name, attribute) in body.attributes where !attribute.reference.isEmpty {
        if var value = node.attributes[attribute.reference] ?? function.defaults[attribute.reference] {
          value.name = name
          body.attributes[name] = value
        } else {
          body.attributes[name] = nil
        }
      }
      try add(body, inner, depth: depth + 1)
    }
  }
}
