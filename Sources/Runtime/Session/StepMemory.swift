import Kernels

/// Where a session keeps the values and the scratch of a plan's steps: one arena, in which what is not needed
/// at the same time shares bytes.
struct StepMemory {
  /// Where a value lies.
  enum Place {
    /// In the arena, at this offset.
    case arena(Int)
    /// In what the caller passes, by position.
    case callersInput(Int), callersOutput(Int)
  }

  let places: [Place]
  /// For each step, offset and size of its scratch.
  let scratch: [Range<Int>]
  let byteCount: Int
  /// What the arena was laid out from: values that are computed in place are one buffer.
  let buffers: [ArenaPlan.Buffer]
  let offsets: [Int]

  /// - Parameter batch: samples at once; nil for as many as the plan allows.
  init(_ plan: Plan, batch: Int? = nil, threads: Int) {
    let batch = batch ?? plan.maxBatch
    let steps = plan.steps
    var lastRead = [Int](repeating: -1, count: plan.valueBytes.count)
    for (index, step) in steps.enumerated() {
      for input in step.inputs { lastRead[input] = index }
    }
    // What is computed once has to last.
    for step in steps where step.isConstant { for output in step.outputs { lastRead[output] = steps.count } }

    var buffers: [ArenaPlan.Buffer] = []
    var bufferOf = [Int?](repeating: nil, count: plan.valueBytes.count)
    let given = Dictionary(uniqueKeysWithValues: zip(plan.outputs, 0...))
    for (index, step) in steps.enumerated() {
      for output in step.outputs where given[output] == nil {
        let bytes = plan.valueBytes[output] * batch
        let reused = step.inputs.first {
          step.kernel.worksInPlace && bufferOf[$0] != nil && lastRead[$0] == index
            && plan.valueBytes[$0] == plan.valueBytes[output]
        }
        let last = max(index, lastRead[output])
        if let reused, let buffer = bufferOf[reused] {
          bufferOf[output] = buffer
          buffers[buffer] = .init(byteCount: bytes, firstStep: buffers[buffer].lifetimes[0].lowerBound, lastStep: last)
        } else {
          bufferOf[output] = buffers.count
          buffers.append(.init(byteCount: bytes, firstStep: step.isConstant ? 0 : index, lastStep: last))
        }
      }
    }
    let values = buffers.count
    let scratchBytes = steps.map { $0.kernel.scratchBytes(batch: batch, threads: threads) }
    buffers += scratchBytes.enumerated().map { .init(byteCount: $1, firstStep: $0, lastStep: $0) }

    let arena = ArenaPlan(buffers)
    let inputs = Dictionary(uniqueKeysWithValues: zip(plan.inputs, 0...))
    places = bufferOf.enumerated().map { value, buffer in
      if let output = given[value] { return .callersOutput(output) }
      // What is in no buffer and not given is a value that fusing has left behind: nobody asks for it.
      return buffer.map { .arena(arena.offsets[$0]) } ?? .callersInput(inputs[value] ?? 0)
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
