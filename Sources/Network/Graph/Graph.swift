import Diagnostics
import Tensors

/// The structure of a network: nodes in an order in which they can be computed, and the values between them.
///
/// A graph is valid by construction: names are unique, inputs come before their use, and every shape
/// has been inferred. Shapes are those of one sample; the batch is an axis that only running knows. A graph carries no
/// weights; those are the `Model`'s.
public struct Graph: Sendable, Hashable {
  public let nodes: [Node]
  /// The names of the network's outputs, in their order: at least one.
  public let outputs: [String]
  /// The names of the network's inputs, in the order of their nodes: at least one.
  public let inputs: [String]
  /// The names of all values, in the order of the nodes that give them.
  public let values: [String]
  private let nodeIndices: [String: Int]
  private let valueIndices: [String: Int]
  /// By value: the node that gives it, and its shape.
  private let producers: [Int]
  private let shapes: [Shape]
  /// Layers whose parameters others compute with, too.
  private let sharedLayers: Set<String>

  /// Elements of one layer's output for one sample: keeps indices within 32 bits and costs within 64.
  public static let largestOutput = Int(Int32.max)
  static let mostNodes = 1 << 16
  /// Multiply-accumulates of one layer for one sample, and elements of all parameters: sums and products of them, with
  /// batches and with bytes, then stay within 64 bits.
  static let mostWork = 1 << 46
  static let mostParameters = 1 << 40

  /// - Throws: `CompressError` naming the layer when names clash, an input is unknown or comes later,
  ///   or shapes do not fit.
  public init(_ nodes: [Node], outputs: [String]) throws {
    guard nodes.count <= Self.mostNodes else {
      throw CompressError("a network has at most \(Self.mostNodes) layers, not \(nodes.count)")
    }
    var nodeIndices: [String: Int] = [:]
    var valueIndices: [String: Int] = [:]
    var values: [String] = []
    var producers: [Int] = []
    var shapes: [Shape] = []
    var shared: Set<String> = []
    var parameters = 0
    for (index, node) in nodes.enumerated() {
      try atLayer(node.name) {
        let spec = node.op.spec
        for name in [node.name] + node.outputs {
          guard !name.isEmpty, name.utf8.count <= 512 else {
            throw CompressError("a layer's name has 1 to 512 bytes")
          }
        }
        // A layer's name may be that of its own value, and of no other.
        guard nodeIndices[node.name] == nil, valueIndices[node.name] == nil else {
          throw CompressError("two layers have this name")
        }
        nodeIndices[node.name] = index
        let inputs = try node.inputs.map { name in
          guard let source = valueIndices[name] else {
            throw CompressError("its input \"\(name)\" is no earlier layer")
          }
          return shapes[source]
        }
        guard spec.arity.contains(inputs.count) else {
          throw CompressError("\(spec.kind) takes \(spec.arity.text) inputs, not \(inputs.count)")
        }
        let given = try spec.outputShapes(inputs)
        guard given.count == node.outputs.count else {
          throw CompressError("\(spec.kind) gives \(given.count) outputs, not \(node.outputs.count)")
        }
        for (name, shape) in zip(node.outputs, given) {
          guard shape.count <= spec.largestOutput else {
            throw CompressError("its output of shape \(shape) has more than \(spec.largestOutput) elements")
          }
          guard valueIndices[name] == nil, nodeIndices[name] ?? index == index else {
            throw CompressError("its output \"\(name)\" has the name of another layer")
          }
          valueIndices[name] = values.count
          values.append(name)
          producers.append(index)
          shapes.append(shape)
        }
        // As doubles, which no product overflows.
        let work = spec.work(inputs, given)
        guard work <= Double(Self.mostWork) else {
          throw CompressError("it takes \(work) multiply-accumulates for one sample, more than \(Self.mostWork)")
        }
        let own = spec.parameters(inputs)
        if let owner = node.sharing {
          try Self.checkSharing(node, own, owner: nodeIndices[owner].map { nodes[$0] }) { value in
            valueIndices[value].map { shapes[$0] }
          }
          shared.insert(owner)
        } else {
          parameters += own.reduce(0) { $0 + $1.shape.count }
        }
        guard parameters <= Self.mostParameters else {
          throw CompressError("with it there are \(parameters) parameters, more than \(Self.mostParameters)")
        }
      }
    }
    guard !outputs.isEmpty else { throw CompressError("a network has at least one output") }
    for (index, output) in outputs.enumerated() {
      guard valueIndices[output] != nil else { throw CompressError("the network's output \"\(output)\" is no layer") }
      guard !outputs[..<index].contains(output) else {
        throw CompressError("\"\(output)\" is named twice as the network's output")
      }
    }
    let inputs = nodes.filter { $0.op.isInput }.map(\.output)
    guard !inputs.isEmpty else { throw CompressError("a network has at least one input") }
    self.nodes = nodes
    self.outputs = outputs
    self.inputs = inputs
    self.values = values
    self.nodeIndices = nodeIndices
    self.valueIndices = valueIndices
    self.producers = producers
    self.shapes = shapes
    sharedLayers = shared
  }

