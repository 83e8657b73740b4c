import Tensors

/// What a model costs, layer by layer: the numbers behind summaries and comparisons.
public struct ModelCost: Sendable {
  public struct Layer: Sendable {
    public let name: String
    public let kind: String
    public let outputShape: Shape
    /// Of convolutions and dense layers: output channels; nil for others.
    public let filters: Int?
    public let parameters: Int
    public let nonzero: Int
    /// Values of the weight alone, and those that are not zero. Biases and statistics are never pruned, and folding a
    /// batch norm makes biases: counted together, zeros would seem to come and go.
    public let weights: Int
    public let nonzeroWeights: Int
    public let macs: Int
    /// Encoding of the weight (`float32`, `int8` …); nil without one.
    public let encoding: String?
    /// Bits of one value of the weight; nil without one.
    public let bits: Int?
    /// The form in which the weight's zeros come; nil where none is known.
    public let structure: SparsityStructure?
    /// Bytes of its parameters as stored.
    public let bytes: Int
    public let inputs: [String]
  }

  public let layers: [Layer]

  public init(_ model: Model) {
    layers = model.graph.nodes.map { node in
      let parameters = model.parameters(of: node).map(\.parameter)
      let weight = node.sharing == nil ? model[node.name, .weight] : nil
      return Layer(
        name: node.name, kind: node.op.spec.name, outputShape: model.graph.shape(of: node.output),
        filters: weight?.shape.dims.first,
        parameters: parameters.reduce(0) { $0 + $1.count },
        nonzero: parameters.reduce(0) { $0 + $1.nonzeroCount },
        weights: weight?.count ?? 0, nonzeroWeights: weight?.nonzeroCount ?? 0,
        macs: node.op.spec.macs(model.graph.inputShapes(of: node), model.graph.outputShapes(of: node)),
        encoding: weight?.encoding.name, bits: weight?.encoding.bits,
        structure: weight?.structure,
        bytes: parameters.reduce(0) { $0 + $1.encoding.byteCount },
        inputs: node.inputs)
    }
  }

  public var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }
  public var nonzero: Int { layers.reduce(0) { $0 + $1.nonzero } }
  public var weights: Int { layers.reduce(0) { $0 + $1.weights } }
  public var nonzeroWeights: Int { layers.reduce(0) { $0 + $1.nonzeroWeights } }
  public var macs: Int { layers.reduce(0) { $0 + $1.macs } }
  public var bytes: Int { layers.reduce(0) { $0 + $1.bytes } }
}
