/// One operator in a graph: the values it takes and the values it gives.
public struct Node: Sendable, Hashable {
  /// The layer's name.
  public let name: String
  public var op: Operator
  /// The names of the values it takes, in order.
  public var inputs: [String]
  /// The names of the values it gives, in order. The value of a node with one output has the node's name.
  public let outputs: [String]
  /// The layer whose parameters this one computes with, where it has none of its own.
  public var sharing: String?

  /// - Parameter outputs: nil for one output with the node's name.
  public init(
    _ name: String, _ op: Operator, _ inputs: [String] = [], outputs: [String]? = nil, sharing: String? = nil
  ) {
    self.name = name
    self.op = op
    self.inputs = inputs
    self.outputs = outputs ?? [name]
    self.sharing = sharing
  }

  /// The name of its first output: the only one of most nodes.
  public var output: String { outputs[0] }
}

// What is as usual is left out of files: one output with the node's name, parameters of its own.
extension Node: Codable {
  private enum CodingKeys: String, CodingKey { case name, op, inputs, outputs, sharing = "parameters_of" }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try container.decode(String.self, forKey: .name), try container.decode(Operator.self, forKey: .op),
      try container.decode([String].self, forKey: .inputs),
      outputs: try container.decodeIfPresent([String].self, forKey: .outputs),
      sharing: try container.decodeIfPresent(String.self, forKey: .sharing))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(op, forKey: .op)
    try container.encode(inputs, forKey: .inputs)
    if outputs != [name] { try container.encode(outputs, forKey: .outputs) }
    try container.encodeIfPresent(sharing, forKey: .sharing)
  }
}
