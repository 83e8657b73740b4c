import Diagnostics
import Network
import Tensors

/// What a stage promises of one layer, for every later stage to keep.
public struct Contract: Sendable, Codable, Hashable {
  public enum Promise: Sendable, Codable, Hashable {
    /// What the layer's mask removes stays zero: so many weights.
    case zeros(count: Int)
    /// Of every `of` consecutive inputs of a filter no more than `keep` are not zero; of a last, shorter run the same
    /// share, rounded up.
    case pattern(keep: Int, of: Int)
    /// What the mask removes are whole blocks of the matrix of filters by inputs, smaller at its edges.
    case blocks(rows: Int, columns: Int)
    /// The layer has no more than so many filters.
    case filters(most: Int)
    /// The weight has no more than so many different values, zero apart.
    case clusters(most: Int)
  }

  public let layer: String
  public let promise: Promise
  /// The label of the stage that promised.
  public let stage: String

  public init(_ promise: Promise, layer: String, stage: String) {
    self.promise = promise
    self.layer = layer
    self.stage = stage
  }

  /// Those that still say something after another stage, with its own in the place of older ones of the same kind.
  ///
  /// - Throws: `CompressError` naming the layer, both stages and the numbers when the later stage broke one.
  static func carried(
    _ contracts: [Contract], from before: Model, to after: Model, by label: String, adding own: [Contract]
  ) throws -> [Contract] {
    let kept = try contracts.compactMap { contract in
      try atLayer(contract.layer) {
        try ContractCheck(contract, before: before, after: after, by: label).kept().map {
          Contract($0, layer: contract.layer, stage: contract.stage)
        }
      }
    }
    return kept.filter { old in !own.contains { $0.layer == old.layer && $0.promise.kind == old.promise.kind } } + own
  }
}

extension Contract.Promise {
  init(_ structure: SparsityStructure) {
    switch structure {
    case .pattern(let keep, let of): self = .pattern(keep: keep, of: of)
    case .blocks(let rows, let columns): self = .blocks(rows: rows, columns: columns)
    }
  }

  /// Without its numbers.
  var kind: String {
    switch self {
    case .zeros: "zeros"
    case .pattern: "pattern"
    case .blocks: "blocks"
    case .filters: "filters"
    case .clusters: "clusters"
    }
  }
}
