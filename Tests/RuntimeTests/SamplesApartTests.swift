import Kernels
import Network
import Tensors
import TestSupport
import Testing

@testable import Runtime

/// Batches whose samples are computed side by side.
@Suite struct SamplesApartTests {
  /// Its values outweigh its weights.
  private func model(_ precision: String) throws -> Model {
    var networks = RandomNetworks(5)
    var net = GraphBuilder(input: [24, 20, 4])
    net.conv2d(filters: 8, kernel: 3, padding: .same, name: "conv")
    let trunk = net.activation(.relu, name: "relu")
    net.conv2d(filters: 8, kernel: 1, name: "pixels")
    let branch = net.last
    net.add(trunk, branch, name: "add")
    net.globalAveragePool(name: "pool")
    net.dense(3, name: "dense")
    var model = try networks.model(net.graph())
    if precision != "fp32" { model = try networks.withIntegerWeights(model) }
    if precision == "int8" { model = try networks.withActivations(model, leaveOut: 0) }
    return model
  }

  /// One whose caches hold next to nothing.
  private let small = Machine(isa: .current, secondLevelBytes: 1 << 10)

  @Test(arguments: ["fp32", "dynamic", "int8"], [1, 2, 3]) func givesTheSameBits(_ precision: String, _ threads: Int)
    throws
  {
    let model = try model(precision)
    let one = Session(try compile(model)), plan = try compile(model, CompileOptions(maxBatch: 12, machine: small))
    #expect(plan.computesSamplesApart(12, threads: threads))
    let session = Session(plan, pool: try ThreadPool(threads: threads, smallestWork: 0))
    var random = SeededRandom(seed: 3)
    for batch in [12, 7, 6, 1] {
      let samples = Tensor(uniform: plan.inputShape.batched(batch), 0, 1, using: &random)
      let together: [Float] = try session.run(samples).array(), apart: [Float] = try one.run(samples).array()
      #expect(together.map(\.bitPattern) == apart.map(\.bitPattern), "\(batch)")
    }
  }

  @Test func whereItPays() throws {
    let plan = try compile(model("fp32"), CompileOptions(maxBatch: 64, machine: small))
    #expect(!plan.computesSamplesApart(1, threads: 1) && plan.computesSamplesApart(2, threads: 1))
    #expect(plan.computesSamplesApart(4, threads: 4) && !plan.computesSamplesApart(5, threads: 4))
    #expect(plan.computesSamplesApart(17, threads: 4))
    #expect(plan.arenaBytes(threads: 2) > StepMemory(plan, threads: 2).byteCount)
    // What caches hold stays there.
    let usual = try compile(model("fp32"), CompileOptions(maxBatch: 4, machine: Machine(isa: .current)))
    #expect(!usual.computesSamplesApart(4, threads: 2))
    // Many weights would be read for each sample.
    var net = GraphBuilder(input: [256])
    net.dense(512)
    let heavy = try compile(
      Model(initializing: net.graph(), seed: 0), CompileOptions(maxBatch: 4, machine: small))
    #expect(!heavy.computesSamplesApart(4, threads: 2))
  }

  /// Steps that are timed, and values that are looked at, are those of the whole batch.
  @Test func observersSeeTheBatch() throws {
    let plan = try compile(model("fp32"), CompileOptions(maxBatch: 4, machine: small)), session = Session(plan)
    var random = SeededRandom(seed: 4)
    let samples = Tensor(uniform: plan.inputShape.batched(4), 0, 1, using: &random)
    var seen: [String: Int] = [:]
    try session.run(samples) { layer, values in seen[layer] = values.count }
    #expect(seen["pool"] == 4 * 8)
    session.isTimingSteps = true
    _ = try session.run(samples)
    #expect(session.stepNanoseconds.allSatisfy { $0 > 0 })
  }
}
