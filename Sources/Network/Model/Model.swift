import Diagnostics
import Tensors

/// A network with its weights and everything compression has said about them.
///
/// A model is a value and valid by construction: each layer has just the parameters its operator
/// asks for, in the right shapes.
public struct Model: Sendable {
  public let graph: Graph
  private var parameters: [String: [ParameterRole: Parameter]]
  /// Quantization of values, by their names; a value that is not there stays float.
  public private(set) var activations: [String: ActivationEncoding]
  /// What its input and output mean.
  public private(set) var signature: ModelSignature

  /// - Throws: `CompressError` naming the layer when a parameter is missing, superfluous or of the
  ///   wrong shape, or an annotation belongs to no layer; when the signature is that of another network.
  public init(
    graph: Graph, parameters: [String: [ParameterRole: Parameter]], activations: [String: ActivationEncoding] = [:],
    signature: ModelSignature = .unknown
  ) throws {
    for node in graph.nodes {
      try atLayer(node.name) {
        let wanted = node.sharing == nil ? graph.parameterSpecs(of: node) : []
        let given = parameters[node.name] ?? [:]
        for spec in wanted {
          guard let parameter = given[spec.role] else {
            throw CompressError("has no \(spec.role.rawValue)", kind: .input)
          }
          guard parameter.shape == spec.shape else {
            throw CompressError(
              "\(spec.role.rawValue) has shape \(parameter.shape), expected \(spec.shape)", kind: .input)
          }
          if let structure = parameter.structure, spec.role != .weight {
            throw CompressError("\(spec.role.rawValue) comes as \(structure), which is for weights", kind: .input)
          }
        }
        guard given.count == wanted.count else {
          let extra = given.keys.filter { role in !wanted.contains { $0.role == role } }.map(\.rawValue).sorted()
          throw CompressError("\(node.op.spec.kind) has no \(extra.joined(separator: ", "))", kind: .input)
        }
      }
    }
    let strangers =
      parameters.keys.filter { graph[$0] == nil } + activations.keys.filter { graph.index(ofValue: $0) == nil }
    if let name = strangers.min() {
      throw CompressError("annotations for \"\(name)\", which is no layer", kind: .input)
    }
    try signature.check(graph)
    self.graph = graph
    self.parameters = parameters
    self.activations = activations
    self.signature = signature
  }

  /// A parameter that a layer computes with, or nil when it has none in that role.
  public subscript(layer: String, role: ParameterRole) -> Parameter? { parameters[graph.owner(of: layer)]?[role] }

  /// Replaces a parameter, for all layers that share it.
  ///
  /// - Throws: `CompressError` when the layer has no such parameter or the shape differs.
  public mutating func set(_ parameter: Parameter, _ layer: String, _ role: ParameterRole) throws {
    let owner = graph.owner(of: layer)
    guard let old = parameters[owner]?[role] else {
      throw CompressError("has no \(role.rawValue)").at(layer: layer)
    }
    guard old.shape == parameter.shape else {
      throw CompressError("\(role.rawValue) of shape \(parameter.shape) in place of \(old.shape)").at(layer: layer)
    }
    parameters[owner]![role] = parameter
  }

  /// Puts a mask (uint8, 0 removes) of a layer's weight in force, in place where nobody else shares the values.
  ///
  /// - Throws: `CompressError` naming the layer when it has no float weight or the mask's shape differs.
  public mutating func prune(_ layer: String, by mask: Tensor) throws {
    let owner = graph.owner(of: layer)
    guard parameters[owner]?[.weight] != nil else { throw CompressError("has no weight").at(layer: layer) }
    do { try parameters[owner]![.weight]!.remove(by: mask) } catch let error as CompressError {
      throw error.at(layer: layer)
    }
  }

  /// Has a layer's weight take on a structure, if it has a mask and its zeros come in it; otherwise what it has stays.
  public mutating func adopt(_ structure: SparsityStructure?, of layer: String) {
    parameters[graph.owner(of: layer)]?[.weight]?.adopt(structure)
  }

  /// Has the model say what of a signature is about its network.
  public mutating func adopt(_ signature: ModelSignature) { self.signature = signature.fitting(graph) }

  /// Sets or removes the quantization of a value.
  ///
  /// - Throws: `CompressError` when there is no such value.
  public mutating func setActivation(_ encoding: ActivationEncoding?, of value: String) throws {
    guard graph.index(ofValue: value) != nil else { throw CompressError("there is no layer \"\(value)\"") }
    activations[value] = encoding
  }

  /// Sets the quantization of a value.
  ///
  /// - Throws: `CompressError` when there is no such value.
  public mutating func setActivation(_ quantization: ActivationQuantization, of value: String) throws {
    try setActivation(.affine(quantization), of: value)
  }

  /// One layer's own parameters in the order they are stored; none of one that computes with another's.
  public func parameters(of node: Node) -> [(role: ParameterRole, parameter: Parameter)] {
    guard node.sharing == nil else { return [] }
    return graph.parameterSpecs(of: node).map { ($0.role, parameters[node.name]![$0.role]!) }
  }

  /// All parameters in the graph's order: the order of files, of optimizers, of tie-breaking.
  public var allParameters: [(layer: String, role: ParameterRole, parameter: Parameter)] {
    graph.nodes.flatMap { node in parameters(of: node).map { (node.name, $0.role, $0.parameter) } }
  }

  /// The parameters of all layers that have some of their own.
  public var parametersByLayer: [String: [ParameterRole: Parameter]] { parameters }

  /// The model with another graph over the same parameters and annotations.
  ///
  /// - Throws: what `init` throws.
  public func replacing(_ graph: Graph) throws -> Model {
    try Model(
      graph: graph, parameters: parameters, activations: activations, signature: signature.fitting(graph))
  }

  /// The network that ends with some of its values; it takes the same inputs.
  public func upTo(_ values: [String]) throws -> Model {
    let needed = graph.needed(for: values)
    let part = try Graph(graph.nodes.filter { needed.contains($0.name) || $0.op.isInput }, outputs: values)
    return try Model(
      graph: part, parameters: parameters.filter { part[$0.key] != nil },
      activations: activations.filter { part.index(ofValue: $0.key) != nil }, signature: signature.fitting(part))
  }

  /// What the parameters are stored in, masks included; scales and tables apart.
  public var tensors: [Tensor] {
    parameters.values.flatMap { $0.values.flatMap { [$0.encoding.tensor] + ($0.mask.map { [$0] } ?? []) } }
  }

  /// Names of the layers that have a weight of their own (convolutions and dense layers), in the graph's order:
  /// what pruning and quantization plugins are asked about.
  public var weightLayers: [String] { graph.nodes.map(\.name).filter { parameters[$0]?[.weight] != nil } }
}

extension Graph {
  /// What parameters a node computes with.
  public func parameterSpecs(of node: Node) -> [ParameterSpec] { node.op.spec.parameters(inputShapes(of: node)) }
}
