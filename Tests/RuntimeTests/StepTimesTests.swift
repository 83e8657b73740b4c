import Kernels
import Network
import Tensors
import TestSupport
import Testing

@testable import Runtime

@Suite struct StepTimesTests {
  /// A network of two convolutions; of the second one weight in ten is left.
  private func network() throws -> Model {
    var net = GraphBuilder(input: [8, 8, 16])
    net.conv2d(filters: 64, kernel: 3, padding: .same, name: "full")
    net.conv2d(filters: 64, kernel: 3, padding: .same, name: "pruned")
    var networks = RandomNetworks(5)
    var model = try networks.model(net.graph())
    var weights = try #require(model["pruned", .weight]?.values)
    weights.withMutable(Float.self) { weights in
      for index in weights.indices where index % 10 != 0 { weights[index] = 0 }
    }
    try model.set(Parameter(weights), "pruned", .weight)
    return model
  }

  @Test func zerosAreTimedBesideEveryWeight() throws {
    let model = try network(), plan = try compile(model)
    let dense = try compile(model, CompileOptions(leavesZerosOut: false))
    #expect(plan.leavesZerosOut && !dense.leavesZerosOut)
    #expect(dense.steps.allSatisfy { $0.kernelName != "f32_sparse" && $0.choice?.zeros == nil })
    let pool = try ThreadPool(threads: 1), sessions = [Session(plan, pool: pool), Session(dense, pool: pool)]
    let times = StepTimes(sessions, input: Tensor(zeros: plan.inputShape.batched(1))) { $0 < 3 }
    #expect(times.milliseconds.map(\.count) == [plan.steps.count, dense.steps.count])
    let saved = times.zerosSaved(plan, beside: dense)
    #expect(saved.map(\.layer) == ["pruned"])
    #expect(saved.allSatisfy { $0.milliseconds > 0 && $0.denseMilliseconds > 0 })
    #expect(!sessions[0].isTimingSteps)
  }
}
