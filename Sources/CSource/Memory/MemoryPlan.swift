import Tensors

/// Where values and scratch lie in the arena, and in which direction each layer's loops go. What is needed at the same
/// time is apart, but for a result over an input that is read for the last time (`Overlap`).
///
/// Buffers are placed one by one, each as low as it can be; the order in which they are decides, so several are tried,
/// and those that end highest go first in the next try (bounded, and the same every time).
struct MemoryPlan {
  struct Buffer {
    let byteCount: Int
    /// A power of two.
    let alignment: Int
    /// Layers at which it holds something, -1 before the first and their count after the last.
    let first: Int
    let last: Int
  }

  /// A layer's result, an input that it reads last, and how the one may lie over the other.
  struct Pair {
    let layer: Int
    let output: Int
    let input: Int
    let overlap: Overlap
  }

  let offsets: [Int]
  let byteCount: Int
  /// Of each layer: whether its loops go from the last element to the first.
  let isBackward: [Bool]

  private struct Directions: OptionSet {
    let rawValue: Int
    static let forward = Directions(rawValue: 1), backward = Directions(rawValue: 2)
    static let both: Directions = [.forward, .backward]
  }

  private struct Neighbour {
    let buffer: Int
    /// The pair of the two, if they are one.
    let pair: Int?
  }

  /// - Parameter turns: how many orders are tried at most.
  init(_ buffers: [Buffer], _ pairs: [Pair], layers: Int, turns: Int = 400) {
    var neighbours = [[Neighbour]](repeating: [], count: buffers.count)
    var pairOf: [Int: Int] = [:]
    for (index, pair) in pairs.enumerated() { pairOf[pair.output * buffers.count + pair.input] = index }
    let placed = buffers.indices.filter { buffers[$0].byteCount > 0 }
    for a in placed {
      for b in placed where b > a && buffers[a].first <= buffers[b].last && buffers[b].first <= buffers[a].last {
        let pair = pairOf[a * buffers.count + b] ?? pairOf[b * buffers.count + a]
        neighbours[a].append(Neighbour(buffer: b, pair: pair))
        neighbours[b].append(Neighbour(buffer: a, pair: pair))
      }
    }
    func place(_ order: [Int]) -> (offsets: [Int], byteCount: Int, directions: [Directions]) {
      var offsets = [Int](repeating: -1, count: buffers.count), end = 0
      var directions = [Directions](repeating: .both, count: layers)
      /// The directions that a buffer's place leaves to the layer of a pair.
      func allowed(_ pair: Pair, _ output: Int, _ input: Int) -> Directions {
        let distance = output - input
        if distance + buffers[pair.output].byteCount <= 0 || distance >= buffers[pair.input].byteCount { return .both }
        if pair.overlap.atOnce, distance == 0 { return .both }
        var allowed: Directions = []
        if let forward = pair.overlap.forward, distance <= -forward { allowed.insert(.forward) }
        if let backward = pair.overlap.backward, distance >= backward { allowed.insert(.backward) }
        return allowed
      }
      func fits(_ buffer: Int, _ offset: Int) -> Bool {
        let size = buffers[buffer].byteCount
        var narrowed: [Int: Directions] = [:]
        for neighbour in neighbours[buffer] where offsets[neighbour.buffer] >= 0 {
          let other = offsets[neighbour.buffer]
          if offset + size <= other || offset >= other + buffers[neighbour.buffer].byteCount { continue }
          guard let pair = neighbour.pair.map({ pairs[$0] }) else { return false }
          let isOutput = pair.output == buffer
          let left = allowed(pair, isOutput ? offset : other, isOutput ? other : offset)
            .intersection(narrowed[pair.layer] ?? directions[pair.layer])
          guard !left.isEmpty else { return false }
          narrowed[pair.layer] = left
        }
        return true
      }
      for buffer in order {
        let size = buffers[buffer].byteCount, alignment = buffers[buffer].alignment
        var candidates = [0]
        func add(_ place: Int) {
          let down = place & ~(alignment - 1)
          if down >= 0 { candidates.append(down) }
          if place >= 0, down != place { candidates.append(down + alignment) }
        }
        for neighbour in neighbours[buffer] where offsets[neighbour.buffer] >= 0 {
          let other = offsets[neighbour.buffer]
          add(other + buffers[neighbour.buffer].byteCount)
          add(other - size)
          guard let pair = neighbour.pair.map({ pairs[$0] }) else { continue }
          let sign = pair.output == buffer ? 1 : -1
          if let forward = pair.overlap.forward { add(other - sign * forward) }
          if let backward = pair.overlap.backward { add(other + sign * backward) }
          if pair.overlap.atOnce { add(other) }
        }
        candidates.sort()
        // Behind everything it always fits.
        offsets[buffer] = candidates.first { fits(buffer, $0) } ?? (end + alignment - 1) & ~(alignment - 1)
        for neighbour in neighbours[buffer] where offsets[neighbour.buffer] >= 0 {
          guard let pair = neighbour.pair.map({ pairs[$0] }) else { continue }
          directions[pair.layer].formIntersection(allowed(pair, offsets[pair.output], offsets[pair.input]))
        }
        end = max(end, offsets[buffer] + size)
      }
      return (offsets, end, directions)
    }

    let bySize = placed.sorted { (buffers[$1].byteCount, $0) < (buffers[$0].byteCount, $1) }
    let byTime = placed.sorted { (buffers[$0].first, $0) < (buffers[$1].first, $1) }
    var best = place(bySize), random = SeededRandom(seed: 0)
    // As many tries as take about a second at most.
    let work = max(neighbours.reduce(0) { $0 + $1.count * $1.count }, 1)
    let turns = min(turns, max(8, 20_000_000 / work))
    for start in [bySize, byTime, Array(byTime.reversed())] {
      var order = start
      for turn in 0..<turns / 3 {
        let found = place(order)
        if found.byteCount < best.byteCount { best = found }
        let highest = order.filter { found.offsets[$0] + buffers[$0].byteCount == found.byteCount }
        order = highest + order.filter { !highest.contains($0) }
        // A shuffle now and then, so that it does not go round in circles.
        if turn % 4 == 3, order.count > 1 {
          for _ in 0..<2 { order.swapAt(random.below(order.count), random.below(order.count)) }
        }
      }
    }
    offsets = best.offsets.map { max($0, 0) }
    byteCount = best.byteCount
    isBackward = best.directions.map { !$0.contains(.forward) }
  }
}
