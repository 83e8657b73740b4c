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

  /// - Parameter layers: those with weights, in the network's order.
  /// - Throws: `CompressError` when an option names a layer, or a pattern of layers, that is not among them.
  func check(layers: [String]) throws
}

extension Policy {
  public func check(layers: [String]) throws {}
}

/// Scores weights; the engine removes those of least score.
public protocol PruningPolicy: Policy {
  /// What is removed as a whole.
  var unit: PruningUnit { get }

  /// Whether scores are ranked across all layers together or in each layer on its own.
  var scope: PruningScope { get }

  /// Filters: whether a group's scores are divided by their mean before groups are ranked together.
  var normalizesScores: Bool { get }

  /// Whether a weight's score depends on nothing but that weight and its gradients: large layers are then scored some
  /// filters at a time.
  var isElementwise: Bool { get }

  /// What it must know of a layer besides its weights.
  var needs: Set<LayerNeed> { get }

  /// Layers to leave whole.
  func skips(_ layer: LayerView) -> Bool

  /// A score for each weight, a float32 tensor of the weight's shape, or for each filter, `[filters]`; without NaN.
  /// Pure; called for one layer at a time. nil leaves the layer whole.
  func score(_ layer: LayerView) throws -> Tensor?

  /// Whether its scores are made of what it gathers while the network trains.
  var gathers: Bool { get }

  /// What is to be remembered of a layer after a step of training, of the weight's shape: `layer.gradient` is that of
  /// the step's batch, `gathered` what was remembered before, nil at first. It comes back as `layer.gathered`. Pure.
  func gather(_ layer: LayerView, _ gathered: Tensor?) throws -> Tensor
}

extension PruningPolicy {
  public var unit: PruningUnit { .weight }
  public var normalizesScores: Bool { true }
  public var isElementwise: Bool { false }
  public var needs: Set<LayerNeed> { [] }
  public var gathers: Bool { false }
  public func gather(_ layer: LayerView, _ gathered: Tensor?) throws -> Tensor { layer.weight }
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
