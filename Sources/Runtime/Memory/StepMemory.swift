/// Where a session keeps the values and the scratch of a plan's steps: one arena, in which what is not needed
/// at the same time shares bytes.
struct StepMemory {
  /// Where a value lies.
  enum Place {
    /// In the arena, at this offset.
    case arena(Int)
    /// In what the caller passes.
    case callersInput, callersOutput
  }

  let places: [Place]
  /// For each step, offset and size of its scratch.
  let scratch: [Range<Int>]
  let byteCount: Int
  /// What the arena was laid out from: values that are computed in place are one buffer.
  let buffers: [ArenaPlan.Buffer]
  let offsets: [Int]

  init(_ plan: Plan, threads: Int) {
    let steps = plan.steps
    var lastRead = [Int](repeating: -1, count: plan.valueBytes.count)
    for (index, step) in steps.enumerated() {
      for input in step.inputs { lastRead[input] = index }
    }

    var buffers: [ArenaPlan.Buffer] = []
    var bufferOf = [Int?](repeating: nil, count: plan.valueBytes.count)
    for (index, step) in steps.enumerated() where step.output != plan.output {
      let bytes = plan.valueBytes[step.output] * plan.maxBatch
      let reused = step.inputs.first {
        step.kernel.worksInPlace && bufferOf[$0] != nil && lastRead[$0] == index
          && plan.valueBytes[$0] == plan.valueBytes[step.output]
      }
      let last = max(index, lastRead[step.output])
      if let reused, let buffer = bufferOf[reused] {
        bufferOf[step.output] = buffer
        buffers[buffer] = .init(byteCount: bytes, firstStep: buffers[buffer].firstStep, lastStep: last)
      } else {
        bufferOf[step.output] = buffers.count
        buffers.append(.init(byteCount: bytes, firstStep: index, lastStep: last))
      }
    }
    let values = buffers.count
    let scratchBytes = steps.map { $0.kernel.scratchBytes(batch: plan.maxBatch, threads: threads) }
    buffers += scratchBytes.enumerated().map { .init(byteCount: $1, firstStep: $0, lastStep: $0) }

    let arena = ArenaPlan(buffers)
    places = bufferOf.enumerated().map { value, buffer in
      if value == plan.output { return .callersOutput }
      return buffer.map { .arena(arena.offsets[$0]) } ?? .callersInput
    }
    scratch = scratchBytes.enumerated().map { step, bytes in
      let offset = arena.offsets[values + step]
      return offset..<offset + bytes
    }
    byteCount = arena.byteCount
    self.buffers = buffers
    offsets = arena.offsets
  }
}
