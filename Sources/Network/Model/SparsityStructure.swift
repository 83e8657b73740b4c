import Diagnostics
import Tensors

/// The form in which a weight's zeros come, which a sparse kernel may rely on. The weight is seen as a matrix of
/// filters by inputs, the inputs of a filter in the order in which they are stored.
public enum SparsityStructure: Sendable, Hashable {
  /// N:M. Of every `of` consecutive inputs of a filter no more than `keep` are not zero; of a last, shorter run the
  /// same share, rounded up.
  case pattern(keep: Int, of: Int)
  /// What was removed are whole blocks, smaller at the edges of the matrix. Rounding may make more of the weights zero.
  case blocks(rows: Int, columns: Int)

  /// The longest run or side of a block.
  public static let largestExtent = 1 << 16

  /// - Throws: `CompressError` with the numbers when it is empty, or keeps all.
  public func check() throws {
    switch self {
    case .pattern(let keep, let of):
      guard keep >= 1, keep < of, of <= Self.largestExtent else {
        throw CompressError("a pattern that keeps \(keep) of \(of)")
      }
    case .blocks(let rows, let columns):
      let sides = 1...Self.largestExtent
      guard sides.contains(rows), sides.contains(columns), rows * columns > 1 else {
        throw CompressError("a block of \(rows) by \(columns) weights")
      }
    }
  }

  /// Weights that do not come in the structure.
  public struct Violation: Sendable, Hashable {
    /// The first of them, from 0.
    public let filter: Int
    public let input: Int
    /// How many weights the run or the block has, and how many of them are left.
    public let size: Int
    public let left: Int
    /// How many of a run may be left; of a block none or all.
    public let most: Int
  }

  /// The first run with too many weights, or the first block of which only some are left.
  ///
  /// - Parameter left: uint8 of the weight's shape, 0 where there is nothing left.
  public func violation(in left: Tensor) -> Violation? {
    let filters = max(left.shape.dims.first ?? 1, 1), inputs = left.count / filters
    return left.withElements(UInt8.self) { left in
      switch self {
      case .pattern(let keep, let of):
        for filter in 0..<filters {
          for input in stride(from: 0, to: inputs, by: of) {
            let run = filter * inputs + input..<filter * inputs + min(input + of, inputs)
            let count = left[run].count { $0 != 0 }, most = (run.count * keep + of - 1) / of
            if count > most {
              return Violation(filter: filter, input: input, size: run.count, left: count, most: most)
            }
          }
        }
      case .blocks(let rows, let columns):
        for filter in stride(from: 0, to: filters, by: rows) {
          for input in stride(from: 0, to: inputs, by: columns) {
            let height = min(rows, filters - filter), width = min(columns, inputs - input)
            let count = (filter..<filter + height).reduce(0) { sum, row in
              sum + left[row * inputs + input..<row * inputs + input + width].count { $0 != 0 }
            }
            if count > 0, count < height * width {
              return Violation(filter: filter, input: input, size: height * width, left: count, most: 0)
            }
          }
        }
      }
      return nil
    }
  }
}

extension SparsityStructure: CustomStringConvertible {
  /// `2:4`, `blocks 4x1`.
  public var description: String {
    switch self {
    case .pattern(let keep, let of): "\(keep):\(of)"
    case .blocks(let rows, let columns): "blocks \(rows)x\(columns)"
    }
  }
}

/// In files and results: `{"pattern":{"keep":2,"of":4}}` or `{"blocks":{"columns":1,"rows":4}}`.
extension SparsityStructure: Codable {
  private enum CodingKeys: String, CodingKey { case pattern, blocks }
  private enum PatternCodingKeys: String, CodingKey { case keep, of }
  private enum BlocksCodingKeys: String, CodingKey { case rows, columns }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    guard container.allKeys.count == 1 else {
      throw CompressError("a structure is one pattern or one form of blocks", kind: .input)
    }
    if container.contains(.pattern) {
      let pattern = try container.nestedContainer(keyedBy: PatternCodingKeys.self, forKey: .pattern)
      self = .pattern(
        keep: try pattern.decode(Int.self, forKey: .keep), of: try pattern.decode(Int.self, forKey: .of))
    } else {
      let blocks = try container.nestedContainer(keyedBy: BlocksCodingKeys.self, forKey: .blocks)
      self = .blocks(
        rows: try blocks.decode(Int.self, forKey: .rows), columns: try blocks.decode(Int.self, forKey: .columns))
    }
    do { try check() } catch let error as CompressError { throw CompressError(error.message, kind: .input) }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .pattern(let keep, let of):
      var pattern = container.nestedContainer(keyedBy: PatternCodingKeys.self, forKey: .pattern)
      try pattern.encode(keep, forKey: .keep)
      try pattern.encode(of, forKey: .of)
    case .blocks(let rows, let columns):
      var blocks = container.nestedContainer(keyedBy: BlocksCodingKeys.self, forKey: .blocks)
      try blocks.encode(rows, forKey: .rows)
      try blocks.encode(columns, forKey: .columns)
    }
  }
}
