import Diagnostics
import Tensors

extension PruningMasks {
  /// Masks for any unit that is smaller than a filter; see `select(_:scope:sparsity:score:)`.
  ///
  /// A block's score is the mean of those of its weights; blocks are taken in the order of their scores, as weights
  /// are. A pattern says itself how much goes: `sparsity` and `scope` mean nothing to it.
  public static func select(
    _ shapes: [(layer: String, shape: Shape)], unit: PruningUnit, scope: PruningScope, sparsity: Double,
    score: (_ layer: String) throws -> Tensor?
  ) throws -> [String: Tensor] {
    try unit.check()
    switch unit {
    case .weight: return try select(shapes, scope: scope, sparsity: sparsity, score: score)
    case .filter, .residualBlock: preconditionFailure("filters and blocks are removed, not masked")
    case .block(let rows, let columns):
      let grids = shapes.map { ($0.layer, BlockGrid($0.shape, rows: rows, columns: columns)) }
      let gridOf = Dictionary(uniqueKeysWithValues: grids)
      let masks = try select(grids.map { ($0.0, $0.1.blocks) }, scope: scope, sparsity: sparsity) { layer in
        try score(layer).map { try gridOf[layer]!.means(of: checked($0, gridOf[layer]!.shape, layer)) }
      }
      return Dictionary(uniqueKeysWithValues: masks.map { ($0, gridOf[$0]!.spread($1)) })
    case .pattern(let keep, let of):
      var masks: [String: Tensor] = [:]
      for (layer, shape) in shapes {
        guard let scores = try score(layer) else { continue }
        masks[layer] = try pattern(try checked(scores, shape, layer), keep: keep, of: of)
      }
      return masks
    }
  }

  private static func checked(_ scores: Tensor, _ shape: Shape, _ layer: String) throws -> Tensor {
    guard scores.shape == shape else {
      throw CompressError("scores of shape \(scores.shape) for a weight of shape \(shape)").at(layer: layer)
    }
    if let bad = scores.firstNonFinite, bad.value.isNaN {
      throw CompressError("score \(bad.index) is NaN").at(layer: layer)
    }
    return scores.converted(to: .float32)
  }

  /// uint8: in each run of `of` along a filter's inputs 1 for the `keep` of greatest score, the first of equals.
  private static func pattern(_ scores: Tensor, keep: Int, of: Int) throws -> Tensor {
    let filters = max(scores.shape.dims.first ?? 1, 1), inputs = scores.count / filters
    var mask = Tensor(zeros: scores.shape, dtype: .uint8)
    var pace = Cancellation.Pace()
    try scores.withElements(Float.self) { scores in
      try mask.withMutable(UInt8.self) { mask in
        for filter in 0..<filters {
          for start in stride(from: 0, to: inputs, by: of) {
            try pace.check(after: 64 * of)
            let run = filter * inputs + start..<filter * inputs + min(start + of, inputs)
            let staying = (run.count * keep + of - 1) / of
            for index in run.sorted(by: { (scores[$1], $0) < (scores[$0], $1) }).prefix(staying) { mask[index] = 1 }
          }
        }
      }
    }
    return mask
  }
}

/// A weight cut into rectangles.
private struct BlockGrid {
  let shape: Shape
  let rows: Int
  let columns: Int

  init(_ shape: Shape, rows: Int, columns: Int) {
    self.shape = shape
    self.rows = rows
    self.columns = columns
  }

  private var filters: Int { shape[0] }
  private var inputs: Int { shape.count / max(shape[0], 1) }

  /// How many blocks there are, down and across.
  var blocks: Shape { [(filters + rows - 1) / rows, (inputs + columns - 1) / columns] }

  func means(of scores: Tensor) -> Tensor {
    var means = Tensor(zeros: blocks)
    let across = blocks[1], inputs = inputs
    scores.withElements(Float.self) { scores in
      means.withMutable(Float.self) { means in
        for run in Cancellation.runs(scores.count) {
          for i in run { means[i / inputs / rows * across + i % inputs / columns] += scores[i] }
        }
        for block in means.indices {
          let height = min(rows, filters - block / across * rows),
            width = min(columns, inputs - block % across * columns)
          means[block] /= Float(height * width)
        }
      }
    }
    return means
  }

  /// The mask of the blocks as one of weights.
  func spread(_ mask: Tensor) -> Tensor {
    var spread = Tensor(zeros: shape, dtype: .uint8)
    let across = blocks[1], inputs = inputs
    mask.withElements(UInt8.self) { mask in
      spread.withMutable(UInt8.self) { spread in
        for run in Cancellation.runs(spread.count) {
          for i in run { spread[i] = mask[i / inputs / rows * across + i % inputs / columns] }
        }
      }
    }
    return spread
  }
}
