import Diagnostics
import Network
import Pipeline
import Tensors

/// A part of a network as scripts describe it: a layer, or blocks in a row or side by side. It is a description: used
/// twice, it makes two parts with weights of their own.
final class BlockObject: NamedForScripts {
  static let scriptName = "Block"

  enum Content {
    /// What to compute for inputs of the given shapes; `kind` names a layer that has no name.
    case layer(kind: String, ([Shape]) throws -> Operator)
    case sequence([BlockObject])
    /// Blocks that all get the same input, and whose outputs an operator of two inputs combines, from the first on.
    case combined(Operator, [BlockObject])
    /// The same, joined along their channels.
    case concatenation([BlockObject])
    /// A block whose layers have the same parameters wherever this is used.
    case shared(BlockObject)
  }

  let content: Content
  /// Of a layer; of anything else, what comes before the names of the layers in it.
  let name: String?
  /// Where the script made it.
  let origin: Stage.Origin?
  /// The memory it takes beside the blocks in it.
  var bytes: Int {
    switch content {
    case .layer: 2048
    case .sequence(let blocks), .combined(_, let blocks), .concatenation(let blocks): 1536 + 16 * blocks.count
    case .shared: 1536
    }
  }
  private let depth: Int
  /// Layers, at most.
  let count: Int

  private static let deepest = 64
  static let largest = 1 << 14

  /// - Throws: `CompressError` when blocks are nested too deep or come to too many layers.
  init(_ content: Content, name: String? = nil, origin: Stage.Origin?) throws {
    self.content = content
    self.name = name
    self.origin = origin
    switch content {
    case .layer: (depth, count) = (1, 1)
    case .sequence(let blocks), .combined(_, let blocks), .concatenation(let blocks):
      depth = 1 + (blocks.map(\.depth).max() ?? 0)
      count = 1 + blocks.reduce(0) { $0 + $1.count }
    case .shared(let block): (depth, count) = (block.depth + 1, block.count)
    }
    guard depth <= Self.deepest else {
      throw CompressError("blocks are nested \(depth) deep; the limit is \(Self.deepest)")
    }
    guard count <= Self.largest else { throw CompressError("a block of \(count) layers; the limit is \(Self.largest)") }
  }
}
