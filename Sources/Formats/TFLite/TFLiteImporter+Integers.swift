import Diagnostics
import Network

// Integers and truth values that stand for themselves: pixels, places of maxima. Here they are floats with integers in
// them, exact up to 2^24, as in readers of other formats.
extension TFLiteImporter {
  /// What is the same for integers as for floats, of any width: what moves and chooses.
  private static let movers: Set = [
    "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "GATHER", "PACK", "UNPACK", "SPLIT",
    "SPLIT_V", "CONCATENATION", "TILE", "BROADCAST_TO", "PAD", "PADV2", "MIRROR_PAD", "DEPTH_TO_SPACE",
    "SPACE_TO_DEPTH", "RESIZE_NEAREST_NEIGHBOR", "MAXIMUM", "MINIMUM", "REDUCE_MAX", "REDUCE_MIN", "ARG_MAX", "SIGN",
    "SHAPE", "CAST",
  ]

  /// What is the same, too, as long as nothing wraps around: of integers with room for that.
  private static let sums: Set = ["ADD", "SUB", "MUL", "SUM", "SQUARE", "SQUARED_DIFFERENCE", "NEG", "ABS", "RELU"]

  /// Whether a tensor holds integers or truth values that stand for themselves.
  func isPlain(_ tensor: Int) -> Bool {
    let tensor = graph.tensors[tensor]
    return !tensor.type.isFloat && (tensor.quantization?.scales.isEmpty ?? true)
  }

  /// - Throws: `CompressError` when a node does what would be another thing with the file's integers.
  func checkIntegers(_ node: TFLiteNode) throws {
    for input in node.inputs where input >= 0 && isPlain(input) {
      guard case .held? = values[input], !Self.movers.contains(node.kind) else { continue }
      let type = graph.tensors[input].type
      if Self.sums.contains(node.kind), [.int32, .int64].contains(type) { continue }
      throw CompressError(
        "computes with elements of type \(type) that stand for themselves; here integers are held as floats, which is "
          + "the same where they are moved, chosen or cast, and of int32 and int64 where they are added or multiplied",
        kind: .input)
    }
  }

  /// Whether integers of one type are the same as those of another.
  static func holds(_ target: TFLiteType, _ source: TFLiteType) -> Bool {
    if target == source || target == .int64 { return true }
    // What lies beyond 32 bits lies beyond 2^24, too.
    if target == .int32 { return source != .uint32 }
    let isWithin: [TFLiteType: [TFLiteType]] = [
      .int16: [.int8, .uint8, .bool], .uint16: [.uint8, .bool], .uint32: [.uint8, .uint16, .bool], .int8: [.bool],
      .uint8: [.bool],
    ]
    return isWithin[target]?.contains(source) ?? false
  }
}
