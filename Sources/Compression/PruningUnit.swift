import Network

/// What is removed as a whole.
public enum PruningUnit: Sendable, Hashable {
  /// Single weights: they become zeros under a mask.
  case weight
  /// Filters, and all channels coupled with them: the network becomes smaller.
  case filter
  /// Residual blocks: the network becomes less deep (`ResidualBlocks`).
  case residualBlock
  /// Rectangles of zeros, in the weight seen as a matrix of filters by inputs; those at its edges may be smaller.
  case block(rows: Int, columns: Int)
  /// Zeros in a fixed share of every run: of `of` consecutive inputs of a filter, `keep` stay (2 of 4, say). A last,
  /// shorter run keeps the same share, rounded up.
  case pattern(keep: Int, of: Int)

  /// The form its zeros come in; nil where they come singly, or not as zeros.
  public var structure: SparsityStructure? {
    switch self {
    case .weight, .filter, .residualBlock: nil
    case .block(let rows, let columns): .blocks(rows: rows, columns: columns)
    case .pattern(let keep, let of): .pattern(keep: keep, of: of)
    }
  }

  /// Whether the network is another one without it, and not the same with zeros.
  public var isRemoved: Bool { self == .filter || self == .residualBlock }

  /// What is removed while no more than a share is to be: of a pattern's runs more stay than in the end.
  public func upTo(_ share: Double) -> PruningUnit {
    guard case .pattern(let keep, let of) = self else { return self }
    let staying = Int((Double(of) * (1 - share) - 1e-9).rounded(.up))
    return .pattern(keep: max(keep, min(of, staying)), of: of)
  }

  /// - Throws: `CompressError` with the numbers when it is empty, or keeps all.
  public func check() throws { try structure?.check() }
}