  /// A network with one output.
  public init(_ nodes: [Node], output: String) throws { try self.init(nodes, outputs: [output]) }

  private static func checkSharing(
    _ node: Node, _ own: [ParameterSpec], owner: Node?, shape: (String) -> Shape?
  ) throws {
    guard let owner else {
      throw CompressError("shares the parameters of \"\(node.sharing ?? "")\", which is no earlier layer")
    }
    guard owner.sharing == nil else {
      throw CompressError("shares the parameters of \"\(owner.name)\", which has none of its own")
    }
    let theirs = owner.op.spec.parameters(owner.inputs.compactMap(shape))
    guard owner.op.spec.kind == node.op.spec.kind, theirs == own, !own.isEmpty else {
      throw CompressError(
        "a \(node.op.spec.kind) cannot share the parameters of \"\(owner.name)\", a \(owner.op.spec.kind): "
          + "they are others")
    }
  }

  // MARK: Nodes

  /// The node of that name, or nil.
  public subscript(name: String) -> Node? { nodeIndices[name].map { nodes[$0] } }

  /// The position of a node in `nodes`, or nil.
  public func index(of name: String) -> Int? { nodeIndices[name] }

  /// The node that gives a value, or nil when there is no such value.
  public func producer(of value: String) -> Node? { valueIndices[value].map { nodes[producers[$0]] } }

  public func inputShapes(of node: Node) -> [Shape] { node.inputs.map(shape(of:)) }
  public func outputShapes(of node: Node) -> [Shape] { node.outputs.map(shape(of:)) }

  /// The layer whose parameters a layer computes with: itself, or the one it shares them with.
  public func owner(of layer: String) -> String { self[layer]?.sharing ?? layer }

  /// Whether several layers compute with the parameters of this one.
  public func isShared(_ layer: String) -> Bool { sharedLayers.contains(owner(of: layer)) }

  // MARK: Values

  /// The position of a value in `values`, or nil.
  public func index(ofValue name: String) -> Int? { valueIndices[name] }

  /// The shape of a value for one sample.
  ///
  /// - Precondition: the value exists.
  public func shape(of value: String) -> Shape { shapes[valueIndices[value]!] }

  /// Whether a value is one of the network's outputs.
  public func isOutput(_ value: String) -> Bool { outputs.contains(value) }

  /// The network's first output: of several the one whose class scores are trained and evaluated.
  public var output: String { outputs[0] }
  public var outputShape: Shape { shape(of: output) }

  public var inputShapes: [Shape] { inputs.map(shape(of:)) }
  public var outputShapes: [Shape] { outputs.map(shape(of:)) }

  /// The shape of what the network is given for one sample: that of its input; of several inputs a vector with all
  /// their elements, one input after the other.
  public var inputShape: Shape { .record(inputShapes) }

  /// For each value, the names of the nodes that take it, in order.
  public var consumers: [String: [String]] {
    var consumers: [String: [String]] = [:]
    for node in nodes {
      for input in node.inputs { consumers[input, default: []].append(node.name) }
    }
    return consumers
  }

  /// The names of the nodes without which some values cannot be computed.
  public func needed(for values: some Sequence<String>) -> Set<String> {
    var wanted = Set(values), needed: Set<String> = []
    for node in nodes.reversed() where node.outputs.contains(where: wanted.contains) {
      needed.insert(node.name)
      wanted.formUnion(node.inputs)
    }
    return needed
  }
}

extension Shape {
  /// One sample of values of these shapes: the shape of the only one, or a vector with the elements of all.
  public static func record(_ shapes: [Shape]) -> Shape {
    shapes.count == 1 ? shapes[0] : [shapes.reduce(0) { $0 + $1.count }]
  }
}

extension ClosedRange<Int> {
  /// `2`, or `2 to 4`.
  public var text: String { lowerBound == upperBound ? "\(lowerBound)" : "\(lowerBound) to \(upperBound)" }
}

// One output is written by its name, as it was before there could be several.
extension Graph: Codable {
  private enum CodingKeys: String, CodingKey { case nodes, output, outputs }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let outputs =
      try container.decodeIfPresent([String].self, forKey: .outputs)
      ?? [try container.decode(String.self, forKey: .output)]
    try self.init(container.decode([Node].self, forKey: .nodes), outputs: outputs)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(nodes, forKey: .nodes)
    if outputs.count == 1 {
      try container.encode(output, forKey: .output)
    } else {
      try container.encode(outputs, forKey: .outputs)
    }
  }
}
