import Kernels
import Network
import Tensors
import TestSupport
import Testing

@testable import Runtime

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct SessionMemoryTests {
  @Test(arguments: 0..<40) func liveValuesNeverShareBytes(seed: Int) throws {
    var networks = RandomNetworks(seed)
    let plain = try networks.model(networks.graph(layers: 10, batchNorm: false))
    let model = seed % 2 == 0 ? plain : try networks.withIntegerWeights(networks.withActivations(plain, leaveOut: 5))
    let plan = try compile(model, CompileOptions(maxBatch: 3))
    for threads in [1, 4] {
      let memory = StepMemory(plan, threads: threads)
      // Bytes in use while a step runs: its scratch, its result, and every value that it or a later step reads.
      for (index, step) in plan.steps.enumerated() {
        var used: [(Range<Int>, value: Int?)] = [(memory.scratch[index], nil)]
        var live = Set(plan.steps[index...].flatMap(\.inputs)).subtracting(plan.steps[index...].map(\.output))
        live.insert(step.output)
        for value in live {
          if case .arena(let offset) = memory.places[value] {
            used.append((offset..<offset + plan.valueBytes[value] * plan.maxBatch, value))
          }
        }
        for (a, first) in used.enumerated() where !first.0.isEmpty {
          #expect(first.0.upperBound <= memory.byteCount)
          for second in used[..<a] where first.0.overlaps(second.0) {
            // Only a step that works in place may write over what it reads, and nobody may read that later.
            let replaced = first.value == step.output ? second.value : second.value == step.output ? first.value : nil
            let dies = replaced.map { value in
              step.inputs.contains(value) && !plan.steps[(index + 1)...].contains { $0.inputs.contains(value) }
            }
            #expect(step.kernel.worksInPlace && dies == true && first.0 == second.0)
          }
        }
      }
    }
  }

  @Test func chainsReuseTheirMemory() throws {
    var net = GraphBuilder(input: [16, 16, 8])
    for _ in 0..<10 { net.conv2d(filters: 8, kernel: 1) }
    let plan = try compile(Model(initializing: net.graph(), seed: 0))
    let value = 16 * 16 * 8 * 4
    #expect(plan.arenaBytes() >= 2 * value)
    #expect(plan.arenaBytes() < 3 * value)
  }

  @Test func sessionsShareTheirPlansWeights() throws {
    var net = GraphBuilder(input: [256])
    net.dense(512)
    let plan = try compile(Model(initializing: net.graph(), seed: 0))
    #expect(plan.weightBytes >= 256 * 512 * 4)
    #expect(Session(plan).arenaBytes < 1024)
  }

  #if canImport(Glibc)
    /// On the main thread, whose heap no other thread uses: 20,000 runs that kept 16 bytes each would move its end.
    @MainActor @Test(arguments: ["fp32", "dynamic", "int8"]) func runsLeaveNothingBehind(precision: String) throws {
      var networks = RandomNetworks(7)
      var model = try networks.model(Zoo.entry("lab_cnn").graph([28, 28, 1], 10))
      if precision != "fp32" { model = try networks.withIntegerWeights(model) }
      if precision == "int8" { model = try networks.withActivations(model, leaveOut: 0) }
      let session = Session(try compile(model))
      let input = UnsafeMutableBufferPointer<Float>.allocate(capacity: 784)
      let output = UnsafeMutableBufferPointer<Float>.allocate(capacity: 10)
      defer {
        input.deallocate()
        output.deallocate()
      }
      input.initialize(repeating: 0.5)
      for _ in 0..<100 { session.run(input: UnsafeBufferPointer(input), output: output) }
      let before = Int(bitPattern: sbrk(0))
      for _ in 0..<20000 { session.run(input: UnsafeBufferPointer(input), output: output) }
      #expect(Int(bitPattern: sbrk(0)) - before < 200_000)
    }
  #endif
}
