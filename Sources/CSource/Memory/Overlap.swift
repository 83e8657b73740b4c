/// How the result of a layer may lie over an input that nobody reads afterwards: a layer reads and writes in the order
/// of its loops, and what it has read for the last time may be written over. (The idea is that of diagonal memory
/// optimisation, Blacker et al. 2020.)
struct Overlap: Hashable {
  /// With loops from the first element to the last the result begins at least so many bytes before the input; nil where
  /// the two have to be apart.
  var forward: Int?
  /// With loops from the last element to the first, it begins at least so many bytes behind the input's beginning.
  var backward: Int?
  /// Whether both may begin at the same byte, in either direction.
  var atOnce = false

  static let none = Overlap()

  /// What suits both.
  func both(_ other: Overlap) -> Overlap {
    func larger(_ a: Int?, _ b: Int?) -> Int? {
      guard let a, let b else { return nil }
      return max(a, b)
    }
    return Overlap(
      forward: larger(forward, other.forward), backward: larger(backward, other.backward),
      atOnce: atOnce && other.atOnce)
  }

  /// Of what computes element by element, in bytes of the elements: the input's is read before the result's is written.
  static func elements(_ count: Int, from: Int, to: Int) -> Overlap {
    let grown = to - from
    return Overlap(
      forward: grown > 0 ? (count - 1) * grown : grown, backward: grown < 0 ? -(count - 1) * grown : -grown,
      atOnce: from == to)
  }

  /// Of loops over pieces of the result, one after the other.
  ///
  /// - Parameters:
  ///   - pieceBytes: written in each turn.
  ///   - readsFirst: whether a turn reads all that it needs before it writes.
  ///   - range: the bytes of the input that the turn reads; nil for none.
  static func pieces(
    _ count: Int, pieceBytes: Int, readsFirst: Bool, _ range: (_ piece: Int) -> Range<Int>?
  ) -> Overlap {
    let ranges = (0..<count).map(range)
    var forward = Int.min, least = Int.max
    for piece in ranges.indices.reversed() {
      if !readsFirst, let own = ranges[piece] { least = min(least, own.lowerBound) }
      if least != .max { forward = max(forward, (piece + 1) * pieceBytes - least) }
      if let own = ranges[piece] { least = min(least, own.lowerBound) }
    }
    var backward = Int.min, greatest = Int.min
    for piece in ranges.indices {
      if !readsFirst, let own = ranges[piece] { greatest = max(greatest, own.upperBound) }
      if greatest != .min { backward = max(backward, greatest - piece * pieceBytes) }
      if let own = ranges[piece] { greatest = max(greatest, own.upperBound) }
    }
    // Where nothing is read after the first turn, the two may lie as they like.
    return Overlap(
      forward: forward == .min ? -count * pieceBytes : forward,
      backward: backward == .min ? -count * pieceBytes : backward)
  }
}
