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
  ///   - score: one layer's scores; called up to three times a layer. nil leaves the layer whole: it is
  ///     neither pruned nor counted.
  /// - Throws: `CompressError` naming the layer when scores have the wrong shape or contain NaN, or when the
  ///   sparsity is outside 0…1; what `score` throws.
  public static func select(
    _ shapes: [(layer: String, shape: Shape)], scope: PruningScope, sparsity: Double,
    score: (_ layer: String) throws -> Tensor?
  ) throws -> [String: Tensor] {
    let keepsScores = shapes.reduce(0) { $0 + $1.shape.count * 4 } <= scoreBytesKept
    var kept: [String: Tensor] = [:]
    return try select(shapes, scope: scope, sparsity: sparsity, elementsAtOnce: .max) { layer, _ in
      if let scores = kept[layer] { return scores }
      let scores = try score(layer)
      if keepsScores { kept[layer] = scores }
      return scores
    }
  }

  /// The same for scores that do not depend on each other: large layers are scored some filters at a time, so that
  /// hardly more memory is needed than for the masks.
  ///
  /// - Parameters:
  ///   - elementsAtOnce: weights to score at once, at least those of one filter.
  ///   - score: scores of some filters of a layer, of the shape of that part of the weight; called up to four times
  ///     for each part.
  public static func select(
    _ shapes: [(layer: String, shape: Shape)], scope: PruningScope, sparsity: Double, elementsAtOnce: Int,
    score: (_ layer: String, _ filters: Range<Int>) throws -> Tensor?
  ) throws -> [String: Tensor] {
    guard (0...1).contains(sparsity) else { throw CompressError("a sparsity of \(sparsity) is not within 0 and 1") }
    let layers = shapes.map { ScoredLayer($0.layer, $0.shape, elementsAtOnce: elementsAtOnce) }
    let pruned = try layers.filter { layer in try layer.scores(layer.parts[0], by: score) != nil }
    func masks(_ layers: [ScoredLayer]) throws -> [(String, Tensor)] {
      let count = layers.reduce(0) { $0 + $1.shape.count }
      var search = try ThresholdSearch.smallest(Int((sparsity * Double(count)).rounded())) { visit in
        for layer in layers {
          for part in layer.parts {
            try atLayer(layer.name) { try visit(try layer.knownScores(part, by: score)) }
          }
        }
      }
      return try layers.map { layer in
        var mask = Tensor(zeros: layer.shape, dtype: .uint8)
        let width = layer.shape.count / max(layer.parts.last!.upperBound, 1)
        try mask.withMutable(UInt8.self) { mask in
          for part in layer.parts {
            try layer.knownScores(part, by: score).converted(to: .float32).withElements(Float.self) { scores in
              let place = part.lowerBound * width..<part.upperBound * width
              search.mark(scores, into: UnsafeMutableBufferPointer(rebasing: mask[place]), taken: 0, left: 1)
            }
          }
        }
        return (layer.name, mask)
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

/// A layer and the runs of filters it is scored in.
private struct ScoredLayer {
  let name: String
  let shape: Shape
  let parts: [Range<Int>]

  init(_ name: String, _ shape: Shape, elementsAtOnce: Int) {
    self.name = name
    self.shape = shape
    let filters = shape.dims.first ?? 1
    let step = max(1, min(filters, elementsAtOnce / max(1, shape.count / max(filters, 1))))
    let starts = Array(stride(from: 0, to: filters, by: step))
    parts = starts.isEmpty ? [0..<filters] : starts.map { $0..<min($0 + step, filters) }
  }

  /// - Throws: `CompressError` naming the layer when the scores do not have the shape of the part.
  func scores(
    _ part: Range<Int>, by score: (_ layer: String, _ filters: Range<Int>) throws -> Tensor?
  ) throws -> Tensor? {
    try atLayer(name) {
      guard let scores = try score(name, part) else { return nil }
      let expected = shape.dims.isEmpty ? shape : Shape([part.count] + shape.dims.dropFirst())
      guard scores.shape == expected else {
        throw CompressError("scores of shape \(scores.shape) for a weight of shape \(expected)")
      }
      return scores
    }
  }

  func knownScores(
    _ part: Range<Int>, by score: (_ layer: String, _ filters: Range<Int>) throws -> Tensor?
  ) throws -> Tensor {
    guard let scores = try scores(part, by: score) else {
      throw CompressError("some of its filters have scores and others, such as \(part.lowerBound + 1), have none")
        .at(layer: name)
    }
    return scores
  }
}
