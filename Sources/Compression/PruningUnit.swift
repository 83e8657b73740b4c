import Diagnostics

/// What is removed as a whole.
public enum PruningUnit: Sendable, Hashable {
  /// Single weights: they become zeros under a mask.
  case weight
  /// Filters, and every channel that hangs together with them: the network becomes smaller.
  case filter
  /// Rectangles of zeros, in the weight seen as a matrix of filters by inputs; those at its edges may be smaller.
  case block(rows: Int, columns: Int)
  /// Zeros in a fixed share of every run: of `of` consecutive inputs of a filter, `keep` stay (2 of 4, say). A last,
  /// shorter run keeps the same share, rounded up.
  case pattern(keep: Int, of: Int)

  /// - Throws: `CompressError` with the numbers when it is empty, or keeps all.
  public func check() throws {
    switch self {
    case .weight, .filter: return
    case .block(let rows, let columns):
      guard (1...1 << 16).contains(rows), (1...1 << 16).contains(columns), rows * columns > 1 else {
        throw CompressError("a block of \(rows) by \(columns) weights")
      }
    case .pattern(let keep, let of):
      guard keep >= 1, keep < of, of <= 1 << 16 else { throw CompressError("a pattern that keeps \(keep) of \(of)") }
    }
  }
}
