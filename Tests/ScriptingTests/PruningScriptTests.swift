import Diagnostics
import Foundation
import Network
import Pipeline
import Tensors
import Testing

/// What scripts can say about pruning beyond one target.
@Suite struct PruningScriptTests {
  static let dense = """
    local digits = dataset "digits"
    local data = digits.train:take(200)
    local net = zoo.lenet_300_100 {}
    local train_options = { data = data, batch = 50 }

    """

  private func zeros(_ model: Model) -> [Double] {
    model.weightLayers.map {
      let weight = model[$0, .weight]!
      return 1 - Double(weight.nonzeroCount) / Double(weight.count)
    }
  }

  private func near(_ a: [Double], _ b: [Double], within tolerance: Double = 0.002) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
  }

  /// A byte less than a network takes makes something go, and what is left takes no more than was asked for.
  @Test(arguments: ["bytes", "ram", "flash"]) func limitsAreLimits(_ measure: String) throws {
    func pruned(_ limit: Int) throws -> StageRecord {
      let result = try run(Self.dense + "prune(net, use 'filter_l1' {}, { \(measure) = \(limit) })")
      return try result.executor.record(of: result.outcome.leaves[0])
    }
    let whole = try pruned(1 << 40)
    #expect(whole.facts["macs"] == 1)
    #expect(whole.warnings?.contains { $0.contains("\(measure): nothing has to go: it is ") } == true, "\(whole.notes)")
    let limit = Int(try #require(whole.facts[measure])) - 1
    let less = try pruned(limit)
    #expect(try #require(less.facts["macs"]) < 1 && #require(less.facts[measure]) <= Double(limit))
    #expect(less.warnings?.contains { $0.contains("nothing has to go") } != true)
  }

  @Test func ratiosOfEachLayer() throws {
    let result = try run(
      Self.dense + """
        prune(net, use "global_magnitude" {}, { ratios = { 0.9, 0.5, 0 } })
        prune(net, use "local_magnitude" { skip = "fc2" }, { ratios = { 0.2, 0.4 }, rounds = 2 })
        prune(net, use "lamp" {}, { ratios = { { 0.5, 0.5, 0 }, { 0.5, 0.2, 0.1 } }, train = train_options })
        """)
    let leaves = try result.outcome.leaves.map { try result.executor.model(of: $0) }
    #expect(near(zeros(leaves[0]), [0.9, 0.5, 0]))
    #expect(near(zeros(leaves[1]), [0.36, 0, 0.64]))
    #expect(near(zeros(leaves[2]), [0.75, 0.6, 0.1]))
    #expect(result.outcome.leaves[2].work.kind == "train")
  }

  @Test func listsForEachRound() throws {
    let result = try run(
      Self.dense + """
        prune(net, use "global_magnitude" {}, { sparsity = { 0.5, 0.8, 0.9 }, train = train_options })
        prune(net, use "filter_l1" {}, { params = { 0.8, 0.5 } })
        prune(net, use "filter_l1" {}, { filters = { 0.2, 0.6 } })
        """)
    let stages = result.outcome.stages.filter { $0.work.kind == "prune" }
    let shares = try stages.map { try result.executor.record(of: $0).facts }
    #expect(near(shares.prefix(3).map { $0["sparsity"]! }, [0.5, 0.8, 0.9]))
    #expect(near(shares[3...4].map { $0["parameters"]! }, [0.8, 0.5 / 0.8], within: 0.01))
    #expect(near(shares[5...6].map { $0["filters"]! }, [0.8, 0.5], within: 0.01))
  }

  @Test func protectedLayersStayWhole() throws {
    let result = try run(
      Self.dense + """
        prune(net, use "global_magnitude" {}, { sparsity = 0.5, protect = { "first", "last" } })
        prune(net, use "filter_l2" {}, { filters = 0.5, protect = "first" })
        """)
    let models = try result.outcome.leaves.map { try result.executor.model(of: $0) }
    #expect(near(zeros(models[0]), [0, 0.5, 0]))
    #expect(models[1].weightLayers.map { models[1][$0, .weight]!.shape[0] } == [300, 50, 10])
  }

  @Test func blocksGoAsWholes() throws {
    let result = try run(
      """
      local deep = zoo.resnet20 { width = 0.25 }
      prune(deep, use "depth" {}, { blocks = 0.3 })
      prune(deep, use "depth" { skip = "layer1*" }, { macs = { 0.9, 0.7 } })
      prune(prune(deep, use "global_magnitude" {}, { sparsity = 0.5 }), use "depth" {}, { blocks = 0.3 })
      """)
    let models = try result.outcome.leaves.map { try result.executor.model(of: $0) }
    let facts = try result.outcome.leaves.map { try result.executor.record(of: $0).facts }
    #expect(facts[0]["blocks"] == 2 / 7.0 && facts[0]["macs"]! < 0.85)
    let whole = try Zoo.entry("resnet20").graph(Zoo.entry("resnet20").defaults)
    let first = whole.nodes.filter { $0.op.hasWeight && $0.name.hasPrefix("layer1") }.map(\.name)
    #expect(!first.isEmpty && Set(first).isSubset(of: models[1].weightLayers))
    #expect(models[1].weightLayers.count < models[0].weightLayers.count + 4)
    // What was promised of a layer goes with it; of those that stay the zeros hold.
    #expect(models[2].weightLayers.allSatisfy { models[2][$0, .weight]!.mask != nil })
    #expect(throws: CompressError.self) {
      try run(Self.dense + "prune(net, use \"depth\" {}, { filters = 0.5 })")
    }
  }

  @Test func rewindingGivesTheEarlierValues() throws {
    let result = try run(
      Self.dense + """
        local early = train(net, train_options)
        local late = train(early, { data = data, batch = 50, epochs = 2 })
        prune(late, use "global_magnitude" {}, { sparsity = 0.9, rewind = early })
        prune(late, use "global_magnitude" {}, { sparsity = 0.8, rounds = 2, rewind = net, train = train_options })
        """)
    let stages = result.outcome.stages
    #expect(
      stages.map(\.work.kind) == [
        "initialize", "train", "train", "prune", "rewind", "prune", "rewind", "train", "prune", "rewind", "train",
      ])
    let early = try result.executor.model(of: stages[1]), pruned = try result.executor.model(of: stages[3])
    let ticket = try result.executor.model(of: stages[4])
    for layer in ticket.weightLayers {
      let mask = pruned[layer, .weight]!.mask!.array(UInt8.self)
      let expected = zip(early[layer, .weight]!.values.array(Float.self), mask).map { $1 == 0 ? 0 : $0 }
      #expect(ticket[layer, .weight]!.values.array() == expected)
      #expect(ticket[layer, .weight]!.mask!.array() == mask)
      #expect(ticket[layer, .bias]!.values.array(Float.self) == early[layer, .bias]!.values.array())
    }
    let last = zeros(try result.executor.model(of: result.outcome.leaves[1]))
    let sizes = [784.0 * 300, 30_000, 1000]
    #expect(abs(zip(last, sizes).reduce(0) { $0 + $1.0 * $1.1 } / sizes.reduce(0, +) - 0.8) < 0.001)
  }

  @Test func weightsDrawnAnewForTheSameShape() throws {
    let result = try run(
      Self.dense + """
        local small = prune(net, use "filter_l1" {}, { params = 0.3 })
        local sparse = prune(net, use "global_magnitude" {}, { sparsity = 0.7 })
        local a, b = reinitialize(small), reinitialize(small, { seed = 4 })
        reinitialize(sparse)
        print(small:cost().parameters == a:cost().parameters, a:cost().macs == b:cost().macs)
        """)
    #expect(result.printed == ["true\ttrue"])
    let stages = result.outcome.stages, models = try stages.map { try result.executor.model(of: $0) }
    func values(_ model: Model) -> [Float] { model[model.weightLayers[1], .weight]!.values.array() }
    #expect(values(models[3]) != values(models[1]) && values(models[3]) != values(models[4]))
    #expect(values(models[5]).map { $0 == 0 } == values(models[2]).map { $0 == 0 })
    // Not the weights it began with, though the seed is the same.
    #expect(zip(values(models[5]), values(models[0])).allSatisfy { $0 == 0 || $0 != $1 })
  }

  @Test func factorizedNetworksTrainOn() throws {
    let result = try run(
      Self.dense + """
        local half = factorize(net, { params = 0.5, protect = "last" })
        train(half, train_options)
        prune(half, use "filter_l1" {}, { params = 0.5 })
        print(half:cost().parameters / net:cost().parameters, #half:layers())
        """)
    let printed = result.printed[0].split(separator: "\t").map { Double($0)! }
    #expect(abs(printed[0] - 0.5) < 0.01 && printed[1] == 5)
    let record = try result.executor.record(of: result.outcome.stages[1])
    #expect(abs(record.facts["parameters"]! - 0.5) < 0.01)
  }

  @Test func measuredTargets() throws {
    let result = try run(
      Self.dense + """
        local half = prune(net, use "filter_l1" {}, { bytes = 0.5 })
        local third = prune(net, use "filter_l1" {}, { bytes = 350000 })
        print(half:cost().bytes / net:cost().bytes, third:cost().bytes)
        prune(net, use "filter_l1" {}, { latency_ms = 1000 })
        """)
    let printed = result.printed[0].split(separator: "\t").map { Double($0)! }
    #expect(abs(printed[0] - 0.5) < 0.01 && abs(printed[1] - 350_000) < 5000)
    let slow = try result.executor.result(of: result.outcome.leaves[2])
    // A second is more than enough for all of it.
    #expect(slow.model.weightLayers.map { slow.model[$0, .weight]!.shape[0] } == [300, 100, 10])
    #expect(slow.record.facts["latency_ms"]! > 0 && slow.record.notes.contains { $0.contains("of this machine") })
  }

  @Test func weightsUpToALatency() throws {
    let result = try run(
      Self.dense + """
        prune(net, use "global_magnitude" {}, { latency_ms = 1000 })
        prune(net, use "global_magnitude" {}, { latency_ms = { 1000, 900 }, rounds = 2 })
        """)
    let slow = try result.executor.result(of: result.outcome.leaves[0])
    // No zero is needed for a second.
    #expect(
      slow.model.weightLayers.allSatisfy { slow.model[$0, .weight]!.nonzeroCount == slow.model[$0, .weight]!.count })
    #expect(slow.record.facts["latency_ms"]! > 0 && slow.record.facts["sparsity"] == 0)
    #expect(slow.record.notes.contains { $0.contains("which decided that 0.0 % of the weights are zero") })
    let error = failure(Self.dense + "prune(net, use 'global_magnitude' {}, { latency_ms = 1e-7 })")
    #expect(error?.message.contains("cannot be reached by zeros; with 127 of 128 weights zero it is") == true)
  }

  /// What a network is to take on a device is what its C takes once it is quantized.
  @Test func targetsOfADevice() throws {
    let folder = try ScriptFolder()
    let result = try run(
      """
      local net = zoo.quick_cnn {}
      local small = prune(net, use "filter_l1" {}, { ram = 0.6 })
      local light = prune(net, use "filter_l1" {}, { flash = 6000 })
      local int8 = use "int8" { calibration = data.noise(net, { count = 8 }) }
      for name, model in pairs { net = net, small = small, light = light } do
        export(quantize(model, int8), name .. ".c")
      end
      """, out: folder.path)
    func size(_ name: String, _ what: String) throws -> Double {
      let header = try String(contentsOfFile: folder.path + "/\(name).h", encoding: .utf8)
      let lines = header.split(separator: "\n").filter { $0.hasPrefix("#define") }
      let line = try #require(lines.first { $0.contains("_\(what)_BYTES ") })
      return try #require(Double(line.split(separator: " ").last!))
    }
    let small = try result.executor.record(of: result.outcome.stages[1])
    let light = try result.executor.record(of: result.outcome.stages[2])
    #expect(try small.facts["ram"] == size("small", "ARENA"))
    // Which zero points are none is only known of the data it is calibrated on.
    #expect(try abs(light.facts["flash"]! / size("light", "CONSTANT") - 1) < 0.02)
    #expect(try abs(size("small", "ARENA") / size("net", "ARENA") - 0.6) < 0.07)
    let constants = try size("light", "CONSTANT")
    #expect(try constants < 6000 * 1.02 && constants > 4800 && size("net", "CONSTANT") > 9000, "\(constants)")
  }

  @Test(arguments: [
    ("use 'global_magnitude' {}, { ratios = { 0.1 } }", "1 shares for 3 layers: "),
    ("use 'global_magnitude' {}, { ratios = { 0.1 }, sparsity = 0.5 }", "one target"),
    ("use 'global_magnitude' {}, { ratios = { { 0.1, 0.1, 0.1 }, { 0.1 } } }", "1 ratios in round 2, 3 in the first"),
    ("use 'global_magnitude' {}, { sparsity = { 0.5, 1.5 } }", "must be from 0 to 1"),
    ("use 'global_magnitude' {}, { sparsity = { 0.5, 0.6 }, rounds = 3 }", "lists 2 rounds, and rounds = 3"),
    ("use 'global_magnitude' {}, { bytes = 0.5 }", "prunes single weights"),
    ("use 'n_m' {}, { ratios = { 0.5, 0.5, 0.5 } }", "keeps 2 of 4"),
    ("use 'n_m' {}, { latency_ms = 1 }", "keeps 2 of 4"),
    ("use 'n_m' {}, { schedule = use 'polynomial' { from = 0, to = 0.8 } }", "ends at 80.0 % zeros, where"),
    ("use 'global_magnitude' {}, { latency_ms = 2, rounds = 2 }", "a list with the milliseconds"),
    ("use 'global_magnitude' {}, { latency_ms = 0 }", "leaves nothing of the network"),
    ("use 'movement' {}, { sparsity = 0.5 }", "while the network trains"),
    ("use 'filter_l1' {}, { macs = { 0.5, 0.7 } }", "gives back"),
    ("use 'filter_l1' {}, { macs = 0.5, rewind = net }", "single weights can be rewound"),
    ("use 'filter_l1' {}, { latency_ms = 2, rounds = 2 }", "a list with the milliseconds"),
    ("use 'filter_l1' {}, { latency_ms = 1e-7 }", "cannot be reached"),
    ("use 'filter_l1' {}, { ram = 10 }", "cannot be reached"),
    ("use 'filter_l1' {}, { flash = 10 }", "cannot be reached"),
    ("use 'filter_l1' {}, { bytes = 100 }", "cannot be reached"),
    ("use 'global_magnitude' {}, { sparsity = 0.5, rewind = zoo.lenet5 {} }", "the network to rewind to is another"),
  ])
  func mistakesAreNamed(_ call: String, _ expected: String) {
    let error = failure(Self.dense + "prune(net, \(call))")
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.line == 5)
  }

  @Test(arguments: [
    ("factorize(net, {})", "needs a target"), ("factorize(net, { energy = 0.5, macs = 0.5 })", "one target"),
    ("rewind(net)", "Model"),
    ("factorize(prune(net, use 'random' {}, { sparsity = 0.5 }), { ratio = 0.5 })", "factorize first, then prune"),
  ])
  func mistakesOfShapesAreNamed(_ call: String, _ expected: String) {
    let error = failure(Self.dense + call)
    #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
  }

  static let gathering = """
    return plugin {
      kind = "pruning", summary = "mine",
      gather = function(layer, before) return BODY end,
      score = function(layer) return layer.gathered end,
    }
    """

  @Test(arguments: [("layer.weight:sum(1)", "gather of plugin"), ("nil", "gather of plugin"), ("missing.x", "missing")])
  func whatIsGatheredHasTheWeightsShape(_ body: String, _ expected: String) throws {
    let folder = try ScriptFolder(["mine.lua": Self.gathering.replacing("BODY", with: body)])
    let error = failure(
      Self.dense + "prune(net, use 'mine' {}, { schedule = use 'linear' { to = 0.5 }, train = train_options })",
      in: folder)
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.script?.hasSuffix("mine.lua") == true)
  }

  /// Scores of steps so far: with a gather that counts steps and a constant score order, nothing goes before the first.
  @Test func scoresAreMadeOfTheSteps() throws {
    let folder = try ScriptFolder([
      "mine.lua": Self.gathering.replacing(
        "BODY", with: "before and before + layer.gradient:abs() or layer.gradient:abs()")
    ])
    let result = try run(
      Self.dense + """
        prune(net, use 'mine' {}, { schedule = use 'constant' { value = 0.5 }, every = 1, train = train_options })
        """, in: folder)
    #expect(abs(try result.executor.record(of: result.outcome.leaves[0]).facts["sparsity"]! - 0.5) < 0.001)
  }
}
