/// In which order the variants of a comparison are timed, and on which images.
///
/// In each turn every variant is timed once, on the same images: ABC, BCA, CAB. The first place goes around, so that a
/// machine that slowly changes its pace favours nobody. Another turn times other images: there are no more timed runs
/// than with one turn.
struct TurnPlan {
  let variants: Int
  /// The images of each turn.
  private(set) var turns: [Range<Int>]

  /// A turn has at least so many images: fewer have no median that slow runs leave alone.
  static let fewestImages = 7
  /// Seconds that the first turn of all variants may take beside timed runs; beyond, one more turn has to do.
  static let longestOverhead = 20.0

  init(variants: Int, images: Int, turns: Int) {
    let count = max(1, min(turns, images / Self.fewestImages))
    self.variants = variants
    self.turns = (0..<count).map { images * $0 / count..<images * ($0 + 1) / count }
  }

  var processes: Int { variants * turns.count }

  func order(ofTurn turn: Int) -> [Int] { (0..<variants).map { ($0 + turn) % variants } }

  /// Makes one turn of all that are left, when one turn takes very long only to begin.
  mutating func shorten(after done: Int, overhead seconds: Double) {
    guard done == 1, turns.count > 2, seconds > Self.longestOverhead else { return }
    turns = [turns[0], turns[1].lowerBound..<turns[turns.count - 1].upperBound]
  }
}
