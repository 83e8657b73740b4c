import Compression
import Network
import Tensors

/// Layers that stay whole, whatever a strategy makes of them: named by patterns, or the first and the last with
/// weights.
public struct ProtectedLayers: Sendable {
  private let names: [String]
  private let patterns: LayerPatterns

  /// - Parameter names: layer names or patterns of them; `first` and `last` are the first and the last layer with
  ///   weights.
  public init(_ names: [String]) {
    self.names = names
    patterns = LayerPatterns(names.filter { $0 != "first" && $0 != "last" })
  }

  public var isEmpty: Bool { names.isEmpty }

  var recipe: Recipe { .list(names.map { .string($0) }) }

  /// - Throws: `CompressError` when a name or pattern matches no layer with weights.
  func check(layers: [String]) throws { try patterns.check("protect", among: layers) }

  /// - Parameter index: the layer's position among the `count` layers with weights.
  func contains(_ name: String, index: Int, count: Int) -> Bool {
    (index == 0 && names.contains("first")) || (index == count - 1 && names.contains("last")) || patterns.match(name)
  }

  /// - Parameter layers: all layers with weights, in the network's order.
  func contains(_ name: String, among layers: [String]) -> Bool {
    contains(name, index: layers.firstIndex(of: name) ?? -1, count: layers.count)
  }
}

/// A policy with layers that it must leave whole.
struct ProtectingPolicy: PruningPolicy {
  let policy: any PruningPolicy
  let protected: ProtectedLayers

  var name: String { policy.name }
  var recipe: Recipe { ["policy": policy.recipe, "protect": protected.recipe] }
  var unit: PruningUnit { policy.unit }
  var scope: PruningScope { policy.scope }
  var normalizesScores: Bool { policy.normalizesScores }
  var isElementwise: Bool { policy.isElementwise }
  var needs: Set<LayerNeed> { policy.needs }
  var gathers: Bool { policy.gathers }

  func check(layers: [String]) throws {
    try protected.check(layers: layers)
    try policy.check(layers: layers)
  }
  func skips(_ layer: LayerView) -> Bool {
    protected.contains(layer.name, index: layer.index, count: layer.count) || policy.skips(layer)
  }
  func score(_ layer: LayerView) throws -> Tensor? { try policy.score(layer) }
  func gather(_ layer: LayerView, _ gathered: Tensor?) throws -> Tensor { try policy.gather(layer, gathered) }
}

extension PruningPolicy {
  /// The same policy, leaving those layers whole.
  public func protecting(_ layers: ProtectedLayers) -> any PruningPolicy {
    if layers.isEmpty { return self }
    return ProtectingPolicy(policy: self, protected: layers)
  }
}
