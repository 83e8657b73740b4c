import Diagnostics
import Tensors

/// One operator in a graph; it has one output, known by the node's name.
public struct Node: Sendable, Hashable, Codable {
  public let name: String
  public var op: Operator
  /// The names of the nodes whose outputs it takes, in order.
  public var inputs: [String]

  public init(_ name: String, _ op: Operator, _ inputs: [String] = []) {
    self.name = name
    self.op = op
    self.inputs = inputs
  }
}

/// The structure of a network: nodes in an order in which they can be computed.
///
/// A graph is valid by construction: names are unique, inputs come before their use, and every shape
/// has been inferred. It carries no weights; those are the `Model`'s.
public struct Graph: Sendable, Hashable {
  public let nodes: [Node]
  /// The name of the node whose output is the network's.
  public let output: String
  private let indices: [String: Int]
  private let inferred: [Shape]

  /// Elements of one layer's output for one sample: keeps indices within 32 bits and costs within 64.
  static let largestOutput = Int(Int32.max)
  static let mostNodes = 1 << 16
  /// Multiply-accumulates of one layer for one sample, and elements of all parameters: sums and products of them, with
  /// batches and with bytes, then stay within 64 bits.
  static let mostWork = 1 << 46
  static let mostParameters = 1 << 40

  /// - Throws: `CompressError` naming the layer when names clash, an input is unknown or comes later,
  ///   or shapes do not fit.
  public init(_ nodes: [Node], output: String) throws {
    guard nodes.count <= Self.mostNodes else {
      throw CompressError("a network has at most \(Self.mostNodes) layers, not \(nodes.count)")
    }
    var indices: [String: Int] = [:]
    var shapes: [Shape] = []
    var parameters = 0
    for (index, node) in nodes.enumerated() {
      try atLayer(node.name) {
        guard !node.name.isEmpty, node.name.utf8.count <= 512 else {
          throw CompressError("a layer's name has 1 to 512 bytes")
        }
        guard indices[node.name] == nil else { throw CompressError("two layers have this name") }
        let inputs = try node.inputs.map { name in
          guard let source = indices[name] else { throw CompressError("its input \"\(name)\" is no earlier layer") }
          return shapes[source]
        }
        guard node.op.spec.arity.contains(inputs.count) else {
          throw CompressError("\(node.op.spec.kind) takes \(node.op.spec.arity.text) inputs, not \(inputs.count)")
        }
        let shape = try node.op.spec.outputShape(inputs)
        guard shape.count <= Self.largestOutput else {
          throw CompressError("its output of shape \(shape) has more than \(Self.largestOutput) elements")
        }
        // As doubles, which no product overflows.
        let work = node.op.spec.work(inputs, shape)
        guard work <= Double(Self.mostWork) else {
          throw CompressError("it takes \(work) multiply-accumulates for one sample, more than \(Self.mostWork)")
        }
        parameters += node.op.spec.parameters(inputs).reduce(0) { $0 + $1.shape.count }
        guard parameters <= Self.mostParameters else {
          throw CompressError("with it there are \(parameters) parameters, more than \(Self.mostParameters)")
        }
        shapes.append(shape)
      }
      indices[node.name] = index
    }
    guard indices[output] != nil else { throw CompressError("the network's output \"\(output)\" is no layer") }
    guard nodes.count(where: { if case .input = $0.op { true } else { false } }) == 1 else {
      throw CompressError("a network has exactly one input")
    }
    self.nodes = nodes
    self.output = output
    self.indices = indices
    self.inferred = shapes
  }

  /// The node of that name, or nil.
  public subscript(name: String) -> Node? { indices[name].map { nodes[$0] } }

  /// The position of a node in `nodes`, or nil.
  public func index(of name: String) -> Int? { indices[name] }

  /// The shape of a node's output for one sample.
  ///
  /// - Precondition: the node exists.
  public func shape(of name: String) -> Shape { inferred[indices[name]!] }

  public func inputShapes(of node: Node) -> [Shape] { node.inputs.map(shape(of:)) }

  public var input: Node { nodes.first { if case .input = $0.op { true } else { false } }! }
  public var inputShape: Shape { shape(of: input.name) }
  public var outputShape: Shape { shape(of: output) }

  /// For each node, the names of those that take its output, in order.
  public var consumers: [String: [String]] {
    var consumers: [String: [String]] = [:]
    for node in nodes {
      for input in node.inputs { consumers[input, default: []].append(node.name) }
    }
    return consumers
  }
}

extension ClosedRange<Int> {
  fileprivate var text: String { lowerBound == upperBound ? "\(lowerBound)" : "\(lowerBound) to \(upperBound)" }
}

extension Graph: Codable {
  private enum CodingKeys: String, CodingKey { case nodes, output }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      container.decode([Node].self, forKey: .nodes), output: container.decode(String.self, forKey: .output))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(nodes, forKey: .nodes)
    try container.encode(output, forKey: .output)
  }
}
