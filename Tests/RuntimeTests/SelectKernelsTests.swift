import Kernels
import Network
import Tensors
import TestSupport
import Testing

@testable import Runtime

/// Which kernels a plan is given, and that no result depends on the machine it is made for.
@Suite struct SelectKernelsTests {
  static let machines: [Machine] = InstructionSet.allCases.flatMap { isa in
    [
      Machine(isa: isa), Machine(isa: isa, threads: 64, firstLevelBytes: 16 << 10, secondLevelBytes: 64 << 10),
      Machine(isa: isa, threads: 2, secondLevelBytes: 32 << 20),
    ]
  }

  private func network() throws -> Graph {
    var net = GraphBuilder(input: [12, 12, 32])
    net.conv2d(filters: 32, kernel: 3, padding: .same, name: "tiles")
    net.conv2d(filters: 16, kernel: 5, padding: .same, name: "windows")
    net.conv2d(filters: 16, kernel: 3, padding: .same, groups: 16, name: "depthwise")
    net.conv2d(filters: 24, kernel: 1, name: "pixels")
    net.conv2d(filters: 12, kernel: 1, stride: 2, name: "strided")
    net.conv2d(filters: 6, kernel: 3, groups: 3, name: "grouped")
    net.maxPool(2, name: "pool")
    net.flatten(name: "flat")
    net.dense(10, name: "dense")
    return try net.graph()
  }

  @Test(arguments: machines) func theAlgorithmFollowsFromTheShape(_ machine: Machine) throws {
    var networks = RandomNetworks(3)
    let model = try networks.model(network())
    let expected: [String: ConvolutionAlgorithm] = [
      "windows": .patches, "depthwise": .taps, "pixels": .pixels, "strided": .patches, "grouped": .patches,
      "dense": .pixels, "tiles": .winograd4,
    ]
    let integers = try networks.withIntegerWeights(networks.withActivations(model, leaveOut: 0))
    for (model, isExact) in [(model, false), (model, true), (integers, false)] {
      let plan = try compile(model, CompileOptions(maxBatch: 3, machine: machine, isExact: isExact))
      let usesWinograd = plan.steps.contains { $0.kernelName == "f32_winograd" }
      #expect(usesWinograd == (!isExact && plan.steps.allSatisfy { $0.arithmetic == .float32 }))
      #expect(plan.machine == machine)
      for step in plan.steps {
        let choice = step.choice
        let isExpected =
          choice?.algorithm == expected[step.layer] || (step.layer == "tiles" && choice?.algorithm == .patches)
        #expect(isExpected || step.operation.hasSuffix("quantize"), "\(step.layer)")
        guard let choice else { continue }
        #expect(choice.cycles > 0 && choice.cycles.isFinite && !choice.reason.isEmpty)
        let isByTaps = step.kernelName.hasSuffix("taps")
        #expect(isByTaps == (choice.algorithm == .taps))
      }
    }
  }

  /// A plan for any machine whose kernels this one can run computes the same bits; those of another architecture are
  /// stood in for by the scalar ones.
  @Test(arguments: machines, [0, 1, 2]) func noResultDependsOnTheMachine(_ machine: Machine, _ arithmetic: Int) throws {
    guard machine.isa.canBeRun else { return }
    var networks = RandomNetworks(4)
    var model = try networks.model(network())
    if arithmetic > 0 { model = try networks.withIntegerWeights(model) }
    if arithmetic > 1 { model = try networks.withActivations(model, leaveOut: 0) }
    let samples = try Tensor.concatenated(
      (0..<3).map { _ in try networks.sample(model.graph.inputShape).reshaped([1, 12, 12, 32]) }, axis: 0)
    let expected: [Float] = try Session(compile(model, CompileOptions(maxBatch: 3))).run(samples).array()
    let pool = try ThreadPool(threads: 3, smallestWork: 0)
    let session = Session(try compile(model, CompileOptions(maxBatch: 3, machine: machine)), pool: pool)
    let actual: [Float] = try session.run(samples).array()
    #expect(actual.map(\.bitPattern) == expected.map(\.bitPattern))
  }

  /// For integers costs decide.
  @Test func costsDecideBetweenIntegerAlgorithms() throws {
    let window = try WindowGeometry(height: 14, width: 14, channels: 64, kernel: (3, 3))
    let depthwise = try ConvolutionGeometry(window, outputChannels: 64, groups: 64)
    let integer = ConvolutionWork(depthwise, sumsIntegers: true, batch: 1, weightBytes: 1)
    let float = ConvolutionWork(depthwise, sumsIntegers: false, batch: 1, weightBytes: 4)
    let usual = Machine(isa: .avx512)
    #expect(integer.choice(on: usual).algorithm == .taps)
    #expect(integer.choice(on: usual).reason.hasPrefix("one filter to each channel, patches would take about "))
    let odd = { (algorithm: ConvolutionAlgorithm) in algorithm == .taps ? 2e6 : 1e6 }
    #expect(integer.choice(on: usual, cost: odd).algorithm == .patches)
    #expect(
      integer.choice(on: usual, cost: odd).reason
        == "windows of 3x3 in 64 groups, taps would take about 2 times as long")
    // Whatever it costs, a float algorithm follows from the shape.
    #expect(float.choice(on: usual, cost: odd).algorithm == .taps)
    #expect(float.choice(on: usual, cost: odd).reason == "one filter to each channel")
  }

  @Test func piecesFitTheCachesAndThreads() throws {
    let g = try ConvolutionGeometry.dense(inputs: 4, outputs: 4)
    func limits(_ machine: Machine) -> CutLimits {
      ConvolutionWork(g, sumsIntegers: false, batch: 1, weightBytes: 4).choice(on: machine).limits
    }
    #expect(limits(Machine(isa: .avx2)) == .standard)
    #expect(limits(Machine(isa: .avx2, secondLevelBytes: 256 << 10)).pieceBytes == 64 << 10)
    #expect(limits(Machine(isa: .avx2, secondLevelBytes: 1 << 10)).pieceBytes == 32 << 10)
    #expect(limits(Machine(isa: .avx2, threads: 32)).pieces == 128)
  }
}
