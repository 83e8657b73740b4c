import Diagnostics

/// Where buffers lie in one piece of memory: those that are never of use at the same time may overlap.
///
/// The largest are placed first, each as low as it fits (Pisarchyk and Lee 2020, "greedy by size").
struct ArenaLayout {
  /// A buffer's elements, and when it is of use.
  struct Request {
    let count: Int
    let lifetimes: [ClosedRange<Int>]
  }

  /// In elements, in the requests' order.
  private(set) var offsets: [Int]
  private(set) var count = 0

  /// Elements to a cache line.
  private static let line = 16

  /// - Throws: `CompressError` when the memory cannot be counted.
  init(_ requests: [Request]) throws {
    offsets = [Int](repeating: 0, count: requests.count)
    let order = requests.indices.sorted { (requests[$1].count, $0) < (requests[$0].count, $1) }
    var placed: [Int] = []
    for index in order where requests[index].count > 0 && !requests[index].lifetimes.isEmpty {
      let size = (requests[index].count + Self.line - 1) / Self.line * Self.line
      let neighbours = placed.filter { Self.meet(requests[$0].lifetimes, requests[index].lifetimes) }
        .map { (start: offsets[$0], end: offsets[$0] + requests[$0].count) }.sorted { $0.start < $1.start }
      var offset = 0
      for neighbour in neighbours {
        if neighbour.start >= offset, neighbour.start - offset >= size { break }
        offset = max(offset, (neighbour.end + Self.line - 1) / Self.line * Self.line)
      }
      let (end, overflow) = offset.addingReportingOverflow(size)
      guard !overflow, end <= Int.max / 8 else { throw CompressError("the activations of a batch are too large") }
      offsets[index] = offset
      count = max(count, end)
      placed.append(index)
    }
  }

  private static func meet(_ a: [ClosedRange<Int>], _ b: [ClosedRange<Int>]) -> Bool {
    a.contains { one in b.contains { one.overlaps($0) } }
  }
}
