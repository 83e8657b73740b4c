import Diagnostics
import Network
import Tensors

extension RoundingLevels {
  /// The centres of clusters of values: k-means on a line (Lloyd 1982), begun at equal distances from the least to the
  /// greatest value, which keeps centres for the rare large ones (Han et al. 2016). Zeros are a cluster of their own,
  /// so that what is pruned stays pruned.
  ///
  /// - Parameter count: of clusters, 2 to 256, zero's included.
  /// - Throws: `CompressError` when a value is not finite or there are too few or too many clusters.
  public init(clustering values: Tensor, count: Int) throws {
    guard (2...256).contains(count) else { throw CompressError("there are 2 to 256 clusters, not \(count)") }
    if let bad = values.firstNonFinite {
      throw CompressError("weight \(bad.value) at \(bad.index) is not finite", kind: .input)
    }
    let sorted = try Tensor(values.array(Float.self).filter { $0 != 0 }).sorted().array(Float.self)
    guard let low = sorted.first, let high = sorted.last else {
      try self.init([0, 1])
      return
    }
    var sums = [0.0]
    sums.reserveCapacity(sorted.count + 1)
    for value in sorted { sums.append(sums.last! + Double(value)) }
    let wanted = count - 1
    var centres = (0..<wanted).map { index in
      wanted == 1 ? (low + high) / 2 : low + (high - low) * Float(index) / Float(wanted - 1)
    }
    for _ in 0..<100 {
      try Cancellation.checkCurrent()
      var begin = 0
      var moved: [Float] = []
      for (index, centre) in centres.enumerated() {
        let end =
          index + 1 < centres.count ? Self.count(in: sorted, upTo: centre / 2 + centres[index + 1] / 2) : sorted.count
        // A cluster that nobody belongs to stays where it is.
        moved.append(end > begin ? Float((sums[end] - sums[begin]) / Double(end - begin)) : centre)
        begin = max(begin, end)
      }
      if moved == centres { break }
      centres = moved
    }
    var levels: [Float] = []
    for centre in (centres + [0]).sorted() where levels.last.map({ $0 < centre }) ?? true { levels.append(centre) }
    try self.init(levels.count > 1 ? levels : [0, 1])
  }

  /// How many of these ascending values are at most `bound`.
  private static func count(in sorted: [Float], upTo bound: Float) -> Int {
    var low = 0, high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] <= bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
