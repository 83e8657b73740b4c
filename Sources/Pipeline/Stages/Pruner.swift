import Compression
import Datasets
import Diagnostics
import Network
import Tensors

/// Asks the policy for scores and turns them into masks.
struct Pruner {
  /// Weights whose scores stay in the processor's cache until they are counted.
  private static let elementsAtOnce = 1 << 18

  let policy: any PruningPolicy
  let model: Model
  let samples: (any Dataset)?
  let context: StageContext
  let views: LayerViews
  /// The layers that are open to pruning.
  let layers: [String]

  /// How much is to be zero.
  enum Amount {
    /// Of all layers together, or of each, as the policy's scope says.
    case share(Double)
    /// The same on the way to more: of a pattern's runs more stay meanwhile.
    case upTo(Double)
    /// Of each layer that is not left whole, in the network's order.
    case each([Double])
  }

  /// - Throws: `CompressError` naming the layer when a weight is quantized.
  init(policy: any PruningPolicy, model: Model, samples: (any Dataset)?, context: StageContext) throws {
    for layer in model.weightLayers {
      guard case .float? = model[layer, .weight]?.encoding else {
        throw CompressError("its weight is quantized; prune first, then quantize").at(layer: layer)
      }
    }
    self.policy = policy
    self.model = model
    self.samples = samples
    self.context = context
    let views = LayerViews(model)
    self.views = views
    layers = views.names.filter { !policy.skips(views[$0]) }
  }

  /// What the policy needs to know of a model of the same structure.
  func evidence(of current: Model) -> LayerEvidence {
    LayerEvidence(current, needs: policy.needs, samples: samples, pool: context.pool) { [context] _ in
      try context.step()
    }
  }

  /// One layer's scores; nil leaves it whole.
  func scores(of layer: String, _ evidence: LayerEvidence) throws -> Tensor? {
    do { return try policy.score(evidence.view(layer)) } catch let error as CompressError {
      throw named(error).at(layer: layer)
    }
  }

  /// What a plugin raised names its file already; what is wrong with its scores does not.
  private func named(_ error: CompressError) -> CompressError {
    guard error.script == nil else { return error }
    var error = error
    error.message = "\"\(policy.name)\": \(error.message)"
    return error
  }

  /// - Parameter view: a layer as it is to be scored.
  /// - Throws: `CompressError` naming the layer whose scores are wrong; or all of them when there are not as many
  ///   shares.
  func masks(
    _ amount: Amount, seeing view: (_ layer: String) throws -> LayerView
  ) throws -> [(key: String, value: Tensor)] {
    do {
      let masks: [String: Tensor]
      switch amount {
      case .share(let share): masks = try self.masks(layers, policy.unit, policy.scope, share, view)
      case .upTo(let share):
        let unit = policy.unit.upTo(share)
        // Nothing goes yet of runs that are still whole.
        if case .pattern(let keep, let of) = unit, keep == of { return [] }
        masks = try self.masks(layers, unit, policy.scope, share, view)
      case .each(let shares):
        let open = try layers.filter { layer in
          let view = try view(layer)
          return try policy.score(isScoredInParts ? view.filters(0..<1) : view) != nil
        }
        guard shares.count == open.count else {
          throw CompressError("\(shares.count) shares for \(open.count) layers: \(open.joined(separator: ", "))")
        }
        masks = try zip(open, shares).reduce(into: [:]) { masks, each in
          masks.merge(try self.masks([each.0], policy.unit, .layer, each.1, view)) { first, _ in first }
        }
      }
      // What earlier stages removed stays so, even where less is asked for.
      return try masks.sorted { $0.key < $1.key }.map { layer, mask in
        (key: layer, value: try model[layer, .weight]?.mask.map { try mask.applying(.and, $0) } ?? mask)
      }
    } catch let error as CompressError {
      throw named(error)
    }
  }

  private var isScoredInParts: Bool { policy.unit == .weight && policy.isElementwise }

  private func masks(
    _ layers: [String], _ unit: PruningUnit, _ scope: PruningScope, _ share: Double,
    _ view: (_ layer: String) throws -> LayerView
  ) throws -> [String: Tensor] {
    let shapes = layers.map { ($0, model[$0, .weight]!.shape) }
    guard isScoredInParts else {
      return try PruningMasks.select(shapes, unit: unit, scope: scope, sparsity: share) { layer in
        try policy.score(view(layer)).map { try sinkingRemoved($0, layer) }
      }
    }
    var seen: LayerView?
    return try PruningMasks.select(
      shapes, scope: scope, sparsity: share, elementsAtOnce: Self.elementsAtOnce
    ) { layer, filters in
      if seen?.name != layer { seen = try view(layer) }
      return try policy.score(seen!.filters(filters)).map { try sinkingRemoved($0, layer, filters) }
    }
  }

  /// What the policy remembers of a layer after a step.
  func gathered(_ layer: LayerView, _ before: Tensor?) throws -> Tensor {
    do { return try policy.gather(layer, before) } catch let error as CompressError {
      throw named(error).at(layer: layer.name)
    }
  }

  /// Below any score of a weight that is still there: what is gone already is what goes first.
  private static let least: Float = -1e30

  private func sinkingRemoved(_ scores: Tensor, _ layer: String, _ filters: Range<Int>? = nil) throws -> Tensor {
    guard let whole = model[layer, .weight]?.mask else { return scores }
    let mask = try filters.map { try whole.sliced(axis: 0, $0) } ?? whole
    return mask.shape == scores.shape ? try Tensor.select(mask, scores, Tensor(scalar: Self.least)) : scores
  }
}
