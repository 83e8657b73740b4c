/// What no other beats in both of two numbers.
public enum ParetoFront {
  /// Indices of the front, the greatest gain first; of equals the first.
  ///
  /// - Parameter points: a gain, of which more is better, and a cost, of which less is.
  public static func indices(_ points: [(gain: Double, cost: Double)]) -> [Int] {
    let order = points.indices.sorted {
      (-points[$0].gain, points[$0].cost, $0) < (-points[$1].gain, points[$1].cost, $1)
    }
    var front: [Int] = [], least = Double.infinity
    for index in order where points[index].cost < least {
      front.append(index)
      least = points[index].cost
    }
    return front
  }
}
