/// Where RESIZE_NEAREST_NEIGHBOR takes its pixels from.
enum TFLiteNearest {
  /// TFLite multiplies with the ratio, which may land on the other side of a whole number than dividing does.
  static func places(_ before: Int, _ after: Int, aligns: Bool, isHalf: Bool) -> [Int] {
    let scale = aligns && after > 1 ? Float(before - 1) / Float(after - 1) : Float(before) / Float(after)
    return (0..<after).map { index in
      let place = (Float(index) + (isHalf ? 0.5 : 0)) * scale
      return min(max(Int(aligns ? place.rounded(.toNearestOrAwayFromZero) : place.rounded(.down)), 0), before - 1)
    }
  }
}
