import Diagnostics
import Tensors

/// Whether scores are ranked across all layers together, or in each layer on its own.
public enum PruningScope: String, Sendable, CaseIterable {
  case global, layer
}

/// From scores to masks.
public enum PruningMasks {
  /// Scores are kept between the passes of the search when all of them take no more than this;
  /// beyond, they are computed anew, so that one layer's are in memory at a time.
  static let scoreBytesKept = 256 << 20

  /// Masks (uint8, 1 keeps) that remove the share `sparsity` of the weights, those of least score:
  /// exactly `round(sparsity * count)` of them, ties broken by layer order and index.
  ///
  /// - Parameters:
  ///   - shapes: the weight's shape by layer, in the model's order.
  ///   - score: one layer's scores; called up to four times a layer. nil leaves the layer whole: it is
  ///     neither pruned nor counted.
  /// - Throws: `CompressError` naming the layer when scores have the wrong shape or contain NaN, or when the
  ///   sparsity is outside 0…1; what `score` throws.
  public static func select(
    _ shapes: [(layer: String, shape: Shape)], scope: PruningScope, sparsity: Double,
    score: (_ layer: String) throws -> Tensor?
  ) throws -> [String: Tensor] {
    guard (0...1).contains(sparsity) else { throw CompressError("a sparsity of \(sparsity) is not within 0 and 1") }
    let keepsScores = shapes.reduce(0) { $0 + $1.shape.count * 4 } <= scoreBytesKept
    var kept: [String: Tensor] = [:]
    func checkedScore(_ layer: String, _ shape: Shape) throws -> Tensor? {
      if let scores = kept[layer] { return scores }
      return try atLayer(layer) {
        guard let scores = try score(layer) else { return nil }
        guard scores.shape == shape else {
          throw CompressError("scores of shape \(scores.shape) for a weight of shape \(shape)")
        }
        if let bad = scores.firstNonFinite, bad.value.isNaN { throw CompressError("score \(bad.index) is NaN") }
        if keepsScores { kept[layer] = scores }
        return scores
      }
    }
    let pruned = try shapes.filter { try checkedScore($0.layer, $0.shape) != nil }
    func masks(_ layers: [(layer: String, shape: Shape)]) throws -> [(String, Tensor)] {
      let count = layers.reduce(0) { $0 + $1.shape.count }
      var search = try ThresholdSearch.smallest(Int((sparsity * Double(count)).rounded())) { visit in
        for (layer, shape) in layers { try visit(try checkedScore(layer, shape)!) }
      }
      return try layers.map { layer, shape in
        (layer, try search.taken(from: try checkedScore(layer, shape)!).negated())
      }
    }
    let all =
      switch scope {
      case .global: try masks(pruned)
      case .layer: try pruned.flatMap { try masks([$0]) }
      }
    return Dictionary(uniqueKeysWithValues: all)
  }
}
