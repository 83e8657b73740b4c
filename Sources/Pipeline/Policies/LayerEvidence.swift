import Analysis
import Datasets
import Diagnostics
import Kernels
import Network
import Tensors
import Training

/// What a policy may want to know of layers besides their weights; worked out on samples.
public enum LayerNeed: String, Sendable, CaseIterable {
  /// The gradient of the loss with respect to the weight, and its square.
  case gradient
  /// What the layer puts out for a few samples.
  case activations

  /// For errors.
  var text: String { self == .gradient ? "gradients" : "activations" }
}

/// The layers of one model with what a policy needs to know of them, worked out when a layer is asked for.
public final class LayerEvidence {
  private let model: Model
  private let views: LayerViews
  private let needs: Set<LayerNeed>
  private let samples: (any Dataset)?
  private let pool: ThreadPool
  private let onProgress: (Int) throws -> Void
  private var gradients: WeightGradients?
  private var activations: LayerActivations?

  /// - Parameters:
  ///   - samples: needed where `needs` are not empty.
  ///   - onProgress: called with the number of samples done while they pass; may throw to stop.
  public init(
    _ model: Model, needs: Set<LayerNeed>, samples: (any Dataset)?, pool: ThreadPool,
    onProgress: @escaping (Int) throws -> Void = { _ in }
  ) {
    precondition(needs.isEmpty || samples != nil)
    self.model = model
    views = LayerViews(model)
    self.needs = needs
    self.samples = samples
    self.pool = pool
    self.onProgress = onProgress
  }

  /// - Parameter weight: in place of the model's own.
  /// - Throws: `CompressError` when the network cannot be run on the samples or what comes out is not finite.
  public func view(_ layer: String, weight: Tensor? = nil) throws -> LayerView {
    var view = views[layer, weight: weight]
    guard let samples else { return view }
    if needs.contains(.gradient) {
      let gradients = try gradients ?? WeightGradients(model, on: samples, pool: pool, onProgress: onProgress)
      self.gradients = gradients
      view.gradient = gradients.mean[layer]
      view.gradientSquare = gradients.meanSquare[layer]
    }
    if needs.contains(.activations) {
      try onProgress(0)
      let activations = try activations ?? LayerActivations(model, on: samples, pool: pool)
      self.activations = activations
      view.activations = try activations.output(of: layer)
    }
    return view
  }
}

extension PruningPolicy {
  /// Its recipe, with the samples if it needs any.
  func recipe(on samples: (any Dataset)?) throws -> Recipe {
    guard !needs.isEmpty, let samples else { return recipe }
    return ["policy": recipe, "samples": try samples.identity.recipe()]
  }

  /// - Throws: `CompressError` when it gathers its scores while training, and there is none.
  func checkScoresAtOnce() throws {
    guard !gathers else {
      throw CompressError(
        "\"\(name)\" makes its scores while the network trains, and prunes along a schedule",
        hint: "prune(model, use \"\(name)\" {}, { schedule = use \"polynomial\" { to = 0.8 }, train = { … } })")
    }
  }

  /// - Throws: `CompressError` when it needs samples and there are none, or they do not fit the network.
  func check(_ samples: (any Dataset)?, fit graph: Graph) throws {
    guard let need = LayerNeed.allCases.first(where: needs.contains) else { return }
    guard let samples else {
      throw CompressError(
        "\"\(name)\" needs \(need.text), and samples to work them out on; there are neither samples nor train.data",
        hint: "prune(model, use \"\(name)\" {}, { samples = data.train:take(512), … })")
    }
    // A loss, and so its gradient, is about labels.
    needs.contains(.gradient)
      ? try Evaluation.check(graph, fits: samples) : try Evaluation.checkShape(graph, fits: samples)
    guard samples.count > 0 else { throw CompressError("\"\(samples.name)\" has no samples for \(need.text)") }
  }
}
