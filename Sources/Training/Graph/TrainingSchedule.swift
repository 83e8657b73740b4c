import Kernels

/// The order of work of one training step: forward, the loss, backward; with recomputation, layers whose outputs were
/// given up in between run forward a second time (Chen et al. 2016).
struct TrainingSchedule {
  enum Action {
    case forward(Int)
    /// Forward again, for the sake of its output alone.
    case refresh(Int)
    case backward(Int)
  }

  let forward: [Action]
  let backward: [Action]

  /// Everything is kept from forward to backward.
  init(layers: Int) { self.init(layers: layers, cuts: []) }

  /// - Parameter cuts: positions, ascending, at which segments begin. Outputs within a segment, except the last one's,
  ///   are kept only until the next segment has them, and computed again in the backward pass.
  init(layers: Int, cuts: [Int]) {
    forward = (0..<layers).map { .forward($0) }
    let bounds = [0] + cuts + [layers]
    backward = zip(bounds, bounds.dropFirst()).reversed().flatMap { start, end -> [Action] in
      let segment = start..<end
      return (end == layers ? [] : segment.map { .refresh($0) }) + segment.reversed().map { .backward($0) }
    }
  }
}

/// When each place is written and read; from that follows when its memory may serve another.
struct Lifetimes {
  private var ranges: [ObjectIdentifier: [ClosedRange<Int>]] = [:]
  private var order: [BufferSlot] = []

  /// The place gets new content: what it held is of no use from the last reading until now.
  mutating func write(_ place: BufferSlot, at time: Int) {
    let id = ObjectIdentifier(place)
    if ranges[id] == nil { order.append(place) }
    // Two writes at one time are one.
    if ranges[id]?.last?.upperBound == time { return }
    ranges[id, default: []].append(time...time)
  }

  mutating func use(_ place: BufferSlot, at time: Int) {
    let id = ObjectIdentifier(place)
    guard let last = ranges[id]?.last else { return write(place, at: time) }
    ranges[id]![ranges[id]!.count - 1] = last.lowerBound...max(last.upperBound, time)
  }

  /// Every slot, in the order of first use.
  var buffers: [(slot: BufferSlot, buffer: ArenaPlan.Buffer)] {
    order.map { slot in
      let (bytes, overflow) = slot.count.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
      return (
        slot, ArenaPlan.Buffer(byteCount: overflow ? .max : bytes, lifetimes: ranges[ObjectIdentifier(slot)]!)
      )
    }
  }
}
