import Diagnostics
import Kernels

/// Decides which activations are kept and where in memory each lies.
struct ActivationPlan {
  let steps: [TrainingStep]
  let inputs: [Value]
  /// What the loss reads.
  let outputs: [Value]

  /// - Parameter recomputes: whether activations may be given up and computed again, if that takes less memory.
  func laidOut(recomputes: Bool) throws -> (TrainingSchedule, slots: [BufferSlot], ArenaPlan) {
    var best = try laidOut(TrainingSchedule(layers: steps.count))
    guard recomputes else { return best }
    for segments in stride(from: 2, through: min(steps.count / 2, Self.mostSegments), by: 1) {
      let other = try laidOut(TrainingSchedule(layers: steps.count, cuts: cuts(segments)))
      if other.2.byteCount < best.2.byteCount { best = other }
    }
    return best
  }

  private static let mostSegments = 24

  private func laidOut(_ schedule: TrainingSchedule) throws -> (TrainingSchedule, slots: [BufferSlot], ArenaPlan) {
    let buffers = lifetimes(schedule).buffers
    let arena = ArenaPlan(buffers.map(\.buffer))
    guard arena.byteCount < .max else { throw CompressError("the activations of a batch are too large") }
    return (schedule, buffers.map(\.slot), arena)
  }

  private func lifetimes(_ schedule: TrainingSchedule) -> Lifetimes {
    var lifetimes = Lifetimes(), time = 0
    for input in inputs { lifetimes.write(input.dataSlot, at: time) }
    func forward(_ step: TrainingStep) {
      for input in step.inputs { lifetimes.use(input.dataSlot, at: time) }
      if step.isInPlace {
        lifetimes.use(step.output.dataSlot, at: time)
      } else {
        lifetimes.write(step.output.dataSlot, at: time)
      }
    }
    func backward(_ step: TrainingStep) {
      if step.layer.savedForBackward.contains(.inputs) {
        for input in step.inputs { lifetimes.use(input.dataSlot, at: time) }
      }
      if step.layer.savedForBackward.contains(.output) { lifetimes.use(step.output.dataSlot, at: time) }
      let gradient = step.output.gradientSlot
      if let gradient { lifetimes.use(gradient, at: time) }
      for target in step.targets {
        if target.place === gradient {
          lifetimes.use(target.place, at: time)
        } else {
          lifetimes.write(target.place, at: time)
        }
        if let sum = target.sum { lifetimes.use(sum.gradientSlot!, at: time) }
      }
    }
    func take(_ actions: [TrainingSchedule.Action]) {
      for action in actions {
        time += 1
        switch action {
        case .forward(let index), .refresh(let index): forward(steps[index])
        case .backward(let index): backward(steps[index])
        }
      }
    }
    take(schedule.forward)
    time += 1
    for output in outputs {
      lifetimes.use(output.dataSlot, at: time)
      if let gradient = output.gradientSlot { lifetimes.write(gradient, at: time) }
    }
    take(schedule.backward)
    // Small, and good to look at afterwards.
    for output in outputs { lifetimes.use(output.dataSlot, at: time) }
    return lifetimes
  }

  // MARK: Segments

  /// Where to begin segments of about equal memory, so that little is kept between them.
  private func cuts(_ segments: Int) -> [Int] {
    var sums = [0]  // elements written before each position
    for step in steps { sums.append(sums.last! + (step.isInPlace ? 0 : step.output.dataSlot.count)) }
    let share = Double(sums.last!) / Double(segments)
    let costs = crossings
    var cuts: [Int] = []
    for number in 1..<segments {
      let ideal = share * Double(number)
      let near = costs.indices.filter { position in
        costs[position] != nil && position > (cuts.last ?? 0) && abs(Double(sums[position]) - ideal) <= share / 2
      }
      let best = near.min { a, b in
        costs[a]! != costs[b]!
          ? costs[a]! < costs[b]! : abs(Double(sums[a]) - ideal) < abs(Double(sums[b]) - ideal)
      }
      if let best { cuts.append(best) }
    }
    return cuts
  }

  /// For each position but the first, the elements written before it and read behind it; nil where one must not cut,
  /// because a layer behind it works in place on what one before it wrote.
  private var crossings: [Int?] {
    var costs = [Int?](repeating: 0, count: steps.count)
    var writers: [ObjectIdentifier: Int] = [:]
    var readers: [ObjectIdentifier: (place: BufferSlot, last: Int)] = [:]
    for (index, step) in steps.enumerated() {
      for input in step.inputs { readers[ObjectIdentifier(input.dataSlot)] = (input.dataSlot, index) }
      let id = ObjectIdentifier(step.output.dataSlot)
      if step.isInPlace {
        if let writer = writers[id], writer < index {
          for position in (writer + 1)...index { costs[position] = nil }
        }
      } else {
        writers[id] = index
      }
    }
    for (id, reader) in readers {
      guard let writer = writers[id], writer < reader.last else { continue }
      for position in (writer + 1)...reader.last where costs[position] != nil {
        costs[position]! += reader.place.count
      }
    }
    return costs
  }
}
