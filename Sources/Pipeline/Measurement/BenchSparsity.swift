import Compression
import Diagnostics
import Kernels
import Network
import Tensors

/// Zeros to put into a network before it is timed: in every layer the same share of its smallest weights, but for the
/// first convolution and the last layer, and for depthwise convolutions, whose few weights are never worth leaving out.
public struct BenchSparsity: Sendable {
  /// Of the weights; what a pattern says of itself.
  private let share: Double
  private let unit: PruningUnit

  /// - Parameters:
  ///   - block: ROWSxCOLUMNS, filters by inputs; `1x4` is what int8 kernels can leave out.
  ///   - pattern: KEEP:OF, for instance `2:4`.
  /// - Throws: `CompressError` when a number is missing, out of range or given twice.
  public init(share: Double?, block: String? = nil, pattern: String? = nil) throws {
    if block != nil, pattern != nil {
      throw CompressError("--block and --pattern are two forms of zeros", kind: .usage)
    }
    if let pattern {
      guard share == nil else {
        throw CompressError("a pattern says itself how many zeros there are: leave out --sparsity", kind: .usage)
      }
      let (keep, of) = try Self.pair(pattern, ":", "--pattern", "2:4")
      unit = .pattern(keep: keep, of: of)
    } else if let block {
      let (rows, columns) = try Self.pair(block, "x", "--block", "1x4")
      unit = .block(rows: rows, columns: columns)
    } else {
      unit = .weight
    }
    try unit.check()
    guard let share = share ?? (pattern == nil ? nil : 0) else {
      throw CompressError("--block goes with --sparsity, the share of zeros", kind: .usage)
    }
    guard (0..<1).contains(share) else {
      throw CompressError("a sparsity of \(share) is not within 0 and 1", kind: .usage)
    }
    self.share = share
  }

  private static func pair(_ text: String, _ separator: Character, _ option: String, _ example: String) throws
    -> (Int, Int)
  {
    let numbers = text.split(separator: separator, omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let first = numbers[0], let second = numbers[1] else {
      throw CompressError("\(option) \(text) is not of the form \(example)", kind: .usage)
    }
    return (first, second)
  }

  /// The model with the zeros.
  ///
  /// - Throws: `CompressError` when the weights are integers, or no layer is left to be made sparse.
  func applied(to model: consuming Model) throws -> Model {
    var model = model
    let layers = Self.layers(of: model)
    guard !layers.isEmpty else { throw CompressError("the network has no layer between its first and its last") }
    let shapes = layers.map { ($0, model[$0, .weight]!.shape) }
    let masks = try PruningMasks.select(shapes, unit: unit, scope: .layer, sparsity: share) { layer in
      model[layer, .weight]!.values.applying(.abs)
    }
    for layer in layers {
      if let mask = masks[layer] { try atLayer(layer) { try model.prune(layer, by: mask) } }
    }
    return model
  }

  private static func layers(of model: Model) -> [String] {
    let weighted = model.graph.nodes.filter { model[$0.name, .weight] != nil }
    return weighted.dropFirst().dropLast().filter { node in
      guard case .conv2d(let conv) = node.op else { return true }
      return !conv.isDepthwise(inputChannels: model.graph.inputShapes(of: node)[0].dims.last!)
    }.map(\.name)
  }
}
