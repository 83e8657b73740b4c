import CKernels

/// Elements of a value in another order, some of them several times or not at all.
public struct ElementOrder: Sendable {
  public let inputCount: Int
  public let outputCount: Int
  /// Positions in the input at which pieces of the result begin.
  private let outer: [Int]
  /// Positions of a piece's elements after its first; empty where they lie together.
  private let inner: [Int]
  private let pieceCount: Int

  /// - Parameter offsets: for each axis of the result, outermost first, what each of its indices adds to the position in
  ///   the input.
  public init(inputCount: Int, offsets: [[Int]]) {
    self.inputCount = inputCount
    outputCount = offsets.reduce(1) { $0 * $1.count }
    // As many of the last axes as are one piece that lies together.
    var axes = offsets, run = 1, start = 0
    while let last = axes.last, last.indices.allSatisfy({ last[$0] == last[0] + $0 * run }) {
      run *= last.count
      start += last.first ?? 0
      axes.removeLast()
    }
    let scattered = run == 1 ? axes.popLast() ?? [0] : []
    inner = scattered
    pieceCount = scattered.isEmpty ? run : scattered.count
    outer = axes.reduce([start]) { outer, axis in outer.flatMap { start in axis.map { start + $0 } } }
  }

  /// What a plan holds of it, for floats.
  public var step: PreparedStep { step(element: 4, table: nil) }

  /// What a plan holds of it, for codes; the table, where there is one, codes the result anew.
  public func step(table: [UInt8]?) -> PreparedStep { step(element: 1, table: table) }

  private func step(element: Int, table: [UInt8]?) -> PreparedStep {
    let positions = (outer + inner).map { UInt64($0 * element) }
    var places = ConstantLayout()
    _ = places.add(bytes: positions.count * MemoryLayout<UInt64>.stride)
    let offset = table.map { places.add(bytes: $0.count) } ?? 0
    let constants = OwnedMemory(byteCount: places.byteCount)
    constants.store(positions, at: 0)
    if let table { constants.store(table, at: offset) }
    let native = ck_rearrange(
      element: element, outer: outer.count, inner: inner.count, run: inner.isEmpty ? pieceCount * element : 0,
      in_bytes: inputCount * element, out_bytes: outputCount * element, table: offset)
    return PreparedStep("rearrange", native, constants: constants, run: ck_run_rearrange)
  }

  /// Adds a gradient by the result to one by the input, in the order of the result's elements.
  public func accumulate(
    _ gradient: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, batch: Int, pool: ThreadPool
  ) {
    pool.forWork(batch * outputCount).parallelFor(batch) { sample in
      let target = target + sample * inputCount
      var from = gradient + sample * outputCount
      for start in outer {
        if inner.isEmpty {
          for i in 0..<pieceCount { target[start + i] += from[i] }
        } else {
          for (i, position) in inner.enumerated() { target[start + position] += from[i] }
        }
        from += pieceCount
      }
    }
  }
}

/// A step that is run by itself, outside a plan: what training shares with the runtime.
public final class StandaloneStep {
  private let step: PreparedStep
  private var scratch: OwnedMemory?
  private let isa: InstructionSet

  public init(_ step: PreparedStep, isa: InstructionSet = .current) {
    self.step = step
    self.isa = isa
  }

  /// - Parameter constants: instead of the step's own, for weights that change.
  public func run(
    _ inputs: [UnsafePointer<Float>], to outputs: [UnsafeMutablePointer<Float>?], constants: UnsafeRawPointer? = nil,
    batch: Int, pool: ThreadPool
  ) {
    let bytes = step.scratchBytes(batch: batch, threads: pool.threads)
    if bytes > 0, scratch.map({ $0.byteCount < bytes }) ?? true { scratch = OwnedMemory(byteCount: bytes) }
    pool.run(
      step, on: isa.kernels, inputs.map { UnsafeRawPointer($0) }, to: outputs.map { UnsafeMutableRawPointer($0) },
      constants: constants ?? step.constants.map { UnsafeRawPointer($0.base) }, scratch: scratch?.base, batch: batch)
  }
}
