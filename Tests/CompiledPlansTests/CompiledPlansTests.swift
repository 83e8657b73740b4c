import CCompress
import CKernels
import CompiledPlans
import Kernels
import Network
import Runtime
import TestSupport
import Tensors
import Testing

/// What libcompress gives is what sessions give, bit for bit, and every step passes the check that guards the library.
@Suite struct CompiledPlansTests {
  private func check(
    _ name: String, _ model: Network.Model, counts: [Int] = [1, 3], threads: [Int] = [1], isExact: Bool = false
  ) throws {
    let most = counts.max()!
    let plan = try compile(model, CompileOptions(maxBatch: most, isExact: isExact))
    let session = Session(plan)
    let file = try CompiledPlanFile(model, for: [.host], maxBatch: most, isExact: isExact)
    let opened = try Library.Model(file.bytes)
    for count in counts {
      var random = SeededRandom(seed: 5)
      let samples = Tensor(uniform: plan.inputShape.batched(count), -1.5, 1.5, using: &random)
      let expected = try session.run(samples).array(Float.self)
      for threads in threads {
        let found = try opened.run(samples.array(Float.self), count: count, threads: threads)
        let same = found.map(\.bitPattern) == expected.map(\.bitPattern)
        #expect(same, "\(name), \(count) samples, \(threads) threads")
      }
    }
  }

  /// The steps of plans for every instruction set.
  private func checkSteps(_ name: String, _ model: Network.Model) throws {
    for isa in InstructionSet.allCases {
      let plan = try compile(model, CompileOptions(machine: Machine(isa: isa)))
      for step in plan.steps {
        let fault = step.kernel.fault(
          inputs: step.inputs.map { plan.valueBytes[$0] }, outputs: step.outputs.map { plan.valueBytes[$0] }, on: isa)
        #expect(fault == nil, "\(name), \(isa): \(step.kernelName) of \(step.layer): \(fault ?? "")")
        let kind = try #require(ck_step_kind_named(step.kernelName)).pointee
        #expect(kind.works_in_place(step.kernel.descriptor.base) == step.kernel.worksInPlace, "\(step.kernelName)")
        #expect((kind.scratch == nil) == !step.kernel.takesScratch, "\(step.kernelName)")
      }
    }
  }

  private func checkBoth(_ name: String, _ model: Network.Model) throws {
    try check(name, model)
    try checkSteps(name, model)
  }

  @Test func everyOperator() throws {
    var random = RandomNetworks(3)
    for network in OperatorNetwork.all {
      let model = try random.model(network.graph)
      try checkBoth(network.name, model)
      try checkBoth(network.name + ", int8", model.quantizedAsIs())
    }
  }

  @Test func networksAtRandom() throws {
    for seed in 0..<12 {
      var networks = RandomNetworks(seed)
      let model = try networks.model(networks.graph(layers: 7, batchNorm: true))
      try checkBoth("float \(seed)", model)
      let integers = try networks.withIntegerWeights(model)
      try checkBoth("dynamic range \(seed)", integers)
      try checkBoth("int8 \(seed)", networks.withActivations(integers, leaveOut: 0))
      try checkBoth("partly int8 \(seed)", networks.withActivations(integers, leaveOut: 4))
      try checkBoth("simulated \(seed)", networks.withSimulation(model))
    }
  }

  @Test func valuesThatFormNoChain() throws {
    var random = RandomNetworks(5)
    for (name, graph) in [
      ("several", try ValueNetworks.several()), ("shared", try ValueNetworks.shared()),
      ("gated", try ValueNetworks.gated()),
    ] {
      let model = try random.model(graph)
      try checkBoth(name, model)
      try checkBoth(name + ", int8", model.quantizedAsIs(low: -4, high: 3))
    }
  }

  /// Winograd's method, sparse weights, samples side by side, threads.
  @Test func networksOfTheZoo() throws {
    for name in ["lab_cnn", "quick_cnn", "resnet8", "ds_cnn", "mobilenet_v1", "unet"] {
      let entry = try Zoo.entry(name), isSmall = name == "unet"
      let graph = try isSmall ? entry.graph([32, 32, 3], 2) : entry.graph(entry.defaults)
      let model = try Network.Model(initializing: graph, entry.initialization, seed: 1)
      for (kind, model) in [
        ("float", model), ("int8", try model.quantizedAsIs()), ("sparse", try model.thinned(20)),
        ("sparse int8", try model.thinned(20).quantizedAsIs()),
      ] {
        try check("\(name), \(kind)", model, counts: [1, 8], threads: [1, 3])
        try checkSteps("\(name), \(kind)", model)
      }
    }
  }

  /// A word whose weights come in two counts once, so that filters may be as deep as sums of 32 bits allow; what comes
  /// twice is refused.
  @Test func halvesOfSparseWordsCountOnce() throws {
    var net = GraphBuilder(input: [8, 8, 33_200])
    net.conv2d(filters: 16, kernel: 1, name: "deep")
    var random = RandomNetworks(3), model = try random.model(net.graph())
    let shape = model["deep", .weight]!.shape
    let words = (0..<shape.count).map { $0 / 4 % 25 == 0 ? Float($0 % 4 < 2 ? 1 : -1) : 0 }
    try model.set(Parameter(Tensor(words, shape)), "deep", .weight)
    let plan = try compile(model.quantizedAsIs(), CompileOptions(machine: Machine(isa: .avx2)))
    let step = try #require(plan.steps.first { $0.kernelName == "u8s8_sparse" })
    func fault() -> String? {
      step.kernel.fault(
        inputs: step.inputs.map { plan.valueBytes[$0] }, outputs: step.outputs.map { plan.valueBytes[$0] }, on: .avx2)
    }
    #expect(fault() == nil)
    // The first word's halves are the first two, [0, 127, 0, -127] and [127, 0, -127, 0].
    let base = step.kernel.descriptor.base.load(as: ck_u8s8_sparse.self).weights.values
    let values = try #require(step.kernel.constants).base + base
    #expect(
      values.load(as: UInt32.self) == 0x8100_7F00 && values.load(fromByteOffset: 4, as: UInt32.self) == 0x0081_007F)
    values.storeBytes(of: 0x0081_017F, toByteOffset: 4, as: UInt32.self)
    #expect(fault() != nil)
    values.storeBytes(of: 0x0081_007F, toByteOffset: 4, as: UInt32.self)
    #expect(fault() == nil)
    // A filter that comes twice leaves another one's sums as they were found.
    let filters =
      try #require(step.kernel.constants).base
      + step.kernel.descriptor.base.load(as: ck_u8s8_sparse.self).weights.filters
    filters.storeBytes(of: filters.load(as: UInt16.self), toByteOffset: 2, as: UInt16.self)
    #expect(fault() != nil)
  }

  /// Whoever changes what a struct holds says so to those who have compiled files.
  @Test func layoutsHaveAVersion() {
    #expect(CK_STEPS_VERSION == 1)
    #expect(
      ck_steps_layout() == 1_265_119_864,
      "the structs of steps have changed: raise CK_STEPS_VERSION and note the number here")
  }
}
