import Compression
import Datasets
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors
import Testing

@testable import Analysis
@testable import Pipeline

@Suite struct ReconstructionTests {
  private let context: WorkContext

  init() throws { context = WorkContext(pool: try ThreadPool(threads: 1)) }

  @Test func normalEquationsAreSolved() throws {
    // A = [[4, 2], [2, 3]], two right sides.
    let x = try #require(NormalEquations.solve([4, 2, 2, 3], [8, 2, 7, 3], columns: 2, damping: 0))
    #expect(zip(x, [1.25, 0, 1.5, 1]).allSatisfy { abs($0 - $1) < 1e-12 }, "\(x)")
    #expect(NormalEquations.solve([0, 0, 0, 0], [1, 1], columns: 1, damping: 0) == nil)
    #expect(NormalEquations.solve([.infinity, 0, 0, 1], [1, 1], columns: 1, damping: 0) == nil)
    // Singular, and solvable for being damped.
    #expect(NormalEquations.solve([1, 1, 1, 1], [1, 1], columns: 1, damping: 0.01) != nil)
  }

  /// What went is all in what stayed: filters 4 to 7 of the first layer are twice filters 0 to 3.
  @Test func whatAnotherChannelKnowsIsNotMissed() throws {
    var net = GraphBuilder(input: [10, 10, 3])
    net.conv2d(filters: 8, kernel: 3, padding: .same, name: "a")
    net.activation(.relu)
    net.conv2d(filters: 5, kernel: 3, padding: .same, name: "b")
    var model = try Model(initializing: try net.graph(), seed: 4)
    var weights = model["a", .weight]!.values.array(Float.self)
    let each = weights.count / 8
    for i in 0..<4 * each { weights[4 * each + i] = 2 * weights[i] }
    try model.set(Parameter(Tensor(weights, model["a", .weight]!.shape)), "a", .weight)
    let groups = ChannelGroups(model.graph), removal: ChannelGroups.Removal = [0: [4, 5, 6, 7]]
    let smaller = try model.removing(removal, of: groups)
    let shape = model.graph.inputShape
    let data = try Datasets.Noise(shape, count: 40), held = try Datasets.Noise(shape, count: 20, seed: 8)
    let found = try Reconstruction(of: model, kept: groups.kept(removing: removal), on: data, context: context)
      .fitted(smaller)
    let before = try Agreement(model, smaller, on: held, context: context).outputs[0].error
    let after = try Agreement(model, found.model, on: held, context: context).outputs[0].error
    #expect(found.fitted == ["b"] && found.skipped.isEmpty, "\(found.fitted)")
    let lost = try #require(before.decibels), left = after.decibels ?? 100
    #expect(lost < 15 && left > 40, "\(lost) dB, \(left) dB")
  }
}
