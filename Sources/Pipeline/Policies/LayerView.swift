import Network
import Tensors

/// One convolution or dense layer as policies see it: read only.
public struct LayerView {
  public let name: String
  /// `conv2d` or `dense`.
  public let kind: String
  /// Position among the layers that have weights, from 0.
  public let index: Int
  /// How many such layers there are.
  public let count: Int
  /// The current weight, float32, output channels first.
  public private(set) var weight: Tensor
  public let bias: Tensor?
  /// The scale of the batch norm that takes the layer's output, if one does: `[filters]`.
  public let gamma: Tensor?
  /// The gradient of the mean loss with respect to the weight, of its shape; for policies that need it.
  public internal(set) var gradient: Tensor?
  /// The mean of the squared gradients of batches, of the weight's shape; for policies that need it.
  public internal(set) var gradientSquare: Tensor?
  /// Its output for the first samples, behind its batch norm and activation: `[n, height, width, channels]`, or
  /// `[n, units]`; for policies that need it.
  public internal(set) var activations: Tensor?
  /// What the policy gathered of it while training, of the weight's shape.
  public internal(set) var gathered: Tensor?
  public let inputShape: Shape
  public let outputShape: Shape
  public let macs: Int
  /// What the weight is stored as: `float32`, `int8`, `16 values` …
  public let stored: String

  public init(
    name: String, kind: String, index: Int, count: Int, weight: Tensor, bias: Tensor?, gamma: Tensor? = nil,
    inputShape: Shape, outputShape: Shape, macs: Int, stored: String
  ) {
    self.name = name
    self.kind = kind
    self.index = index
    self.count = count
    self.weight = weight
    self.bias = bias
    self.gamma = gamma
    self.inputShape = inputShape
    self.outputShape = outputShape
    self.macs = macs
    self.stored = stored
  }

  /// The layer `name` of a model.
  public init(_ model: Model, _ name: String) { self = LayerViews(model)[name] }

  /// Some of its filters alone, as far as the weight and its gradients go.
  func filters(_ range: Range<Int>) throws -> LayerView {
    guard range.count < weight.shape[0] else { return self }
    var part = self
    part.weight = try weight.sliced(axis: 0, range)
    part.gradient = try gradient?.sliced(axis: 0, range)
    part.gradientSquare = try gradientSquare?.sliced(axis: 0, range)
    part.gathered = try gathered?.sliced(axis: 0, range)
    return part
  }
}

/// The layers with weights of one model as policies see them; what takes a walk through the network is found once.
public struct LayerViews {
  private let model: Model
  private let indices: [String: Int]
  /// The batch norms right behind layers.
  private let norms: [String: String]
  /// In the model's order.
  public let names: [String]

  public init(_ model: Model) {
    self.model = model
    names = model.weightLayers
    indices = Dictionary(uniqueKeysWithValues: zip(names, 0...))
    var norms: [String: String] = [:]
    for node in model.graph.nodes {
      guard node.op.isBatchNorm, norms[node.inputs[0]] == nil else { continue }
      norms[node.inputs[0]] = node.name
    }
    self.norms = norms
  }

  /// - Parameter weight: in place of the model's own (while training moves it).
  /// - Precondition: the model has the layer.
  public subscript(name: String, weight weight: Tensor? = nil) -> LayerView {
    let graph = model.graph, node = graph[name]!
    return LayerView(
      name: name, kind: node.op.spec.kind, index: indices[name] ?? 0, count: names.count,
      weight: weight ?? model[name, .weight]!.values, bias: model[name, .bias]?.values,
      gamma: norms[name].flatMap { model[$0, .gamma]?.values }, inputShape: graph.shape(of: node.inputs[0]),
      outputShape: graph.shape(of: name),
      macs: node.op.spec.macs(graph.inputShapes(of: node), graph.outputShapes(of: node)),
      stored: model[name, .weight]!.encoding.name)
  }
}
