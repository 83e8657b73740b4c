import Compression
import Network
import Tensors

// What plugins decide. The engine asks through these protocols; scripts answer in Lua, tests in Swift.
// Policies belong to the thread that runs the script.

/// Anything whose choice enters a stage's key.
public protocol Policy {
  /// The plugin's name, for labels.
  var name: String { get }
  /// The plugin's source and options.
  var recipe: Recipe { get }
}

/// Scores weights; the engine removes those of least score.
public protocol PruningPolicy: Policy {
  /// What is removed as a whole.
  var unit: PruningUnit { get }

  /// Whether scores are ranked across all layers together or in each layer on its own.
  var scope: PruningScope { get }

  /// Filters: whether a group's scores are divided by their mean before groups are ranked together.
  var normalizesScores: Bool { get }

  /// What it must know of a layer besides its weights.
  var needs: Set<LayerNeed> { get }

  /// Layers to leave whole.
  func skips(_ layer: LayerView) -> Bool

  /// A score for each weight, a float32 tensor of the weight's shape, or for each filter, `[filters]`; without NaN.
  /// Pure; called for one layer at a time. nil leaves the layer whole.
  func score(_ layer: LayerView) throws -> Tensor?
}

extension PruningPolicy {
  public var unit: PruningUnit { .weight }
  public var normalizesScores: Bool { true }
  public var needs: Set<LayerNeed> { [] }
}

/// A quantity that follows progress: a sparsity, a learning rate.
public protocol Schedule: Policy {
  /// The value at `t`, from 0 (begin) to 1 (end).
  func value(at t: Double) throws -> Double
}

/// Says how each layer is to be quantized.
public protocol QuantizationPolicy: Policy {
  /// nil leaves the layer float.
  func assign(_ layer: LayerView) throws -> LayerQuantization?
}

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
  public let weight: Tensor
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
  public let inputShape: Shape
  public let outputShape: Shape
  public let macs: Int

  public init(
    name: String, kind: String, index: Int, count: Int, weight: Tensor, bias: Tensor?, gamma: Tensor? = nil,
    inputShape: Shape, outputShape: Shape, macs: Int
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
  }

  /// The layer `name` of a model; `weight` overrides the model's own (while training moves it).
  public init(_ model: Model, _ name: String, weight: Tensor? = nil) {
    let graph = model.graph, node = graph[name]!
    let layers = model.weightLayers
    self.init(
      name: name, kind: node.op.spec.kind, index: layers.firstIndex(of: name) ?? 0, count: layers.count,
      weight: weight ?? model[name, .weight]!.values, bias: model[name, .bias]?.values,
      gamma: graph.nodes.first { $0.inputs == [name] && model[$0.name, .gamma] != nil }.flatMap {
        model[$0.name, .gamma]?.values
      }, inputShape: graph.shape(of: node.inputs[0]), outputShape: graph.shape(of: name),
      macs: node.op.spec.macs(graph.inputShapes(of: node), graph.shape(of: name)))
  }
}
